"""The HTTP paths of the intake: what is posted is in the store before the sender gets a 2xx."""

import hmac
import logging
from collections.abc import Callable, Mapping

from msgspec import Struct

from watchdeck.config.reading.secrets import SecretError
from watchdeck.domain.board.change import ChangeError, ManyChangesError
from watchdeck.domain.external.alertmanager import (
    ParsedPayload,
    PayloadError,
    TooManyError,
    read_post,
    read_webhook,
)
from watchdeck.domain.external.change_report import ChangeReport, read_change_report
from watchdeck.domain.external.cloudevents import read_cloud_events
from watchdeck.domain.settings.intake import EVENTS, PROMETHEUS
from watchdeck.errors import StoreError
from watchdeck.logs import FailureEvents, FailureLog
from watchdeck.net.request import RequestHead, RequestRejected
from watchdeck.net.server import Response
from watchdeck.store.alerts.external import append_events, mark_unreachable
from watchdeck.store.files.connection import Connection
from watchdeck.store.worker import StoreWorker

_log = logging.getLogger(__name__)

_REJECTIONS = FailureEvents("peer", "request rejected by the intake")

READY = "/-/ready"
_WEBHOOK = "/alertmanager"
_POST = "/api/v2/alerts"
_EVENTS = "/events"
_CHANGES = "/changes"

PayloadParser = Callable[[bytes, RequestHead, int], ParsedPayload]
PollSoon = Callable[[str], bool]
"""Starts a poll of a source that left alerts out; False when the source cannot be polled."""

RecordChange = Callable[[Connection, ChangeReport, int], tuple[int, bool]]
"""Stores a reported change at a moment (ms UTC); returns its number, and whether it is a repeat.

Raises ChangeError, PayloadError and StoreError.
"""


class IntakeAuth(Struct, frozen=True):
    """The token that senders must present, and the source names of Alertmanagers."""

    token: Callable[[], str]
    """Reads the token, for each request anew. Raises SecretError."""
    names: Mapping[str, str]
    """Source names by the external URL that an Alertmanager states in its webhooks."""
    otherwise: str
    """The source name for any other URL."""


class IntakeHandler:
    """Stores the alerts and changes that senders post; a 2xx says that they are committed."""

    def __init__(
        self,
        auth: IntakeAuth,
        worker: StoreWorker,
        clock: Callable[[], int],
        poll_soon: PollSoon,
        record_change: RecordChange,
    ) -> None:
        self._auth = auth
        self._worker = worker
        self._clock = clock
        self._poll_soon = poll_soon
        self._record_change = record_change
        self._rejection_log = FailureLog(_log, _REJECTIONS)

    def log_rejection(self, peer: str, rejected: RequestRejected) -> None:
        """Log that a request of the sender with this address was rejected."""
        self._rejection_log.record_failure(peer, status=rejected.status, problem=rejected)

    def admit(self, head: RequestHead) -> None:
        """Check the token, path and method of a request. Raises RequestRejected."""
        if head.path != READY:
            self._check_token(head)
        method = "GET" if head.path == READY else "POST"
        if self._parser(head.path) is None and head.path not in (READY, _CHANGES):
            places = f"{_WEBHOOK}, {_POST}, {_EVENTS}, {_CHANGES} and {READY}"
            raise RequestRejected(404, f"no such path; there is {places}")
        if head.method != method:
            raise RequestRejected(405, f"only {method} is taken here")

    async def handle(self, head: RequestHead, body: bytes) -> Response:
        """Store what the body of an admitted request holds. Raises RequestRejected."""
        try:
            if head.path == _CHANGES:
                return await self._store_change(body)
            parse = self._parser(head.path)
            return Response(200, "ready") if parse is None else await self._store(parse, head, body)
        except (PayloadError, ChangeError) as error:
            status = next(status for kind, status in _STATUSES if isinstance(error, kind))
            raise RequestRejected(status, str(error)) from None
        except StoreError:
            raise RequestRejected(503, "the store cannot be written now; send it again") from None

    async def _store(self, parse: PayloadParser, head: RequestHead, body: bytes) -> Response:
        payload = await self._worker.run(lambda db: _save(db, parse(body, head, self._clock())))
        await self._poll_left_out(payload)
        if payload.unreadable:
            others = f"the other {len(payload.events)} were taken"
            raise RequestRejected(400, f"{payload.unreadable} alerts could not be read; {others}")
        return Response(200)

    async def _store_change(self, body: bytes) -> Response:
        """Store a reported change; a repeat gets status 200 with the number of the first."""
        report = read_change_report(body)
        number, is_repeat = await self._worker.run(
            lambda db: self._record_change(db, report, self._clock())
        )
        if is_repeat:
            return Response(200, f"change {number} of {report.model} was stored before")
        return Response(201, f"change {number} of {report.model} stored")

    async def _poll_left_out(self, payload: ParsedPayload) -> None:
        if not payload.truncated or not payload.events:
            return
        source = payload.events[0].source
        if not self._poll_soon(source):
            left = f"{payload.truncated} alerts were left out of a webhook"
            problem = f"{left}; set its max_alerts to 0, or poll it: [[alertmanager]]"
            await self._worker.run(lambda db: mark_unreachable(db, source, problem))

    def _check_token(self, head: RequestHead) -> None:
        try:
            token = self._auth.token()
        except SecretError:
            raise RequestRejected(
                503, "the token cannot be read here, so nobody is admitted"
            ) from None
        kind, _, given = head.headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode("latin-1"), token.encode())
        if not same or kind.lower() != "bearer":
            raise RequestRejected(
                401, "the token is missing or wrong; send Authorization: Bearer TOKEN"
            )

    def _parser(self, path: str) -> PayloadParser | None:
        names = self._auth.names
        name = path.removeprefix(f"{_WEBHOOK}/")
        if name != path and name in names.values():
            return lambda body, _, now: read_webhook(body, name, now)
        if path == _WEBHOOK:
            return lambda body, _, now: read_webhook(body, self._auth.otherwise, now, names)
        return _PARSERS.get(path)


def _save(db: Connection, payload: ParsedPayload) -> ParsedPayload:
    if payload.events:
        first = payload.events[0]
        append_events(db, first.source, payload.events, first.received_at)
    return payload


_PARSERS: dict[str, PayloadParser] = {
    _POST: lambda body, _, now: read_post(body, PROMETHEUS, now),
    _EVENTS: lambda body, head, now: read_cloud_events(body, head.headers, EVENTS, now),
}

_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (TooManyError, 413),
    (PayloadError, 400),
    (ManyChangesError, 429),
    (ChangeError, 422),
)
"""The status of a response by the error, the more special ones first."""
