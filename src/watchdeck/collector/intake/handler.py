"""What each path of the intake takes: alerts, kept in the store before the sender is told so."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from msgspec import Struct

from watchdeck.config.reading.secrets import SecretError
from watchdeck.domain.external.alertmanager import (
    ParsedPayload,
    PayloadError,
    TooManyError,
    read_posted,
    read_webhook,
)
from watchdeck.domain.external.cloudevents import read_cloud_events
from watchdeck.domain.settings.intake import EVENTS, PROMETHEUS
from watchdeck.errors import StoreError
from watchdeck.net.request import RequestHead, RequestRejected
from watchdeck.net.server import Response
from watchdeck.store.alerts.external_events import append_events
from watchdeck.store.alerts.external_sources import not_heard
from watchdeck.store.files.connection import Connection
from watchdeck.store.worker import StoreWorker

READY = "/-/ready"
_WEBHOOK = "/alertmanager"
_POST = "/api/v2/alerts"
_EVENTS = "/events"

PayloadParser = Callable[[bytes, RequestHead, int], ParsedPayload]
More = Callable[[str], bool]
"""Asks a source for the rest of what it said; whether it can be asked at all."""


class IntakeAuth(Struct, frozen=True):
    """Who may call: the token, looked up each time, and the names of Alertmanagers.

    `names` holds them by what they call themselves; who calls itself something else is `otherwise`.
    """

    token: Callable[[], str]
    names: Mapping[str, str]
    otherwise: str


class IntakeHandler:
    """Takes what is sent, and answers with success only when it is committed."""

    def __init__(
        self, callers: IntakeAuth, desk: StoreWorker, clock: Callable[[], int], more: More
    ) -> None:
        self._callers = callers
        self._desk = desk
        self._clock = clock
        self._more = more

    def admit(self, head: RequestHead) -> None:
        """Let a request in by its token, and by what it asks. Raises Refused."""
        if head.path != READY:
            self._know(head)
        wanted = "GET" if head.path == READY else "POST"
        if self._reader(head.path) is None and head.path != READY:
            places = f"{_WEBHOOK}, {_POST}, {_EVENTS} and {READY}"
            raise RequestRejected(404, f"there is nothing here; there is {places}")
        if head.method != wanted:
            raise RequestRejected(405, f"only {wanted} is taken here")

    async def answer(self, head: RequestHead, body: bytes) -> Response:
        """Take what was sent. Raises Refused."""
        read = self._reader(head.path)
        if read is None:
            return Response(200, "ready")
        try:
            said = await self._desk.do(lambda db: _taken(db, read(body, head, self._clock())))
            await self._ask_for_more(said)
        except TooManyError as error:
            raise RequestRejected(413, str(error)) from None
        except PayloadError as error:
            raise RequestRejected(400, str(error)) from None
        except StoreError:
            raise RequestRejected(503, "the store cannot be written now; send it again") from None
        if said.unread:
            taken = f"the other {len(said.events)} were taken"
            raise RequestRejected(400, f"{said.unread} alerts could not be read; {taken}")
        return Response(200)

    async def _ask_for_more(self, said: ParsedPayload) -> None:
        if said.left_out and said.events and not self._more(said.events[0].source):
            left = f"{said.left_out} alerts were left out of a webhook"
            problem = f"{left}; set its max_alerts to 0, or let it be asked"
            await self._desk.do(lambda db: not_heard(db, said.events[0].source, problem))

    def _know(self, head: RequestHead) -> None:
        try:
            token = self._callers.token()
        except SecretError:
            raise RequestRejected(
                503, "nobody can be let in: the token cannot be read here"
            ) from None
        kind, _, given = head.headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode("latin-1"), token.encode())
        if not same or kind.lower() != "bearer":
            raise RequestRejected(
                401, "the token is missing or wrong; send Authorization: Bearer TOKEN"
            )

    def _reader(self, path: str) -> PayloadParser | None:
        names = self._callers.names
        name = path.removeprefix(f"{_WEBHOOK}/")
        if name != path and name in names.values():
            return lambda body, _, now: read_webhook(body, name, now)
        if path == _WEBHOOK:
            return lambda body, _, now: read_webhook(body, self._callers.otherwise, now, names)
        return _READERS.get(path)


def _taken(db: Connection, said: ParsedPayload) -> ParsedPayload:
    if said.events:
        first = said.events[0]
        append_events(db, first.source, said.events, first.received_at)
    return said


_READERS: dict[str, PayloadParser] = {
    _POST: lambda body, _, now: read_posted(body, PROMETHEUS, now),
    _EVENTS: lambda body, head, now: read_cloud_events(body, head.headers, EVENTS, now),
}
