"""Detection of clock jumps and pauses: the wall clock compared with one that is never set."""

from msgspec import Struct

from watchdeck.domain.values.format import format_duration

JUMP_THRESHOLD = 2_000
"""Milliseconds between the two clocks beyond which the wall clock was set, and did not drift."""

PAUSE_THRESHOLD = 10_000
"""Milliseconds between two ticks beyond which the machine or the process was asleep."""

JUMP_SHOWN_FOR = 600_000
"""Milliseconds for which screens show a jump."""


class ClockMonitor(Struct):
    """Both clocks at the last tick (ms); `steady` also counts while the machine sleeps."""

    wall: int
    steady: int
    jumped_at: int = 0
    jumped_by: int = 0

    def tick(self, wall: int, steady: int) -> tuple[int, int]:
        """The jump of the wall clock and the pause since the last tick (ms), 0 when negligible."""
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
        """The newest jump in words, for a banner; empty after JUMP_SHOWN_FOR."""
        if not self.jumped_by or self.steady - self.jumped_at > JUMP_SHOWN_FOR:
            return ""
        direction = "ahead" if self.jumped_by > 0 else "back"
        since = format_duration(self.steady - self.jumped_at)
        return (
            f"the clock was set {direction} by {format_duration(abs(self.jumped_by))}, {since} ago"
        )
