"""The rolling window of one endpoint: the increases of its counters, and its probe results."""

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
"""Seconds by which two start times may differ and still mean the same process."""

_MOST_DEPARTED = 1_000
"""Series that left the page and are remembered in case they return; the oldest are dropped."""

MINIMUM_PROBES = 10
"""With fewer probes in the hour, availability is unknown."""


def window_length(every: int) -> int:
    """The window's length (ms) for scrapes `every` ms apart: six scrapes, at least a minute."""
    return max(60_000, 6 * every)


class CounterWindow:
    """The increases of an endpoint's counters over the last `span_ms`.

    An operand is a sum of counters that a signal needs. Its total since the first scrape is kept,
    so that its increase over any period is one subtraction. A counter that went down restarted from
    0. A new series counts from 0 when its process was scraped before without it, else from its
    first value.
    """

    __slots__ = ("_departed", "_plan", "_probes", "_raw", "_samples", "_span", "_started",
                 "_totals", "resets")  # fmt: skip

    def __init__(self, span_ms: int) -> None:
        self._span = span_ms
        self._samples: deque[tuple[int, array[float], float]] = deque()
        self._plan: Plan | None = None
        self._raw: array[float] = array("d")
        self._totals: array[float] = array("d")
        self._started: float | None = None
        self._departed: dict[Series, float] = {}
        self._probes = _Probes()
        self.resets = 0

    def add_probe(self, at: int, good: bool) -> None:  # noqa: FBT001 - reads well: add_probe(at, True)
        """Add the result of the probe at `at` (ms UTC); it counts in `availability` for an hour."""
        self._probes.add(at, good=good)

    def preload(self, times: Iterable[int], good: Iterable[bool]) -> None:
        """Add the probe results of an earlier run, oldest first; `times` are in ms UTC."""
        for at, is_good in zip(times, good, strict=True):
            self._probes.add(at, good=is_good)

    def availability(self, at: int) -> float:
        """The share of good probes in the hour before `at` (ms UTC); NaN with fewer than ten."""
        return self._probes.ratio(at)

    def push(self, plan: Plan, at: int, values: Sequence[float], canaries_sent: float) -> None:
        """Add the page read at `at` (ms UTC); `canaries_sent` is the total since the start.

        A clock that was set back empties the window: there is no rate across such a change.
        """
        raw = plan.counter_values(values)
        if self._samples and at <= self._samples[-1][0]:
            self._samples.clear()
        if self._plan is None:
            self._totals = array("d", bytes(8 * len(plan.operands)))
            self._plan, self._raw = plan, array("d", map(_counter_value, raw))
            self._started = _process_start(plan, values)
        else:
            if plan is not self._plan:
                self._change_plan(plan)
            self._check_restart(plan, values)
            self._add_increases(plan, raw)
        self._samples.append((at, self._totals, canaries_sent))
        self._drop_old(at)

    def increases(self) -> tuple[list[float], float, float] | None:
        """The increase of each operand in the window, the window's length (s) and canaries sent.

        None until the window has two scrapes.
        """
        if len(self._samples) < 2:
            return None
        then, before, sent_before = self._samples[0]
        now, totals, sent = self._samples[-1]
        return list(map(sub, totals, before)), (now - then) / 1_000, max(0.0, sent - sent_before)

    def _drop_old(self, at: int) -> None:
        """Drop scrapes older than the window, except the one at its beginning.

        After a gap of twice the window, all older ones go: a mean across it would hide the present.
        """
        samples = self._samples
        while samples[0][0] < at - 2 * self._span:
            samples.popleft()
        begin = at - self._span
        while len(samples) > 1 and samples[1][0] <= begin:
            samples.popleft()

    def _add_increases(self, plan: Plan, raw: Sequence[float]) -> None:
        increases = list(map(sub, raw, self._raw))
        if increases and not (min(increases) >= 0 and sum(increases) < UNSUPPORTED):
            increases, raw = self._correct_resets(plan, raw)
        self._raw = array("d", raw)
        if any(increases):
            sums = increases if plan.has_plain_operands else _sum_blocks(plan, increases)
            self._totals = array("d", map(add, self._totals, sums))

    def _correct_resets(
        self, plan: Plan, raw: Sequence[float]
    ) -> tuple[list[float], Sequence[float]]:
        """The increases and new bases of counters when some went down or are not numbers."""
        increases, bases, down = [], [], False
        for new, old, series in zip(raw, self._raw, plan.counter_series, strict=True):
            increase, base = _increase(new, old)
            down |= new < old and series.type is not SeriesType.GAUGE
            increases.append(increase)
            bases.append(base)
        self.resets += down
        return increases, bases

    def _check_restart(self, plan: Plan, values: Sequence[float]) -> None:
        """Count from 0 after a restart, even when the new counters are already larger.

        A different process that already ran at the last scrape (behind a load balancer) gives only
        a new base: its counters say nothing about this window.
        """
        started = _process_start(plan, values)
        before, self._started = self._started, started or self._started
        if started is None or before is None or abs(started - before) <= _SAME_START:
            return
        last = self._samples[-1][0] / 1_000 if self._samples else 0.0
        fresh = started >= last - _SAME_START
        self._raw = array("d", [0.0 if fresh else math.nan]) * len(plan.counters)
        self.resets += fresh

    def _change_plan(self, plan: Plan) -> None:
        """Carry the window over to the plan of a changed page."""
        assert self._plan is not None  # noqa: S101 - push() has set it
        old, self._plan = self._plan, plan
        known = {**self._departed, **dict(zip(old.counter_series, self._raw, strict=True))}
        seen = set(old.layout.series)
        now = plan.counter_series
        self._raw = array("d", [known.get(one, math.nan if one in seen else 0.0) for one in now])
        left = known.keys() - set(now)
        self._departed = {one: raw for one, raw in known.items() if one in left}
        for one in list(self._departed)[:-_MOST_DEPARTED]:
            del self._departed[one]
        if plan.operands != old.operands:
            positions = {operand: position for position, operand in enumerate(old.operands)}
            order = [positions.get(operand) for operand in plan.operands]
            self._samples = deque((at, _reorder(order, t), sent) for at, t, sent in self._samples)
            self._totals = _reorder(order, self._totals)


def _reorder(order: Sequence[int | None], totals: array[float]) -> array[float]:
    return array("d", [0.0 if place is None else totals[place] for place in order])


def _counter_value(value: float) -> float:
    """The value of a counter; NaN for an impossible one, and the next value is then the base."""
    return value if 0 <= value < UNSUPPORTED else math.nan


def _increase(new: float, old: float) -> tuple[float, float]:
    """The increase of a counter, and the base for the next increase."""
    if not 0 <= new < UNSUPPORTED:
        return 0.0, old
    if math.isnan(old):
        return 0.0, new
    return (new - old if new >= old else new), new


def _sum_blocks(plan: Plan, increases: list[float]) -> list[float]:
    """The increases of the operands: the rows of every block, summed."""
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


def _process_start(plan: Plan, values: Sequence[float]) -> float | None:
    """The start of the newest process of a page, in seconds UTC; None when the page has none."""
    if not plan.started:
        return None
    return max(finite_values(values[place] for place in plan.started), default=None)


class _Probes:
    """The probes of the last hour, each as twice its time (ms UTC), plus 1 for a good one."""

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
