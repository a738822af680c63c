"""Delivery: at least once, in order, patient with whoever is down, and never silent when it ends.

A letter is made once, before it is sent for the first time; it has the same id however often it is
sent, and whoever is told may drop what they have had.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from watchdeck.domain.notifications.notification import Notification
from watchdeck.domain.notifications.outbox import OutboxRow
from watchdeck.domain.values.text import clean
from watchdeck.faults import FaultCounter
from watchdeck.notify.outbox_queue import OutboxQueue
from watchdeck.notify.result import DeliveryResult, GiveUp, Notifier, Sent, TryAgain
from watchdeck.store.files.connection import StorageFault

PAUSE = 0.5
"""Seconds between two looks into the outbox."""

PATIENCE = 4 * 3_600_000
"""Milliseconds for which a letter is tried; who is down for longer is an alert of its own."""

_FIRST_WAIT, _LONGEST_WAIT = 2_000, 300_000
"""Milliseconds: waits double from the first to the longest."""

_BURST = 5
"""Letters that a channel may get at once when it had none for a while."""

_MINUTE = 60_000


class Receiver(Struct, frozen=True):
    """Somebody to tell: how, at most how often a minute, and within how many seconds."""

    tell: Notifier
    rate: int = 60
    timeout: float = 10.0


class _ChannelState(Struct):
    """What one channel may still get, and from when on (ms UTC)."""

    credit: float = _BURST
    counted_at: int = 0
    held_until: int = 0
    task: asyncio.Task[None] | None = field(default=None)

    def allows(self, rate: int, now: int) -> bool:
        """Whether one more letter may go at `now`; if so, it counts as gone."""
        earned = max(0, now - self.counted_at) * rate / _MINUTE
        self.credit = min(_BURST, self.credit + earned)
        self.counted_at = now
        if now < self.held_until or self.credit < 1:
            return False
        self.credit -= 1
        return True


class Delivery:
    """Empties the outbox, each channel on its own: one that hangs holds up no other."""

    def __init__(
        self,
        desk: OutboxQueue,
        receivers: Mapping[str, Receiver],
        clock: Callable[[], int],
        chance: random.Random | None = None,
    ) -> None:
        self._desk = desk
        self._receivers = receivers
        self._clock = clock
        self._chance = chance or random.Random()  # noqa: S311 - spreads load, keeps no secret
        self._lines: dict[str, _ChannelState] = {}
        self._problem = ""
        self._faults = FaultCounter("the delivery")

    @property
    def problem(self) -> str:
        """Why nobody can be told; empty when all is well."""
        return self._problem or self._faults.problem

    async def run(self) -> None:
        """Look and send until cancelled; what is under way then is sent again by the next one."""
        try:
            while True:
                with self._faults.catch():
                    await self.look()
                await asyncio.sleep(PAUSE)
        finally:
            for line in self._lines.values():
                if line.task is not None:
                    line.task.cancel()
            await self.settled()

    async def look(self) -> None:
        """Begin to send what is due; returns at once."""
        try:
            for channel in await self._desk.channels(self._clock()):
                line = self._lines.setdefault(channel, _ChannelState())
                if line.task is None or line.task.done():
                    line.task = asyncio.create_task(self._serve(channel, line), name=channel)
            self._problem = ""
        except StorageFault as error:
            self._cannot(error)

    async def settled(self) -> None:
        """Wait for all that is under way."""
        tasks = [line.task for line in self._lines.values() if line.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, channel: str, line: _ChannelState) -> None:
        """Send one channel what is due, letter by letter; what failed holds up its own lanes."""
        behind: set[str] = set()
        receiver = self._receivers.get(channel)
        try:
            for rows in await self._desk.due(channel, self._clock()):
                lanes = {row.lane for row in rows if row.lane}
                if lanes & behind:
                    behind |= lanes
                    continue
                if receiver and not line.allows(receiver.rate, self._clock()):
                    return
                if not await self._deliver(rows, receiver, line):
                    behind |= lanes
        except StorageFault as error:
            self._cannot(error)
        except Exception as error:  # noqa: BLE001 - the next look serves the channel again
            self._faults.record(error)

    async def _deliver(
        self, rows: tuple[OutboxRow, ...], receiver: Receiver | None, line: _ChannelState
    ) -> bool:
        """Send one letter; whether those behind it in its lanes may follow."""
        letter = await self._desk.sealed(rows)
        if letter is None:
            return True
        outcome = await self._outcome(letter, receiver)
        now = self._clock()
        match outcome:
            case Sent():
                await self._desk.sent(letter, now)
            case GiveUp(why):
                await self._desk.gave_up(letter, now, why)
            case TryAgain(why) if now - letter.at >= PATIENCE:
                await self._desk.gave_up(letter, now, f"{why}; tried for {PATIENCE // 3_600_000}h")
            case TryAgain(why, after, hold):
                again_at = now + max(after or 0, self._wait(max(row.attempts for row in rows)))
                line.held_until = again_at if hold else line.held_until
                await self._desk.failed(letter, again_at, why)
                return False
        return True

    async def _outcome(self, letter: Notification, receiver: Receiver | None) -> DeliveryResult:
        """What came of telling it; a mistake of ours is tried again, and holds up nobody else."""
        if receiver is None:
            return GiveUp("no channel of this name is configured")
        try:
            async with asyncio.timeout(receiver.timeout):
                return await receiver.tell(letter)
        except TimeoutError:
            return TryAgain("no answer in time")
        except StorageFault:
            raise
        except Exception as error:  # noqa: BLE001 - a letter that cannot be sent must not end all
            return TryAgain(f"watchdeck could not send it ({type(error).__name__})")

    def _wait(self, attempts: int) -> int:
        """How long until the next try (ms): doubling, and never the same for two letters."""
        longest = min(_LONGEST_WAIT, _FIRST_WAIT << min(attempts, 20))
        return int(longest * self._chance.uniform(0.5, 1.0))

    def _cannot(self, error: Exception) -> None:
        self._problem = f"nobody can be told: {clean(str(error), 300)}"
