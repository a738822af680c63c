"""Two clocks side by side: the one on the wall, which people set, and one that only goes on."""

from __future__ import annotations

from msgspec import Struct

from watchdeck.domain.values.format import format_duration

JUMP = 2_000
"""Milliseconds between the two clocks that are no drift any more: the wall clock was set."""

PAUSE = 10_000
"""Milliseconds without a tick in which nobody collected: a machine that slept, or a process."""

TOLD = 600_000
"""Milliseconds for which a jump is told on screens."""


class ClockMonitor(Struct):
    """What both clocks said at the last tick (ms); `steady` counts while a machine sleeps too."""

    wall: int
    steady: int
    jumped_at: int = 0
    jumped_by: int = 0

    def tick(self, wall: int, steady: int) -> tuple[int, int]:
        """By how much the wall clock jumped since the last tick, and for how long nobody ticked.

        Either is 0 when it is nothing to speak of.
        """
        passed = steady - self.steady
        jump = wall - self.wall - passed
        self.wall, self.steady = wall, steady
        if abs(jump) > JUMP:
            self.jumped_at, self.jumped_by = steady, jump
        return (jump if abs(jump) > JUMP else 0), (passed if passed > PAUSE else 0)

    @property
    def words(self) -> str:
        """The newest jump in words for a banner, for a while; then nothing."""
        if not self.jumped_by or self.steady - self.jumped_at > TOLD:
            return ""
        way = "ahead" if self.jumped_by > 0 else "back"
        since = format_duration(self.steady - self.jumped_at)
        return f"the clock was set {way} by {format_duration(abs(self.jumped_by))}, {since} ago"
