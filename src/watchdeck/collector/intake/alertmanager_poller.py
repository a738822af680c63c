"""Asks an Alertmanager what fires, again and again; one that does not answer is no all-clear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from msgspec.structs import replace

from watchdeck.collector.intake.alertmanager_client import ALERTS, STATUS, AlertmanagerClient
from watchdeck.collector.intake.silence_sync import SilenceSync
from watchdeck.domain.external.alertmanager import PayloadError, parse_json, read_listed
from watchdeck.domain.external.event import ExternalEvent
from watchdeck.domain.external.silence_sync import RemoteSilence
from watchdeck.domain.settings.intake import Alertmanager
from watchdeck.domain.values.rfc3339 import read_moment
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreError
from watchdeck.faults import FaultCounter
from watchdeck.net.failure import RequestError
from watchdeck.store.alerts.external_events import append_events, replace_list
from watchdeck.store.alerts.external_sources import mark_heard, not_heard
from watchdeck.store.files.connection import Connection
from watchdeck.store.worker import StoreWorker


class AlertmanagerPoller:
    """One Alertmanager, asked on its beat until cancelled, or sooner after `hurry`."""

    def __init__(
        self,
        asked: Alertmanager,
        desk: StoreWorker,
        clock: Callable[[], int],
        client: AlertmanagerClient | None = None,
    ) -> None:
        self._asked = asked
        self._desk = desk
        self._clock = clock
        self._client = client or AlertmanagerClient(asked)
        self._mirror = SilenceSync(asked.name, self._client, desk) if asked.mirror else None
        self._hurry = asyncio.Event()
        self._faults = FaultCounter(f"the poll of {asked.name}")

    @property
    def problem(self) -> str:
        """What of our own failed in the newest poll; empty when nothing did."""
        return self._faults.problem

    def hurry(self) -> None:
        """Ask at once: it has more to say than it sent."""
        self._hurry.set()

    async def run(self) -> None:
        """Ask until cancelled; then the connection is let go."""
        try:
            while True:
                self._hurry.clear()
                with self._faults.catch():
                    await self.once()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._asked.every.seconds):
                        await self._hurry.wait()
        finally:
            await self._client.close()

    async def once(self) -> str:
        """Ask once, and keep the answer, or why there was none, which is returned."""
        try:
            return await self._asked_once()
        except (RequestError, PayloadError) as error:
            problem = clean(str(error), 300)
        except StoreError as error:
            return clean(str(error), 300)
        with suppress(StoreError):
            await self._desk.do(lambda db: not_heard(db, self._asked.name, problem))
        return problem

    async def _asked_once(self) -> str:
        listed = await self._client.get(ALERTS)
        # after the list, which is from before any restart that shows here
        status = parse_json(await self._client.get(STATUS))
        own = await self._mirror.there() if self._mirror else ()
        started = read_moment(status.get("uptime")) if isinstance(status, dict) else None
        await self._desk.do(lambda db: self._kept(db, listed, started, own))
        if self._mirror is not None:
            await self._mirror.reconcile(listed, own, self._clock())
        return ""

    def _kept(
        self, db: Connection, listed: bytes, started: int | None, own: Iterable[RemoteSilence]
    ) -> None:
        name, now = self._asked.name, self._clock()
        said = read_listed(listed, name, now)
        mark_heard(db, name, now, started)
        ours = {f"silence {one.id}" for one in own}
        events = [_without(event, ours) for event in said.events]
        if said.unread:  # what could not be read must not count as gone
            append_events(db, name, events, now)
            not_heard(db, name, f"{said.unread} of its alerts could not be read")
        else:
            replace_list(db, name, events, now)


def _without(event: ExternalEvent, ours: set[str]) -> ExternalEvent:
    """An event that is not called suppressed for a silence of our own making."""
    if not ours.intersection(event.suppressed_by):
        return event
    return replace(
        event, suppressed_by=tuple(one for one in event.suppressed_by if one not in ours)
    )
