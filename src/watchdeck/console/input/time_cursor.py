"""The one moment that every panel shows: now, or a moment of the past that may run."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

SPEEDS = (1, 5, 15, 60)
"""How many times faster than life the past may run."""


class TimeCursor(Struct, frozen=True):
    """Without `at` (ms UTC) it is live; `playing` moves it, `speed` times as fast as life.

    Whatever brings it to now makes it live: the future cannot be shown.
    """

    at: int | None = None
    speed: int = SPEEDS[0]
    playing: bool = False

    def moved(self, at: int, now: int) -> TimeCursor:
        """At another moment, as fast as before."""
        return replace(self, at=max(0, at)) if at < now else self.live()

    def sought(self, at: int, now: int) -> TimeCursor:
        """At another moment, standing."""
        return replace(self, playing=False).moved(at, now)

    def stepped(self, by: int, step: int, now: int) -> TimeCursor:
        """At a round moment, so many steps of `step` ms on or back; it stands then."""
        if self.at is None and by > 0:
            return self
        here = now if self.at is None else self.at
        rounded = here // step if by > 0 else -(-here // step)
        return self.sought((rounded + by) * step, now)

    def toggled(self) -> TimeCursor:
        """Running or standing; what is live runs by itself."""
        return self if self.at is None else replace(self, playing=not self.playing)

    def hurried(self, by: int) -> TimeCursor:
        """At the next speed, or the one before."""
        place = SPEEDS.index(self.speed) + by
        return replace(self, speed=SPEEDS[max(0, min(len(SPEEDS) - 1, place))])

    def played(self, elapsed: int, now: int) -> TimeCursor:
        """After so many milliseconds of life."""
        if self.at is None or not self.playing:
            return self
        return self.moved(self.at + elapsed * self.speed, now)

    def live(self) -> TimeCursor:
        """At now again."""
        return TimeCursor(speed=self.speed)


class PastOffset(Struct, frozen=True):
    """What is told of the moment that is shown: how long ago (ms) it was, and how fast it runs.

    `speed` is 0 while it stands.
    """

    ago: int
    speed: int = 0
