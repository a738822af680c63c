"""External alerts and changes in the collector's process: the intake, and the pollers."""

import asyncio
import logging
from collections.abc import Collection, Iterator

from watchdeck.actions.change import record_reported
from watchdeck.collector.intake.alertmanager import AlertmanagerPoller
from watchdeck.collector.intake.handler import IntakeAuth, IntakeHandler
from watchdeck.config.checks.intake import parse_listen_address
from watchdeck.config.reading.secrets import SecretError, resolve_secret
from watchdeck.domain.external.change_report import ChangeReport
from watchdeck.domain.external.source import ExternalSource, SourceProtocol
from watchdeck.domain.settings import intake as wanted
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.intake import ALERTMANAGER, EVENTS, PROMETHEUS
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Clock
from watchdeck.errors import StoreError
from watchdeck.faults import FaultCounter
from watchdeck.logs import FailureEvents, FailureLog, fields
from watchdeck.net.server import HttpServer
from watchdeck.store.alerts.external import register_sources
from watchdeck.store.files.connection import Connection
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.worker import StoreWorker

_log = logging.getLogger(__name__)

_INTAKE = FailureEvents(
    "", "external alerts cannot be received", "external alerts can be received", logging.ERROR
)

PUSH_SILENT_AFTER = 150_000
"""Milliseconds without a request after which a Prometheus with open alerts is silent.

Prometheus repeats alerts every minute. If half the validity of an open alert is longer, that half
counts instead.
"""

RETRY_INTERVAL = 10.0
"""Seconds until an intake that could not listen tries again."""


class IntakeService:
    """Receives external alerts; a failure is reported and retried, and does not stop scraping."""

    def __init__(
        self,
        settings: Settings,
        directory: StoreDirectory,
        clock: Clock,
        *,
        retry_after: float = RETRY_INTERVAL,
    ) -> None:
        self._intake = settings.intake
        self._sources = tuple(sources_of(settings))
        self._directory = directory
        self._worker = StoreWorker(directory)
        self._clock = clock
        self._names = source_names(settings)
        self._pollers = {
            one.name: AlertmanagerPoller(one, self._worker, clock) for one in settings.alertmanager
        }
        self._retry_after = retry_after
        self._problem = ""
        self._faults = FaultCounter("the intake")
        self._intake_log = FailureLog(_log, _INTAKE)
        self._port: asyncio.Queue[int] = asyncio.Queue()

    @property
    def problem(self) -> str:
        """Why the alerts of some source cannot be received; empty when all is well."""
        problems = (poller.problem for poller in self._pollers.values())
        return "; ".join(filter(None, (self._problem, self._faults.problem, *problems)))

    @property
    def lasting_fault(self) -> str:
        """The faults that keep it from working; empty without any."""
        polls = (poller.lasting_fault for poller in self._pollers.values())
        return "; ".join(filter(None, (self._faults.lasting, *polls)))

    async def run(self) -> None:
        """Receive from every source until cancelled; without a source, only wait."""
        try:
            await self._register_sources()
            async with asyncio.TaskGroup() as group:
                for name, poller in self._pollers.items():
                    group.create_task(poller.run(), name=f"poll {name}")
                if self._intake is not None:
                    group.create_task(self._serve_intake(self._intake), name="intake")
                await asyncio.Event().wait()
        finally:
            await self._worker.close()

    async def listening(self) -> int:
        """Wait until the intake listens; returns its port."""
        return await self._port.get()

    async def _register_sources(self) -> None:
        while True:
            try:
                await self._worker.run(
                    lambda db: register_sources(db, self._sources, self._clock())
                )
            except StoreError as error:
                self._problem = f"external alerts cannot be received: {clean(str(error), 200)}"
                self._intake_log.record_failure("", problem=error)
                await asyncio.sleep(self._retry_after)
            else:
                self._problem = ""
                self._intake_log.record_success("")
                return

    async def _serve_intake(self, intake: wanted.Intake) -> None:
        auth = IntakeAuth(
            lambda: resolve_secret(intake.token), self._names, _default_source(self._pollers)
        )
        handler = IntakeHandler(
            auth, self._worker, self._clock, self._poll_soon, self._record_change
        )
        server = HttpServer(
            handler.admit,
            handler.handle,
            limit=intake.max_body,
            log_rejection=handler.log_rejection,
        )
        try:
            while True:
                with self._faults.catch():
                    is_listening = await self._listen(server, intake)
                    self._intake_log.record("", self._problem)
                    if is_listening:
                        break
                await asyncio.sleep(self._retry_after)
            await asyncio.Event().wait()
        finally:
            await server.close()

    async def _listen(self, server: HttpServer, intake: wanted.Intake) -> bool:
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
        _log.info("intake listens", extra=fields(address=host, port=chosen))
        self._port.put_nowait(chosen)
        return True

    def _record_change(self, db: Connection, report: ChangeReport, now: int) -> tuple[int, bool]:
        recorded = record_reported(db, self._directory, report, now)
        return recorded.number, recorded.is_repeat

    def _poll_soon(self, source: str) -> bool:
        if source in self._pollers:
            self._pollers[source].poll_soon()
        return source in self._pollers


def sources_of(settings: Settings) -> Iterator[ExternalSource]:
    """Every external source of a configuration, with the time after which it is silent."""
    for asked in settings.alertmanager:
        yield ExternalSource(
            asked.name,
            SourceProtocol.LIST,
            silent_after=2 * asked.every + asked.timeout,
            expected=True,
            hold=max(2 * asked.resend, asked.resolve_timeout),
            deadman=asked.deadman,
            no_data_alerts=asked.no_data_alerts,
            cluster=asked.cluster,
        )
    intake, names = settings.intake, [asked.name for asked in settings.alertmanager]
    if intake is not None:
        yield ExternalSource(
            *(PROMETHEUS, SourceProtocol.POST, PUSH_SILENT_AFTER),
            deadman=intake.deadman,
            no_data_alerts=intake.no_data_alerts,
        )
        yield ExternalSource(EVENTS, SourceProtocol.EVENTS, no_data_alerts=intake.no_data_alerts)
        if _default_source(names) not in names:
            patience = int(intake.silent_after)
            yield ExternalSource(
                *(ALERTMANAGER, SourceProtocol.WEBHOOK, patience),
                deadman=intake.deadman,
                no_data_alerts=intake.no_data_alerts,
            )


def source_names(settings: Settings) -> dict[str, str]:
    """The names of Alertmanagers by the external URL that their webhooks carry."""
    return {
        (asked.external_url or asked.url).rstrip("/"): asked.name for asked in settings.alertmanager
    }


def _default_source(names: Collection[str]) -> str:
    """The source of a webhook with an unknown URL: the only configured one, else `alertmanager`."""
    return next(iter(names)) if len(names) == 1 else ALERTMANAGER
