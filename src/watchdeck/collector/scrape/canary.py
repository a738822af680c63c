"""The canary: an inference sent on purpose, and the check of its response."""

from pathlib import Path

from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Canary
from watchdeck.domain.values.json_assertion import JsonAssertionError, assertion_failure
from watchdeck.net.address import Url
from watchdeck.net.connection import Request
from watchdeck.net.failure import RequestError, status_words

LARGEST = 1 << 20
"""Most bytes of a canary's body."""

_JSON = (("content-type", "application/json"),)


class CanaryProbe:
    """One endpoint's canary: a test inference, sent on its own interval.

    A canary that failed is sent again with the next scrape, because only two failures in a row
    mean that the model is down.
    """

    def __init__(self, canary: Canary, root: Url) -> None:
        self._canary = canary
        self._url = root.at(canary.path)
        self._due: int | None = None
        self._body: bytes | None = None
        self.sent = 0

    @property
    def name(self) -> str:
        """The canary's name in messages: `canary` and the path of its URL."""
        return f"canary {self._url.path}"

    def is_due(self, at: int) -> bool:
        """Whether the canary is due at `at` (ms UTC).

        It is also due before its first success, after a failure, and when the clock was set back.
        """
        return self._due is None or at >= self._due or at < self._due - int(self._canary.every)

    def request(self) -> Request:
        """Make the request to send, and count it in `sent`.

        Raises RequestError when the file with its body cannot be read.
        """
        body = self._load_body()
        self._due = None
        self.sent += 1
        return Request(self._url, _JSON, self._canary.method, body)

    def check(self, response: ProbeResponse, at: int) -> None:
        """Check the response; if it is good, the next canary is due one interval after `at`.

        `at` is in ms UTC. Raises RequestError when the status is not 2xx, or the assertion fails.
        """
        if response.status is None or not 200 <= response.status < 300:
            raise self._error(status_words(response.status or 0))
        if why := self._assertion_failure(response.body):
            raise self._error(why)
        self._due = at + int(self._canary.every)

    def _error(self, why: str) -> RequestError:
        return RequestError(Outcome.WRONG_ANSWER, why).with_name(self.name)

    def _assertion_failure(self, body: bytes) -> str:
        if self._canary.expect is None:
            return ""
        try:
            return assertion_failure(self._canary.expect, body)
        except JsonAssertionError as error:
            return str(error)

    def _load_body(self) -> bytes:
        """The body; its file is read once."""
        if self._body is None:
            try:
                self._body = _body_of(self._canary)
            except RequestError as error:
                raise error.with_name(self.name) from error
        return self._body


def _body_of(canary: Canary) -> bytes:
    if canary.body_file is None:
        return (canary.body or "").encode()
    try:
        with Path(canary.body_file).open("rb") as file:
            body = file.read(LARGEST + 1)
    except OSError as error:
        why = f"its body file cannot be read: {error.strerror}"
        raise RequestError(Outcome.UNREADABLE, why) from error
    if len(body) > LARGEST:
        raise RequestError(Outcome.UNREADABLE, "its body file is over 1MiB")
    return body
