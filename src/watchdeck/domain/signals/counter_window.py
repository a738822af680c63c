"""The rolling window of one endpoint: what its counters did, and how its probes went."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from operator import add, sub

from watchdeck.domain.metrics.series import Series, SeriesType
from watchdeck.domain.signals.functions import UNSUPPORTED, finite_values
from watchdeck.domain.signals.plan import Plan

_HOUR = 3_600_000

_SAME_START = 2.0
"""Seconds by which a process's start may be told differently and still be the same start."""

_REMEMBERED = 1_000
"""Series that left the page and may come back; more are forgotten, the oldest first."""

MINIMUM_PROBES = 10
"""Fewer probes in the hour are no availability."""


def span_of(every: int) -> int:
    """The window for an endpoint that is asked every so many ms: a minute, or six scrapes."""
    return max(60_000, 6 * every)


class CounterWindow:
    """The increases of an endpoint's counters over the last `span_ms`; lives as long as it does.

    Operands are kept as totals since the first scrape, corrected for resets, so that they only
    grow: the increase over any stretch is one subtraction. A counter that went down began again
    from 0. A series that first appears counts from 0, because its process was seen without it; in
    a process that was never seen it starts from its own value.
    """

    __slots__ = ("_gone", "_plan", "_probes", "_raw", "_samples", "_span", "_started", "_totals",
                 "resets")  # fmt: skip

    def __init__(self, span_ms: int) -> None:
        self._span = span_ms
        self._samples: deque[tuple[int, array[float], float]] = deque()
        self._plan: Plan | None = None
        self._raw: array[float] = array("d")
        self._totals: array[float] = array("d")
        self._started: float | None = None
        self._gone: dict[Series, float] = {}
        self._probes = _Probes()
        self.resets = 0

    def probe(self, at: int, good: bool) -> None:  # noqa: FBT001 - reads as a fact: probe(at, True)
        """Remember how the probe of `at` (ms UTC) went, for the availability of the hour."""
        self._probes.add(at, good=good)

    def preload(self, times: Iterable[int], good: Iterable[bool]) -> None:
        """Remember the probes of an earlier run, oldest first."""
        for at, well in zip(times, good, strict=True):
            self._probes.add(at, good=well)

    def availability(self, at: int) -> float:
        """Good probes among all of the hour before `at`; NaN when there are fewer than ten."""
        return self._probes.ratio(at)

    def push(self, plan: Plan, at: int, values: Sequence[float], canaries_sent: float) -> None:
        """Take in the page of `at`; `canaries_sent` counts all that were ever sent.

        A clock that was set back empties the window: no rate can be known across it.
        """
        raw = plan.take(values)
        if self._samples and at <= self._samples[-1][0]:
            self._samples.clear()
        if self._plan is None:
            self._totals = array("d", bytes(8 * len(plan.operands)))
            self._plan, self._raw = plan, array("d", map(_counted, raw))
            self._started = _start(plan, values)
        else:
            if plan is not self._plan:
                self._move(plan)
            self._check_start(plan, values)
            self._grow(plan, raw)
        self._samples.append((at, self._totals, canaries_sent))
        self._forget(at)

    def increases(self) -> tuple[list[float], float, float] | None:
        """The increase of every operand, the seconds they took, the canaries sent in between.

        None until there are two scrapes to compare.
        """
        if len(self._samples) < 2:
            return None
        then, before, sent_before = self._samples[0]
        now, totals, sent = self._samples[-1]
        return list(map(sub, totals, before)), (now - then) / 1_000, max(0.0, sent - sent_before)

    def _forget(self, at: int) -> None:
        """Drop what is older than the window, but keep the scrape that it began with.

        Across a gap of twice the window nothing is compared: that mean would hide the present.
        """
        samples = self._samples
        while samples[0][0] < at - 2 * self._span:
            samples.popleft()
        begin = at - self._span
        while len(samples) > 1 and samples[1][0] <= begin:
            samples.popleft()

    def _grow(self, plan: Plan, raw: Sequence[float]) -> None:
        increases = list(map(sub, raw, self._raw))
        if increases and not (min(increases) >= 0 and sum(increases) < UNSUPPORTED):
            increases, raw = self._mended(plan, raw)
        self._raw = array("d", raw)
        if any(increases):
            folded = increases if plan.plain else _folded(plan, increases)
            self._totals = array("d", map(add, self._totals, folded))

    def _mended(self, plan: Plan, raw: Sequence[float]) -> tuple[list[float], Sequence[float]]:
        """The increases of counters of which some went down, or hold no number."""
        increases, bases, down = [], [], False
        for new, old, series in zip(raw, self._raw, plan.counter_series, strict=True):
            increase, base = _increase(new, old)
            down |= new < old and series.type is not SeriesType.GAUGE
            increases.append(increase)
            bases.append(base)
        self.resets += down
        return increases, bases

    def _check_start(self, plan: Plan, values: Sequence[float]) -> None:
        """Begin again from 0 after a restart, even where the new counters are already larger.

        Another process that was running before the last scrape (behind a load balancer) tells
        nothing about this window: its counters only give a new base.
        """
        started = _start(plan, values)
        before, self._started = self._started, started or self._started
        if started is None or before is None or abs(started - before) <= _SAME_START:
            return
        last = self._samples[-1][0] / 1_000 if self._samples else 0.0
        fresh = started >= last - _SAME_START
        self._raw = array("d", [0.0 if fresh else math.nan]) * len(plan.counters)
        self.resets += fresh

    def _move(self, plan: Plan) -> None:
        """Carry the window over to the layout of a changed page."""
        assert self._plan is not None  # noqa: S101 - push() has set it
        old, self._plan = self._plan, plan
        known = {**self._gone, **dict(zip(old.counter_series, self._raw, strict=True))}
        seen = set(old.layout.series)
        now = plan.counter_series
        self._raw = array("d", [known.get(one, math.nan if one in seen else 0.0) for one in now])
        left = known.keys() - set(now)
        self._gone = {one: raw for one, raw in known.items() if one in left}
        for one in list(self._gone)[:-_REMEMBERED]:
            del self._gone[one]
        if plan.operands != old.operands:
            places = {operand: place for place, operand in enumerate(old.operands)}
            order = [places.get(operand) for operand in plan.operands]
            self._samples = deque((at, _in(order, t), sent) for at, t, sent in self._samples)
            self._totals = _in(order, self._totals)


def _in(order: Sequence[int | None], totals: array[float]) -> array[float]:
    return array("d", [0.0 if place is None else totals[place] for place in order])


def _counted(value: float) -> float:
    """A counter's value, or NaN when it cannot be one: the next value is then its base."""
    return value if 0 <= value < UNSUPPORTED else math.nan


def _increase(new: float, old: float) -> tuple[float, float]:
    """How far a counter went, and the value to compare the next one with."""
    if not 0 <= new < UNSUPPORTED:
        return 0.0, old
    if math.isnan(old):
        return 0.0, new
    return (new - old if new >= old else new), new


def _folded(plan: Plan, increases: list[float]) -> list[float]:
    """The increases of the operands: the layers of every block, summed."""
    found: list[float] = []
    for block in plan.blocks:
        end = block.start + block.layers * block.width
        rows = increases[block.start : end]
        found += (
            rows
            if block.layers == 1
            else [sum(rows[place :: block.width]) for place in range(block.width)]
        )
    return found


def _start(plan: Plan, values: Sequence[float]) -> float | None:
    """When the newest process of the page started, in seconds; None when no page tells."""
    if not plan.started:
        return None
    return max(finite_values(values[place] for place in plan.started), default=None)


class _Probes:
    """The probes of the last hour: a time each, doubled, with the last bit for a good one."""

    __slots__ = ("_begin", "_good", "_marks")

    def __init__(self) -> None:
        self._marks: array[int] = array("q")
        self._begin = 0
        self._good = 0

    def add(self, at: int, *, good: bool) -> None:
        marks = self._marks
        while len(marks) > self._begin and marks[-1] >> 1 > at:
            self._good -= marks.pop() & 1
        marks.append(at << 1 | good)
        self._good += good
        self._drop(at)

    def ratio(self, at: int) -> float:
        self._drop(at)
        count = len(self._marks) - self._begin
        return self._good / count if count >= MINIMUM_PROBES else math.nan

    def _drop(self, at: int) -> None:
        marks, oldest = self._marks, at - _HOUR
        while self._begin < len(marks) and marks[self._begin] >> 1 <= oldest:
            self._good -= marks[self._begin] & 1
            self._begin += 1
        if self._begin > 1_000:
            del marks[: self._begin]
            self._begin = 0
