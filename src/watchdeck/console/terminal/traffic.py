"""How much goes to the terminal, and how far behind it is."""

from __future__ import annotations

from collections import deque

from msgspec import Struct
from msgspec.structs import replace

_STEADY = 3

WINDOW = 10.0
"""Seconds over which a rate is taken."""


class Traffic(Struct, frozen=True):
    """What was sent so far; `lag` is the last measured way to the terminal and back, in seconds.

    `skipped` counts frames that a newer one overtook, `rate` is bytes a second. Without `held` the
    link takes what comes; `lag` is None on a terminal that never answered. `steady` is the least of
    the last three: one slow answer is a busy moment, not a slow link.
    """

    sent: int = 0
    frames: int = 0
    skipped: int = 0
    rate: float = 0.0
    lag: float | None = None
    held: bool = False
    dropped: int = 0
    steady: float | None = None


class TrafficMeter:
    """Counts; times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._so_far = Traffic()
        self._lags: deque[float] = deque(maxlen=_STEADY)
        self._lately: deque[tuple[float, int]] = deque()

    def sent(self, count: int, now: float) -> None:
        """So many bytes went out."""
        self._so_far = replace(self._so_far, sent=self._so_far.sent + count)
        self._lately.append((now, count))
        self._forget(now)

    def framed(self) -> None:
        """A frame was made."""
        self._so_far = replace(self._so_far, frames=self._so_far.frames + 1)

    def skipped(self) -> None:
        """A frame was not made because the last one is still on its way."""
        self._so_far = replace(self._so_far, skipped=self._so_far.skipped + 1)

    def dropped(self, count: int) -> None:
        """So many bytes were thrown away because nothing moved."""
        self._so_far = replace(self._so_far, dropped=self._so_far.dropped + count)

    def answered(self, lag: float) -> None:
        """The terminal answered after so many seconds."""
        self._lags.append(lag)
        steady = min(self._lags) if len(self._lags) == _STEADY else None
        self._so_far = replace(self._so_far, lag=lag, steady=steady)

    def read(self, now: float, *, held: bool) -> Traffic:
        """The traffic as it is now."""
        self._forget(now)
        rate = sum(count for _, count in self._lately) / WINDOW
        return replace(self._so_far, rate=rate, held=held)

    def _forget(self, now: float) -> None:
        while self._lately and self._lately[0][0] <= now - WINDOW:
            self._lately.popleft()
