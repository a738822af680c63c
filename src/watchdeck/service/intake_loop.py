"""Hears other systems, in the collector's process: the intake, and one poll an Alertmanager."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator

from watchdeck.collector.intake.alertmanager_poller import Poll
from watchdeck.collector.intake.handler import Callers, Intake
from watchdeck.config.checks.intake import place_of
from watchdeck.config.reading.secrets import SecretError, reveal
from watchdeck.domain.external.source import ForeignSource, Way
from watchdeck.domain.settings import intake as wanted
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.settings.intake import ALERTMANAGER, EVENTS, PROMETHEUS
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreError
from watchdeck.faults import FaultCounter
from watchdeck.net.server import Server
from watchdeck.store.alerts.external_sources import register_sources
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.worker import Desk

POSTED = 150_000
"""Milliseconds without a word after which a Prometheus that has alerts open is silent.

It repeats them every minute; where it promises more, half of what it promises counts.
"""

AGAIN = 10.0
"""Seconds before an intake that could not listen tries again."""

Clock = Callable[[], int]


class Hearing:
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
        self._desk = Desk(directory)
        self._clock = clock
        self._called = called(settings)
        self._polls = {one.name: Poll(one, self._desk, clock) for one in settings.alertmanager}
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
        callers = Callers(lambda: reveal(intake.token), self._called, _otherwise(self._polls))
        taker = Intake(callers, self._desk, self._clock, self._more)
        server = Server(taker.admit, taker.answer, limit=intake.max_body)
        try:
            while True:
                with self._faults.catch():
                    if await self._opened(server, intake):
                        break
                await asyncio.sleep(self._again)
            await asyncio.Event().wait()
        finally:
            await server.close()

    async def _opened(self, server: Server, intake: wanted.Intake) -> bool:
        host, port = place_of(intake.listen) or ("127.0.0.1", 0)
        try:
            reveal(intake.token)
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


def sources_of(settings: Settings) -> Iterator[ForeignSource]:
    """Every source that a configuration lets be heard, and when it is silent."""
    for asked in settings.alertmanager:
        yield ForeignSource(
            asked.name,
            Way.LIST,
            silent_after=2 * asked.every + asked.timeout,
            expected=True,
            hold=max(2 * asked.resend, asked.resolve_timeout),
            deadman=asked.deadman,
        )
    intake, names = settings.intake, [asked.name for asked in settings.alertmanager]
    if intake is not None:
        yield ForeignSource(PROMETHEUS, Way.POST, POSTED, deadman=intake.deadman)
        yield ForeignSource(EVENTS, Way.EVENTS)
        if _otherwise(names) not in names:
            patience = int(intake.silent_after)
            yield ForeignSource(ALERTMANAGER, Way.WEBHOOK, patience, deadman=intake.deadman)


def called(settings: Settings) -> dict[str, str]:
    """The names of Alertmanagers by what each calls itself in a webhook."""
    return {
        (asked.external_url or asked.url).rstrip("/"): asked.name for asked in settings.alertmanager
    }


def _otherwise(names: Collection[str]) -> str:
    """Whose a webhook is that calls itself something else: the only one there is has many names."""
    return next(iter(names)) if len(names) == 1 else ALERTMANAGER
