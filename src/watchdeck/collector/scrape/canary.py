"""The canary: an inference sent on purpose, and the check of its answer."""

from __future__ import annotations

from pathlib import Path

from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Canary
from watchdeck.domain.values.json_assertion import ExpectError, failed_assertion
from watchdeck.net.address import Url
from watchdeck.net.connection import Request
from watchdeck.net.failure import RequestError, status_words

LARGEST = 1 << 20
"""Bytes of a canary's body."""

_JSON = (("content-type", "application/json"),)


class CanaryProbe:
    """One endpoint's canary and its own beat.

    One that failed is sent again with the next scrape: two in a row are a model that is down, and
    one alone is not.
    """

    def __init__(self, canary: Canary, root: Url) -> None:
        self._canary = canary
        self._where = root.at(canary.path)
        self._due: int | None = None
        self._body: bytes | None = None
        self.sent = 0

    @property
    def name(self) -> str:
        """The canary as a person is told of it."""
        return f"canary {self._where.path}"

    def is_due(self, at: int) -> bool:
        """Whether it is time (ms UTC); a clock that was set back makes it so."""
        return self._due is None or at >= self._due or at < self._due - int(self._canary.every)

    def question(self) -> Request:
        """The request to send, counted as sent. Raises Failed when its body cannot be read."""
        body = self._read()
        self._due = None
        self.sent += 1
        return Request(self._where, _JSON, self._canary.method, body)

    def check(self, answer: ProbeResponse, at: int) -> None:
        """Take the answer; raises Failed when it is wrong."""
        if answer.status is None or not 200 <= answer.status < 300:
            raise self._wrong(status_words(answer.status or 0))
        if why := self._unmet(answer.body):
            raise self._wrong(why)
        self._due = at + int(self._canary.every)

    def _wrong(self, why: str) -> RequestError:
        return RequestError(Outcome.WRONG_ANSWER, why).about(self.name)

    def _unmet(self, body: bytes) -> str:
        if self._canary.expect is None:
            return ""
        try:
            return failed_assertion(self._canary.expect, body)
        except ExpectError as error:
            return str(error)

    def _read(self) -> bytes:
        """The body, kept once it was read."""
        if self._body is None:
            try:
                self._body = _body(self._canary)
            except RequestError as failed:
                raise failed.about(self.name) from failed
        return self._body


def _body(canary: Canary) -> bytes:
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
