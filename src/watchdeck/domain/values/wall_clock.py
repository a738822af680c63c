"""Jumps of the wall clock: which times move with it, and which clock deletions go by."""

from msgspec import Struct

STABLE_AFTER = 86_400_000
"""Milliseconds without a jump after which the wall clock is trusted again."""

TOLERANCE = 3_600_000
"""Milliseconds by which the clock may be ahead of what was trusted last: a stop, or drift."""


def shift_earlier_time(at: int, jump: int, now: int) -> int:
    """A time (ms UTC) after the wall clock jumped by `jump` ms to `now`, as far away as before.

    A time later than the clock showed just before the jump was made under another clock, which was
    right: it is returned unchanged.
    """
    return at + jump if at <= now - jump else at


class TrustedClock(Struct):
    """The time that deletions go by: that of the wall clock, unless it jumped ahead of late.

    After a jump, and after a start much later than the last stored time, it goes on from before
    with a monotonic clock. A wall clock that shows less is believed: it deletes nothing too early.
    """

    trusted: int
    """The newest trusted time (ms UTC)."""
    steady: int
    """The monotonic time (ms) of `trusted`."""
    wall: int = 0
    """What the wall clock showed then (ms UTC)."""
    doubted_at: int | None = None
    """The monotonic time (ms) of the newest jump; None when the wall clock is trusted."""

    def now(self, wall: int, steady: int) -> int:
        """The trusted time (ms UTC) at a wall time and a monotonic time (both ms)."""
        passed = steady - self.steady
        expected = self.trusted + passed
        has_jumped = self.wall > 0 and abs(wall - self.wall - passed) > TOLERANCE
        is_much_later = self.wall == 0 and wall - expected > TOLERANCE
        if has_jumped or is_much_later:
            self.doubted_at = steady
        if self.doubted_at is not None and steady - self.doubted_at >= STABLE_AFTER:
            self.doubted_at = None
        self.trusted = wall if self.doubted_at is None else min(wall, expected)
        self.wall, self.steady = wall, steady
        return self.trusted
