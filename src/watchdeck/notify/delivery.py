"""Delivery of the outbox: at least once, in order, with retries; each loss raises an alert.

A notification is built once, before its first attempt. Every attempt has the same id, so that a
receiver may drop a duplicate.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field

from watchdeck.domain.notifications.outbox import Notification, OutboxRow, build_notification
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreError
from watchdeck.faults import FaultCounter
from watchdeck.logs import FailureEvents, FailureLog
from watchdeck.notify.result import (
    LONGEST_WAIT,
    DeliveryResult,
    GiveUp,
    Notifier,
    Sent,
    TryAgain,
)
from watchdeck.store.alerts.outbox import (
    freeze_group,
    mark_failed,
    mark_given_up,
    mark_sent,
    read_due,
    read_due_channels,
)
from watchdeck.store.worker import StoreWorker

_log = logging.getLogger(__name__)

_CHANNELS = FailureEvents("channel", "channel fails", "channel works again")
_GIVEN_UP = FailureEvents("channel", "notification given up", level=logging.ERROR)

POLL_INTERVAL = 0.5
"""Seconds between two reads of the outbox."""

GIVE_UP_AFTER = 4 * 3_600_000
"""Milliseconds for which a notification is retried; then an alert reports it as lost."""

_FIRST_WAIT = 2_000
"""Milliseconds: waits double from this one to LONGEST_WAIT."""

_BURST = 5
"""Limit of notifications that an idle channel gets at once."""

_MAX_ROWS = 2_000
"""Limit of rows of one channel that are read at once; a larger group becomes two notifications."""

_MINUTE = 60_000


class Receiver(Struct, frozen=True):
    """A channel, ready to send: at most `rate` notifications a minute, each within `timeout` s."""

    notifier: Notifier
    rate: int = 60
    timeout: float = 10.0
    type: str = ""
    """The type of the channel, for the log."""


class _ChannelState(Struct):
    """The rate limit of one channel (a token bucket), and the task that sends to it."""

    tokens: float = _BURST
    refilled_at: int = 0
    held_until: int = 0
    task: asyncio.Task[None] | None = field(default=None)

    def take_token(self, rate: int, now: int) -> bool:
        """Whether the channel may send a notification now; if so, takes a token of its limit."""
        earned = max(0, now - self.refilled_at) * rate / _MINUTE
        self.tokens = min(_BURST, self.tokens + earned)
        self.refilled_at = now
        if now < self.held_until or self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Delivery:
    """Sends the due rows of the outbox, in a task for each channel: a slow one delays no other.

    `worker` accesses the store for this Delivery alone: only one may decide which rows are sent
    together.
    """

    def __init__(
        self,
        worker: StoreWorker,
        receivers: Mapping[str, Receiver],
        clock: Callable[[], int],
        jitter: random.Random | None = None,
    ) -> None:
        self._worker = worker
        self._receivers = receivers
        self._clock = clock
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads load, keeps no secret
        self._channels: dict[str, _ChannelState] = {}
        self._problem = ""
        self._failing: dict[str, str] = {}
        self._faults = FaultCounter("the delivery")
        self._channel_log = FailureLog(_log, _CHANNELS)
        self._given_up_log = FailureLog(_log, _GIVEN_UP)

    @property
    def problem(self) -> str:
        """Why nothing can be sent, or which channels fail; empty when all is well."""
        failing = (f"{name} fails: {why}" for name, why in sorted(self._failing.items()))
        return "; ".join(filter(None, (self._problem, self._faults.problem, *failing)))

    @property
    def lasting_fault(self) -> str:
        """The fault of our own code that keeps the delivery from working; empty without one."""
        return self._faults.lasting

    async def run(self) -> None:
        """Send due rows of the outbox until cancelled; an attempt cut off is made again later."""
        try:
            while True:
                with self._faults.catch():
                    await self.send_due()
                await asyncio.sleep(POLL_INTERVAL)
        finally:
            for state in self._channels.values():
                if state.task is not None:
                    state.task.cancel()
            await self.wait_until_idle()

    async def send_due(self) -> None:
        """Start a task for each idle channel that has due rows, and do not wait for these tasks."""
        now = self._clock()
        try:
            for channel in await self._worker.run(lambda db: read_due_channels(db, now)):
                state = self._channels.setdefault(channel, _ChannelState())
                if state.task is None or state.task.done():
                    state.task = asyncio.create_task(self._send_all(channel, state), name=channel)
            self._problem = ""
        except StoreError as error:
            self._set_problem(error)

    async def wait_until_idle(self) -> None:
        """Wait until no task is sending to a channel."""
        tasks = [state.task for state in self._channels.values() if state.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_all(self, channel: str, state: _ChannelState) -> None:
        """Send the due rows of one channel in order; a failure blocks its ordering keys."""
        blocked: set[str] = set()
        receiver, now = self._receivers.get(channel), self._clock()
        try:
            due = await self._worker.run(lambda db: read_due(db, now, _MAX_ROWS, channel))
            for rows in group_rows(due):
                keys = {row.ordering_key for row in rows if row.ordering_key}
                if keys & blocked:
                    blocked |= keys
                    continue
                if receiver and not state.take_token(receiver.rate, self._clock()):
                    return
                if not await self._deliver(rows, receiver, state):
                    blocked |= keys
        except StoreError as error:
            self._set_problem(error)
        except Exception as error:  # noqa: BLE001 - the next poll serves the channel again
            self._faults.record(error)

    async def _deliver(
        self, rows: tuple[OutboxRow, ...], receiver: Receiver | None, state: _ChannelState
    ) -> bool:
        """Send one notification, and store the result; False when its ordering keys must wait."""
        notification = await self._freeze(rows)
        if notification is None:
            return True
        result = await attempt(receiver, notification)
        kind = receiver.type if receiver else ""
        self._log_result(notification, kind, result)
        numbers, now = notification.rows, self._clock()
        write = self._worker.run_in_transaction
        match result:
            case Sent():
                await write(lambda db: mark_sent(db, numbers, now))
            case TryAgain(why, after, hold) if now - notification.at < GIVE_UP_AFTER:
                again_at = now + max(
                    min(after or 0, LONGEST_WAIT), self._wait(max(row.attempts for row in rows))
                )
                state.held_until = again_at if hold else state.held_until
                await write(lambda db: mark_failed(db, numbers, again_at, why))
                return False
            case TryAgain(why):
                reason = f"{why}; tried for {GIVE_UP_AFTER // 3_600_000}h"
                self._log_given_up(notification, kind, reason)
                await write(lambda db: mark_given_up(db, numbers, now, reason))
            case GiveUp(why):
                self._log_given_up(notification, kind, why)
                await write(lambda db: mark_given_up(db, numbers, now, why))
        return True

    def _log_result(self, notification: Notification, kind: str, result: DeliveryResult) -> None:
        if isinstance(result, Sent):
            self._failing.pop(notification.channel, None)
        else:
            self._failing[notification.channel] = clean(result.why, 120)
        if isinstance(result, TryAgain):
            self._channel_log.record_failure(
                notification.channel, type=kind, problem=result.why, notification=notification.id
            )
        elif isinstance(result, Sent):
            self._channel_log.record_success(notification.channel, type=kind)

    def _log_given_up(self, notification: Notification, kind: str, why: str) -> None:
        self._given_up_log.record_failure(
            notification.channel,
            type=kind,
            problem=why,
            alerts=len(notification.alerts),
            notification=notification.id,
        )

    async def _freeze(self, rows: tuple[OutboxRow, ...]) -> Notification | None:
        """Close a group of rows, so that no later row joins it, and build its notification.

        Rows that were cancelled meanwhile are left out; None when no row is left.
        """
        first = rows[0]
        group = first.group if "#" in first.group else f"{first.group}#{first.id}"
        frozen = await self._worker.run_in_transaction(
            lambda db: freeze_group(db, (row.id for row in rows), group)
        )
        left = [row for row in rows if row.id in frozen]
        return build_notification(group, left) if left else None

    def _wait(self, attempts: int) -> int:
        """Milliseconds until the next attempt: doubled each time, with jitter to spread retries."""
        longest = min(LONGEST_WAIT, _FIRST_WAIT << min(attempts, 20))
        return int(longest * self._jitter.uniform(0.5, 1.0))

    def _set_problem(self, error: Exception) -> None:
        self._problem = f"nobody can be told: {clean(str(error), 300)}"


async def attempt(receiver: Receiver | None, notification: Notification) -> DeliveryResult:
    """Send a notification once; an error of our own code is a failure like others."""
    if receiver is None:
        return GiveUp("no channel of this name is configured")
    try:
        async with asyncio.timeout(receiver.timeout):
            return await receiver.notifier(notification)
    except TimeoutError:
        return TryAgain("no answer in time")
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - one notification must not end the loop
        return TryAgain(f"watchdeck could not send it ({type(error).__name__})")


def group_rows(rows: Iterable[OutboxRow]) -> list[tuple[OutboxRow, ...]]:
    """Group rows that are sent as one notification, the group with the oldest row first."""
    groups: dict[str, list[OutboxRow]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        groups.setdefault(row.group or f"#{row.id}", []).append(row)
    return [tuple(group) for group in groups.values()]
