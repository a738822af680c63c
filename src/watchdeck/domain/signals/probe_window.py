"""The rolling hour of one endpoint's probes, from which its availability follows."""

import math
from array import array
from collections.abc import Iterable

HOUR = 3_600_000

MINIMUM_PROBES = 10
"""With fewer probes in the hour, availability is unknown."""


class ProbeWindow:
    """The probes of the last hour, each as twice its time (ms UTC), plus 1 for a good one."""

    __slots__ = ("_begin", "_good", "_marks")

    def __init__(self) -> None:
        self._marks: array[int] = array("q")
        self._begin = 0
        self._good = 0

    def add(self, at: int, *, good: bool) -> None:
        """Add the result of the probe at `at` (ms UTC)."""
        marks = self._marks
        while len(marks) > self._begin and marks[-1] >> 1 > at:
            self._good -= marks.pop() & 1
        marks.append(at << 1 | good)
        self._good += good
        self._drop(at)

    def preload(self, times: Iterable[int], good: Iterable[bool]) -> None:
        """Add the probe results of an earlier run, oldest first; `times` are in ms UTC."""
        for at, is_good in zip(times, good, strict=True):
            self.add(at, good=is_good)

    def availability(self, at: int) -> float:
        """The share of good probes in the hour before `at` (ms UTC); NaN with fewer than ten."""
        self._drop(at)
        count = len(self._marks) - self._begin
        return self._good / count if count >= MINIMUM_PROBES else math.nan

    def _drop(self, at: int) -> None:
        marks, oldest = self._marks, at - HOUR
        while self._begin < len(marks) and marks[self._begin] >> 1 <= oldest:
            self._good -= marks[self._begin] & 1
            self._begin += 1
        if self._begin > 1_000:
            del marks[: self._begin]
            self._begin = 0
