"""Responses of an endpoint, recorded for people: cleaned, shortened, without secrets."""

from collections.abc import Callable

from msgspec.structs import replace

from watchdeck.collector.scrape.attempt import RunningAttempt
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import ModelState, Outcome, ResponseRecord, Scrape
from watchdeck.domain.values.text import clean

RENEW = 60_000
"""Milliseconds after which responses are recorded again; another outcome is recorded at once."""

LINES, CHARACTERS = 20, 160
"""The part of a body that is recorded: its first lines, and the first characters of each."""

MOST = 8
"""Most responses of one scrape that are recorded."""

_BODY = 4_096
_LONGEST_SECRET = 1_024
"""Bytes kept of a body, and further bytes searched, so that a secret at the edge is found."""

_HEADERS = ("content-type", "content-encoding", "server", "retry-after")
"""Headers that describe a response, and never the client."""


class ResponseLog:
    """Decides which scrapes of one endpoint are stored with their raw responses.

    These are the first one, those with a new outcome or model state, and else one a minute.
    `redact` removes secrets from texts.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._recorded: tuple[Outcome, ModelState] | None = None
        self._recorded_at = 0

    def add_to(self, scrape: Scrape, attempt: RunningAttempt) -> Scrape:
        """The scrape, with the attempt's responses if they are due; else unchanged.

        They are due after a change of outcome or model state, or a minute after the last ones.
        """
        state = (scrape.outcome, scrape.model_state)
        if state == self._recorded and abs(scrape.at - self._recorded_at) < RENEW:
            return scrape
        self._recorded, self._recorded_at = state, scrape.at
        responses = list(attempt.responses.items())[:MOST]
        records = (raw_response(name, scrape.at, one, self._redact) for name, one in responses)
        return replace(scrape, exchanges=tuple(records))


def raw_response(
    request: str, at: int, response: ProbeResponse, redact: Callable[[str], str]
) -> ResponseRecord:
    """A response as it is stored: cleaned and shortened, with secrets removed by `redact`."""
    headers = response.headers
    shown = "; ".join(f"{name}: {headers[name]}" for name in _HEADERS if name in headers)
    text = redact(response.body[: _BODY + _LONGEST_SECRET].decode("utf-8", "replace"))[:_BODY]
    lines = [clean(line, CHARACTERS) for line in text.splitlines()[:LINES]]
    return ResponseRecord(
        clean(request, 200), at, response.status, clean(redact(shown), 300), "\n".join(lines)
    )
