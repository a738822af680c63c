"""One Alertmanager: its API client, the poll of its alerts, and the sync of silences with it."""

import asyncio
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.config.checks.intake import endpoint_of
from watchdeck.config.reading.secrets import SecretError, resolve_secret
from watchdeck.domain.external.alertmanager import (
    PayloadError,
    parse_json,
    read_list,
    read_peers,
    read_received,
)
from watchdeck.domain.external.event import ExternalEvent
from watchdeck.domain.external.silence_sync import (
    RemoteSilence,
    SilenceChange,
    plan_changes,
    read_remote_silences,
)
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.intake import Alertmanager
from watchdeck.domain.values.datetimes import read_rfc3339
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreError
from watchdeck.faults import FaultCounter
from watchdeck.net.address import parse_url
from watchdeck.net.client import HttpClient, client_for
from watchdeck.net.connection import Request
from watchdeck.net.failure import RequestError, status_words
from watchdeck.store.alerts import external
from watchdeck.store.files.connection import Connection
from watchdeck.store.state.audit import append_audit
from watchdeck.store.worker import StoreWorker

ALERTS = "/api/v2/alerts"
STATUS = "/api/v2/status"
PAGE = "/metrics"
SILENCES = "/api/v2/silences"
SILENCE = "/api/v2/silence/"

COLLECTOR = Operator("collector")

NEW_FOR = 3_600_000
"""Milliseconds after its start in which an Alertmanager is asked whether its sender is heard."""


class AlertmanagerClient:
    """The API of one Alertmanager; each request has the configured timeout."""

    def __init__(self, settings: Alertmanager, client: HttpClient | None = None) -> None:
        self._root = parse_url(settings.url)
        self._timeout = settings.timeout.seconds
        self._client = client or client_for(endpoint_of(settings))

    async def get(self, path: str) -> bytes:
        """GET a path and return the body. Raises RequestError, also for a status other than 200."""
        return await self._send(Request(self._root.at(path)))

    async def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        """POST a JSON object and return the body of the response. Raises RequestError as `get`."""
        headers = (("content-type", "application/json"),)
        encoded = json.dumps(body).encode()
        return await self._send(Request(self._root.at(path), headers, "POST", encoded))

    async def delete(self, path: str) -> None:
        """DELETE a path; 404 (it is gone already) counts as success. Raises RequestError."""
        await self._send(Request(self._root.at(path), method="DELETE"), good=(200, 404))

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def _send(self, request: Request, good: tuple[int, ...] = (200,)) -> bytes:
        path = request.address.path
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.send(request)
        except TimeoutError:
            raise RequestError(Outcome.TIMED_OUT, f"{path}: no answer in time") from None
        except RequestError as error:
            raise error.with_name(path) from None
        if response.status not in good:
            raise RequestError(Outcome.HTTP_STATUS, f"{path}: {status_words(response.status or 0)}")
        return response.body


class SilenceSync(Struct, frozen=True):
    """Creates and ends silences in an Alertmanager to match acknowledgements in watchdeck.

    The Alertmanager has the only record of these silences, so none is lost when a collector
    restarts between two changes. Methods raise RequestError, PayloadError or StoreError.
    """

    source: str
    client: AlertmanagerClient
    worker: StoreWorker

    async def read_silences(self) -> tuple[RemoteSilence, ...]:
        """The silences in the Alertmanager that were made for this store."""
        store = await self._store_name()
        return tuple(read_remote_silences(parse_json(await self.client.get(SILENCES)), store))

    async def reconcile(self, alerts: bytes, silences: tuple[RemoteSilence, ...], now: int) -> None:
        """Create and end silences to match acknowledgements.

        `alerts` is the body of the Alertmanager's response to a GET of ALERTS.
        """
        store = await self._store_name()

        def plan(db: Connection) -> tuple[SilenceChange, ...]:
            owners = external.read_owners(db, self.source)
            labels = _labels_by_fingerprint(parse_json(alerts)) if owners else {}
            return plan_changes(store, owners, labels, silences, now)

        for change in await self.worker.run(plan):
            if change.post is not None:
                await self.client.post(SILENCES, change.post)
            else:
                await self.client.delete(f"{SILENCE}{change.end}")
            await self.worker.run_in_transaction(partial(self._audit, change=change, now=now))

    async def _store_name(self) -> str:
        new = secrets.token_hex(4)
        return await self.worker.run(lambda db: external.ensure_store_name(db, new))

    def _audit(self, db: Connection, change: SilenceChange, now: int) -> None:
        verb = "ack.unmirrored" if change.post is None else "ack.mirrored"
        subject = f"acknowledgement {change.acknowledgement} at {self.source}"
        until = None if change.post is None else {"until": change.post["endsAt"]}
        append_audit(db, now, COLLECTOR, verb, subject, None, until)


def _labels_by_fingerprint(listed: object) -> dict[str, dict[str, str]]:
    """The labels of listed alerts by fingerprint, unchanged: a silence must match them exactly."""
    alerts = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {
        str(one.get("fingerprint")): {str(name): str(value) for name, value in labels.items()}
        for one in alerts
        if isinstance(labels := one.get("labels"), dict)
    }


class AlertmanagerPoller:
    """Polls the alerts of one Alertmanager on its interval, and at once after `poll_soon`."""

    def __init__(
        self,
        settings: Alertmanager,
        worker: StoreWorker,
        clock: Callable[[], int],
        client: AlertmanagerClient | None = None,
    ) -> None:
        self._settings = settings
        self._worker = worker
        self._clock = clock
        self._client = client or AlertmanagerClient(settings)
        self._sync = SilenceSync(settings.name, self._client, worker) if settings.mirror else None
        self._received: tuple[int, int | None] | None = None
        self._wake = asyncio.Event()
        self._faults = FaultCounter(f"the poll of {settings.name}")

    @property
    def problem(self) -> str:
        """The unexpected exception of the latest poll, as text; empty when there was none."""
        return self._faults.problem

    @property
    def lasting_fault(self) -> str:
        """The fault that keeps it from polling; empty without one."""
        return self._faults.lasting

    def poll_soon(self) -> None:
        """Make `run` poll at once: the Alertmanager left alerts out of a webhook."""
        self._wake.set()

    async def run(self) -> None:
        """Poll until cancelled; then close the connection."""
        try:
            while True:
                self._wake.clear()
                with self._faults.catch():
                    await self.poll()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.every.seconds):
                        await self._wake.wait()
        finally:
            await self._client.close()

    async def poll(self) -> str:
        """Poll once and store the alerts; returns why that failed, or an empty text."""
        try:
            await self._poll()
        except (RequestError, PayloadError) as error:
            problem = clean(str(error), 300)
        except StoreError as error:
            return clean(str(error), 300)
        else:
            return ""
        with suppress(StoreError):
            name = self._settings.name
            await self._worker.run(lambda db: external.mark_unreachable(db, name, problem))
        return problem

    async def _poll(self) -> None:
        alerts = await self._client.get(ALERTS)
        # read after the list: a list from after a restart then comes with the time of that restart
        status = parse_json(await self._client.get(STATUS))
        silences = await self._sync.read_silences() if self._sync else ()
        started = read_rfc3339(status.get("uptime")) if isinstance(status, dict) else None
        peers = read_peers(status)
        await self._worker.run(lambda db: self._save(db, alerts, started, peers, silences))
        await self._look_for_senders(started)
        if self._sync is not None:
            await self._sync.reconcile(alerts, silences, self._clock())

    async def _look_for_senders(self, started: int | None) -> None:
        """Note that the sender of its alerts lives, while an Alertmanager has just been started.

        One that forgot its alerts lists none of those that ended meanwhile, so that nothing else
        would tell their ends from a sender that is dead. With several senders, which of them lives
        is unknown.
        """
        now = self._clock()
        if started is None or now - started > NEW_FOR:
            self._received = None
            return
        try:
            received = read_received(await self._client.get(PAGE))
        except RequestError:
            return
        before, self._received = self._received, (now, received)
        if before is None or received is None or received <= (before[1] or 0):
            return
        name = self._settings.name
        await self._worker.run_in_transaction(
            lambda db: external.mark_only_sender_alive(db, name, before[0])
        )

    def _save(
        self,
        db: Connection,
        alerts: bytes,
        started: int | None,
        peers: tuple[str, ...],
        silences: Iterable[RemoteSilence],
    ) -> None:
        name, now = self._settings.name, self._clock()
        payload = read_list(alerts, name, now)
        external.mark_reachable(db, name, now, started, peers)
        own = {f"silence {one.id}" for one in silences}
        events = [_without_silences(event, own) for event in payload.events]
        if payload.unreadable:  # an alert that could not be read must not count as gone
            external.append_events(db, name, events, now)
            problem = f"{payload.unreadable} of its alerts could not be read"
            external.mark_unreachable(db, name, problem)
        else:
            external.replace_list(db, name, events, now)


def _without_silences(event: ExternalEvent, own: set[str]) -> ExternalEvent:
    """The event, without the silences made for this store in `suppressed_by`."""
    if not own.intersection(event.suppressed_by):
        return event
    return replace(event, suppressed_by=tuple(one for one in event.suppressed_by if one not in own))


async def intake_problems(settings: Settings, now: int) -> list[str]:
    """Check that the intake's token can be read and that each Alertmanager answers.

    Returns a text for each problem; an empty list when there is none.
    """
    problems = []
    if settings.intake:
        try:
            resolve_secret(settings.intake.token)
        except SecretError as error:
            problems.append(f"anybody at the intake: {error}")
    for alertmanager in settings.alertmanager:
        client = AlertmanagerClient(alertmanager)
        try:
            read_list(await client.get(ALERTS), alertmanager.name, now)
        except (RequestError, PayloadError) as error:
            problems.append(f"{alertmanager.name}: {error}")
        finally:
            await client.close()
    return problems
