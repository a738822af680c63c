"""Responses of an endpoint, recorded for people: cleaned, shortened, without secrets."""

from msgspec.structs import replace

from watchdeck.collector.scrape.attempt import RunningAttempt
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import ModelState, Outcome, ResponseRecord, Scrape
from watchdeck.domain.values.text import clean
from watchdeck.redaction import redact

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
    """

    def __init__(self) -> None:
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
        records = (raw_response(name, scrape.at, one) for name, one in responses)
        return replace(scrape, exchanges=tuple(records))


def raw_response(request: str, at: int, response: ProbeResponse) -> ResponseRecord:
    """A response as it is stored: without secrets, cleaned and shortened."""
    headers = response.headers
    shown = "; ".join(f"{name}: {headers[name]}" for name in _HEADERS if name in headers)
    text = response.body[: _BODY + _LONGEST_SECRET].decode("utf-8", "replace")
    begun = len(text[:_BODY].splitlines())  # a later line may end within a secret
    # each line alone: most are the same each time
    lines = [_shown(line) for line in text.splitlines()[: min(begun, LINES)]]
    return ResponseRecord(
        clean(redact(request), 200),
        at,
        response.status,
        clean(redact(shown), 300),
        "\n".join(lines),
    )


def _shown(line: str) -> str:
    return clean(redact(line[: CHARACTERS + _LONGEST_SECRET]), CHARACTERS)
