"""Heartbeats, sent while the collector is well, to an outside service that pages if they stop."""

import asyncio
import logging
from collections.abc import Callable

from watchdeck.domain.settings.receivers import Heartbeat
from watchdeck.domain.values.secret import SecretResolver
from watchdeck.errors import WatchdeckError
from watchdeck.faults import FaultCounter
from watchdeck.logs import FailureEvents, FailureLog
from watchdeck.notify.http_post import HttpSender, ReceiverRequest
from watchdeck.notify.result import Sent, result_of
from watchdeck.notify.webhook import resolve_address

_log = logging.getLogger(__name__)

_ARRIVALS = FailureEvents("", "heartbeat did not arrive", "heartbeats arrive again")
_WITHHELD = FailureEvents(
    "", "heartbeat withheld: the collector is not well", "heartbeats are sent again", logging.ERROR
)


class HeartbeatSender:
    """Sends heartbeats to an address outside, while `collector_problem` returns an empty text."""

    def __init__(
        self,
        heartbeat: Heartbeat,
        http: HttpSender,
        resolve: SecretResolver,
        collector_problem: Callable[[], str],
    ) -> None:
        self._heartbeat = heartbeat
        self._http = http
        self._resolve = resolve
        self._collector_problem = collector_problem
        self._faults = FaultCounter("the sign of life")
        self._problem = ""
        self._arrival_log = FailureLog(_log, _ARRIVALS)
        self._withheld_log = FailureLog(_log, _WITHHELD)

    @property
    def problem(self) -> str:
        """Why the newest heartbeat did not arrive; empty when it did."""
        return self._faults.problem or self._problem

    @property
    def lasting_fault(self) -> str:
        """The fault that keeps it from sending; empty without one."""
        return self._faults.lasting

    async def run(self) -> None:
        """Send a heartbeat at each interval, until cancelled."""
        while True:
            with self._faults.catch():
                await self.send()
            await asyncio.sleep(self._heartbeat.every.seconds)

    async def send(self) -> bool:
        """Send one heartbeat, unless the collector has a problem; returns whether it arrived."""
        withheld = self._collector_problem()
        self._withheld_log.record("", withheld)
        if withheld:
            return False
        try:
            url = resolve_address(self._heartbeat.url, self._resolve)
            response = await self._http.send(ReceiverRequest(url, self._heartbeat.method))
            result = result_of(response, url)
            why = "" if isinstance(result, Sent) else result.why
        except WatchdeckError as error:
            why = str(error)
        self._problem = f"the sign of life did not arrive: {why}" if why else ""
        self._arrival_log.record("", why)
        return not why
