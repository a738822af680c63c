"""Detection of clock jumps and pauses: the wall clock compared with a monotonic clock."""

from msgspec import Struct

from watchdeck.domain.values.format import format_duration

JUMP_THRESHOLD = 2_000
"""Milliseconds by which both clocks must diverge for a jump; a smaller difference is drift."""

PAUSE_THRESHOLD = 10_000
"""Milliseconds between two ticks above which the machine or the process was suspended."""

JUMP_SHOWN_FOR = 600_000
"""Milliseconds for which screens show a jump."""


class ClockMonitor(Struct):
    """Detects jumps of the wall clock, and pauses; holds the times (ms) of the last tick."""

    wall: int
    steady: int
    """A monotonic clock, which also counts while the machine sleeps."""
    jumped_at: int = 0
    """The `steady` time of the newest jump (ms)."""
    jumped_by: int = 0
    """Milliseconds of the newest jump, negative when the clock was set back; 0 without a jump."""

    def tick(self, wall: int, steady: int) -> tuple[int, int]:
        """Store both times; returns the jump of the wall clock and the pause since the last tick.

        Both are in ms, and 0 up to their thresholds; a jump back is negative.
        """
        passed = steady - self.steady
        jump = wall - self.wall - passed
        self.wall, self.steady = wall, steady
        if abs(jump) > JUMP_THRESHOLD:
            self.jumped_at, self.jumped_by = steady, jump
        return (jump if abs(jump) > JUMP_THRESHOLD else 0), (
            passed if passed > PAUSE_THRESHOLD else 0
        )

    @property
    def jump_text(self) -> str:
        """The newest jump in words, for a banner; empty without one in JUMP_SHOWN_FOR."""
        if not self.jumped_by or self.steady - self.jumped_at > JUMP_SHOWN_FOR:
            return ""
        direction = "ahead" if self.jumped_by > 0 else "back"
        since = format_duration(self.steady - self.jumped_at)
        return (
            f"the clock was set {direction} by {format_duration(abs(self.jumped_by))}, {since} ago"
        )
