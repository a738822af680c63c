"""Notifications from memory while the store cannot be written, so that nobody hears nothing.

All other messages go through the outbox, which is a part of the store.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from watchdeck.domain.notifications.outbox import OVER, Notification, notification_of_outage
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.units import Clock
from watchdeck.faults import FaultCounter
from watchdeck.logs import FailureEvents, FailureLog
from watchdeck.notify.delivery import Receiver, attempt
from watchdeck.notify.result import Sent

_log = logging.getLogger(__name__)

_ATTEMPTS = FailureEvents("channel", "channel fails", "channel works again")

CHECK_INTERVAL = 5.0
"""Seconds between two looks at the store's problem."""

TELL_AFTER = 30_000
"""Milliseconds for which the store must not be writable before anybody is told."""

RULE = "store-unwritten"
"""The rule of the collector itself that would report it through the store."""


class StoreOutageNotifier:
    """Tells the channels of severity 1 that the store cannot be written, and when it can again.

    Args:
        problem: Why the store cannot be written; empty when it can.
        failing: The models whose scrapes fail now, with the reason of each.
        steady: A monotonic clock (ms).
    """

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        routing: Routing,
        clock: Clock,
        steady: Clock,
        problem: Callable[[], str],
        failing: Callable[[], Mapping[str, str]],
    ) -> None:
        self._receivers = receivers
        self._routing = routing
        self._clock, self._steady = clock, steady
        self._problem = problem
        self._failing = failing
        self._since: int | None = None
        self._sent: dict[str, frozenset[str]] = {}
        self._number = ""
        self._faults = FaultCounter("telling of the store")
        self._log = FailureLog(_log, _ATTEMPTS)

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            with self._faults.catch():
                await self.check()
            await asyncio.sleep(CHECK_INTERVAL)

    async def check(self) -> None:
        """Send what is to be said now; a channel that fails is tried again at the next check.

        A channel is told once, and again when another model begins to fail meanwhile.
        """
        problem, now = self._problem(), self._steady()
        if not problem:
            await self._send_end()
            return
        self._since = now if self._since is None else self._since
        if now - self._since < TELL_AFTER:
            return
        self._number = self._number or f"store-outage/{self._clock()}"
        failing = dict(self._failing())
        for channel in self._channels():
            if (
                frozenset(failing) - self._sent.get(channel, frozenset())
                or channel not in self._sent
            ):
                await self._send(channel, problem, failing)

    def _channels(self) -> list[str]:
        """The channels that a page of the rule `RULE` would go to now."""
        now = self._clock()
        labels = {"rule": RULE, "severity": "1", "source": "watchdeck", "model": ""}
        routes = self._routing.matching_routes(labels, Severity.CRITICAL, now)
        names = [name for route in routes for name in route.to]
        return [name for name in self._routing.find_channels(names, now) if name in self._receivers]

    async def _send(self, channel: str, problem: str, failing: Mapping[str, str]) -> None:
        count = len(self._sent.get(channel, ()))
        number = f"{self._number}/{count}" if count else self._number
        notification = notification_of_outage(number, channel, problem, failing, self._clock())
        if await self._attempt(notification):
            self._sent[channel] = self._sent.get(channel, frozenset()) | frozenset(failing)

    async def _send_end(self) -> None:
        self._since = None
        for channel in list(self._sent):
            number = f"{self._number}{OVER}"
            notification = notification_of_outage(number, channel, "", {}, self._clock())
            if await self._attempt(notification):
                del self._sent[channel]
        if not self._sent:
            self._number = ""

    async def _attempt(self, notification: Notification) -> bool:
        receiver = self._receivers[notification.channel]
        result = await attempt(receiver, notification)
        problem = "" if isinstance(result, Sent) else result.why
        self._log.record(notification.channel, problem)
        return not problem
