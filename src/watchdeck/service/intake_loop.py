"""Hears other systems, in the collector's process: the intake, and one poll an Alertmanager."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator

from watchdeck.collector.intake.alertmanager_poller import AlertmanagerPoller
from watchdeck.collector.intake.handler import IntakeAuth, IntakeHandler
from watchdeck.config.checks.intake import parse_listen_address
from watchdeck.config.reading.secrets import SecretError, resolve_secret
from watchdeck.domain.external.source import ExternalSource, SourceProtocol
from watchdeck.domain.settings import intake as wanted
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.settings.intake import ALERTMANAGER, EVENTS, PROMETHEUS
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Clock
from watchdeck.errors import StoreError
from watchdeck.faults import FaultCounter
from watchdeck.net.server import HttpServer
from watchdeck.store.alerts.external_sources import register_sources
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.worker import StoreWorker

POSTED = 150_000
"""Milliseconds without a word after which a Prometheus that has alerts open is silent.

It repeats them every minute; where it promises more, half of what it promises counts.
"""

AGAIN = 10.0
"""Seconds before an intake that could not listen tries again."""


class IntakeService:
    """All that is heard beside our own models; `problem` is why an intake does not listen.

    What fails here costs no scrape: it is told, and tried again.
    """

    def __init__(
        self,
        settings: Settings,
        directory: StoreDirectory,
        clock: Clock,
        *,
        again: float = AGAIN,
    ) -> None:
        self._intake = settings.intake
        self._sources = tuple(sources_of(settings))
        self._desk = StoreWorker(directory)
        self._clock = clock
        self._called = source_names(settings)
        self._polls = {
            one.name: AlertmanagerPoller(one, self._desk, clock) for one in settings.alertmanager
        }
        self._again = again
        self._problem = ""
        self._faults = FaultCounter("the intake")
        self._port: asyncio.Queue[int] = asyncio.Queue()

    @property
    def problem(self) -> str:
        """Why somebody is not heard; empty when all is well."""
        polls = (poll.problem for poll in self._polls.values())
        return "; ".join(filter(None, (self._problem, self._faults.problem, *polls)))

    async def run(self) -> None:
        """Hear until cancelled; without anything to hear, wait idly."""
        try:
            await self._registered()
            async with asyncio.TaskGroup() as group:
                for name, poll in self._polls.items():
                    group.create_task(poll.run(), name=f"poll {name}")
                if self._intake is not None:
                    group.create_task(self._listening(self._intake), name="intake")
                await asyncio.Event().wait()
        finally:
            await self._desk.close()

    async def listening(self) -> int:
        """The port on which the intake listens, once it does."""
        return await self._port.get()

    async def _registered(self) -> None:
        while True:
            try:
                await self._desk.do(lambda db: register_sources(db, self._sources, self._clock()))
            except StoreError as error:
                self._problem = f"nobody else is heard: {clean(str(error), 200)}"
                await asyncio.sleep(self._again)
            else:
                self._problem = ""
                return

    async def _listening(self, intake: wanted.Intake) -> None:
        callers = IntakeAuth(
            lambda: resolve_secret(intake.token), self._called, _otherwise(self._polls)
        )
        taker = IntakeHandler(callers, self._desk, self._clock, self._more)
        server = HttpServer(taker.admit, taker.answer, limit=intake.max_body)
        try:
            while True:
                with self._faults.catch():
                    if await self._opened(server, intake):
                        break
                await asyncio.sleep(self._again)
            await asyncio.Event().wait()
        finally:
            await server.close()

    async def _opened(self, server: HttpServer, intake: wanted.Intake) -> bool:
        host, port = parse_listen_address(intake.listen) or ("127.0.0.1", 0)
        try:
            resolve_secret(intake.token)
            chosen = await server.listen(host, port)
        except SecretError as error:
            self._problem = f"the intake does not listen: {error}"
            return False
        except OSError as error:
            why = clean(error.strerror or type(error).__name__, 120)
            self._problem = f"the intake cannot listen on {intake.listen}: {why}"
            return False
        self._problem = ""
        self._port.put_nowait(chosen)
        return True

    def _more(self, source: str) -> bool:
        if source in self._polls:
            self._polls[source].hurry()
        return source in self._polls


def sources_of(settings: Settings) -> Iterator[ExternalSource]:
    """Every source that a configuration lets be heard, and when it is silent."""
    for asked in settings.alertmanager:
        yield ExternalSource(
            asked.name,
            SourceProtocol.LIST,
            silent_after=2 * asked.every + asked.timeout,
            expected=True,
            hold=max(2 * asked.resend, asked.resolve_timeout),
            deadman=asked.deadman,
        )
    intake, names = settings.intake, [asked.name for asked in settings.alertmanager]
    if intake is not None:
        yield ExternalSource(PROMETHEUS, SourceProtocol.POST, POSTED, deadman=intake.deadman)
        yield ExternalSource(EVENTS, SourceProtocol.EVENTS)
        if _otherwise(names) not in names:
            patience = int(intake.silent_after)
            yield ExternalSource(
                ALERTMANAGER, SourceProtocol.WEBHOOK, patience, deadman=intake.deadman
            )


def source_names(settings: Settings) -> dict[str, str]:
    """The names of Alertmanagers by what each calls itself in a webhook."""
    return {
        (asked.external_url or asked.url).rstrip("/"): asked.name for asked in settings.alertmanager
    }


def _otherwise(names: Collection[str]) -> str:
    """Whose a webhook is that calls itself something else: the only one there is has many names."""
    return next(iter(names)) if len(names) == 1 else ALERTMANAGER
