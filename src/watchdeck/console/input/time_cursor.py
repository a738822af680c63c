"""The time cursor: the one moment that every panel shows, now or a moment of the past."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

SPEEDS = (1, 5, 15, 60)
"""How many times faster than real time the past may play."""


class TimeCursor(Struct, frozen=True):
    """The moment to show: `at` in the past (ms UTC), or now (live) when `at` is None.

    A playing cursor moves on `speed` times as fast as real time.
    Each method returns a new cursor, which is live when it would reach now.
    """

    at: int | None = None
    speed: int = SPEEDS[0]
    is_playing: bool = False

    def move(self, at: int, now: int) -> TimeCursor:
        """Go to `at` (ms UTC); a playing cursor plays on from there."""
        return replace(self, at=max(0, at)) if at < now else self.go_live()

    def seek(self, at: int, now: int) -> TimeCursor:
        """Go to `at` (ms UTC), and stop playing."""
        return replace(self, is_playing=False).move(at, now)

    def step(self, by: int, step: int, now: int) -> TimeCursor:
        """Go `by` steps of `step` ms, back if negative, to a multiple of `step`; stop playing."""
        if self.at is None and by > 0:
            return self
        here = now if self.at is None else self.at
        rounded = here // step if by > 0 else -(-here // step)
        return self.seek((rounded + by) * step, now)

    def toggle_play(self) -> TimeCursor:
        """Start or stop playing; a live cursor stays as it is."""
        return self if self.at is None else replace(self, is_playing=not self.is_playing)

    def change_speed(self, by: int) -> TimeCursor:
        """Take the next higher speed (`by` 1) or the next lower one (-1)."""
        place = SPEEDS.index(self.speed) + by
        return replace(self, speed=SPEEDS[max(0, min(len(SPEEDS) - 1, place))])

    def advance(self, elapsed: int, now: int) -> TimeCursor:
        """Play on for `elapsed` milliseconds of real time, if the cursor plays."""
        if self.at is None or not self.is_playing:
            return self
        return self.move(self.at + elapsed * self.speed, now)

    def go_live(self) -> TimeCursor:
        """Become live; the speed is kept."""
        return TimeCursor(speed=self.speed)


class PastOffset(Struct, frozen=True):
    """How long ago (ms) the moment shown is, and how fast it plays; `speed` is 0 while paused."""

    ago: int
    speed: int = 0
