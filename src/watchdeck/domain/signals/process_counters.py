"""The counters of one process: their totals since it was first seen, over the last hour."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import takewhile
from operator import add, lt, sub
from typing import NamedTuple

from watchdeck.domain.metrics.series import SeriesKey, series_key
from watchdeck.domain.signals.functions import UNSUPPORTED
from watchdeck.domain.signals.plan import Increases, Plan

HOUR = 3_600_000

_MOST_DEPARTED = 1_000
"""Series that left the page and are remembered in case they return; the oldest are dropped."""

_OLDER_STEP = 60_000
"""Milliseconds between two samples that are kept for a window that grows."""

_ROUNDING = 1 - 1e-9
"""A counter that falls by less than this share was only rounded in another way."""


_LEAP, _LEAP_FACTOR = 1_000, 100
"""Events between two pages, in all and as a multiple of the usual, that are a leap."""

_RESTART_SHARE, _FEW_EVENTS = 0.1, 50
"""The share of the former value, and the number, up to which a counter may have restarted."""


class CounterSample(NamedTuple):
    """The totals of all operands at `at` (ms UTC), and the canaries sent until then."""

    at: int
    totals: array[float]
    canaries: float


class Departure(NamedTuple):
    """A counter of an operand that left the page at `at` (ms UTC)."""

    at: int
    operand: object


class ProcessStep(Enum):
    """How the counters of one page follow on those of the page before."""

    RISE = "rise"
    LEAP = "leap"
    """They rose so much more than before that the page may be that of another process."""
    RESTART = "restart"
    """Some fell to so little that they can have begun again from 0."""
    OTHER_PROCESS = "other process"
    """Some fell, to more than can have been counted since the last page."""


class ProcessCounters:
    """The counters of one server process, as its pages told them.

    An operand is a sum of counters that a signal needs. Its total since the first page is kept, so
    that its increase over any period is one subtraction. A new series counts from 0 when the page
    was read before without it, else from its first value.

    While a counter of an operand is absent from the page, the operand is unknown, for as long as
    the usual window. When the counter returns, the operand is known from then on. While the page
    has a counter whose value is not a count, the operand is unknown for as long.
    """

    __slots__ = (
        "_absent",
        "_begins",
        "_departed",
        "_has_restarted",
        "_invalid",
        "_known_from",
        "_leap",
        "_older",
        "_raw",
        "_recent",
        "_totals",
        "_usual_step",
        "pages",
        "plan",
    )

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.pages = 0
        self._raw: array[float] = array("d")
        self._totals: array[float] = array("d")
        self._recent: deque[CounterSample] = deque()
        self._older: list[CounterSample] = []
        self._departed: dict[SeriesKey, Departure] = {}
        self._absent: frozenset[object] = frozenset()
        self._invalid: frozenset[object] = frozenset()
        self._known_from: dict[object, int] = {}
        self._usual_step = self._leap = 0.0
        self._begins: list[CounterSample] | None = None
        self._has_restarted = False

    @property
    def samples(self) -> int:
        """The number of samples in the usual window."""
        return len(self._recent)

    @property
    def newest(self) -> int:
        """When the newest page was read (ms UTC); 0 before the first."""
        return self._recent[-1].at if self._recent else 0

    @property
    def has_gap(self) -> bool:
        """Whether the increase of an operand is unknown in the usual window."""
        if self._invalid or self._absent:
            return True
        return bool(self._known_from and self._recent) and (
            max(self._known_from.values()) > self._recent[0].at
        )

    def clear(self) -> None:
        """Forget all samples: nothing is compared with the time before."""
        self._recent.clear()
        self._older.clear()
        self._begins = None
        self.pages = 0

    def begin_from_zero(self) -> None:
        """Take the next page as that of a process which started after the last page."""
        self._raw = array("d", bytes(8 * len(self._raw)))
        self._departed.clear()
        self._known_from.clear()
        self._has_restarted = True

    def falls(self, plan: Plan, raw: Sequence[float]) -> bool:
        """Whether a counter of a page is lower than on the page before."""
        pairs = self._pairs(plan, raw)
        return any(new < old * _ROUNDING for new, old in pairs)

    def compare(self, plan: Plan, raw: Sequence[float]) -> ProcessStep:
        """How the counters of a page follow on those of the page before."""
        if plan is self.plan and not any(map(lt, raw, self._raw)):
            before = self._raw
            return self._rise(sum(raw[place] - before[place] for place in plan.event_counters))
        pairs = [(new, old) for new, old in self._pairs(plan, raw) if not math.isnan(new - old)]
        fallen = [(new, old) for new, old in pairs if new < old * _ROUNDING]
        if not fallen:
            return self._rise(sum(new - old for new, old in self._pairs(plan, raw, events=True)))
        now, before = (sum(values) for values in zip(*fallen, strict=True))
        is_restart = now <= max(_RESTART_SHARE * before, 5 * self._usual_step, _FEW_EVENTS)
        return ProcessStep.RESTART if is_restart else ProcessStep.OTHER_PROCESS

    def _rise(self, step: float) -> ProcessStep:
        """Whether a rise by so many events is a leap; two alike in a row are a busy server."""
        before, self._leap = self._leap, 0.0
        if math.isnan(step):
            return ProcessStep.RISE
        if (
            step > max(_LEAP, _LEAP_FACTOR * self._usual_step)
            and not before / 3 <= step < 3 * before
        ):
            self._leap = step
            return ProcessStep.LEAP
        self._usual_step = max(step, 0.9 * self._usual_step)
        return ProcessStep.RISE

    def _pairs(
        self, plan: Plan, raw: Sequence[float], *, events: bool = False
    ) -> Iterable[tuple[float, float]]:
        """The new and the former value of each counter, or event, that both pages have."""
        if self.plan is None:
            return ()
        places = plan.event_counters if events else range(len(raw))
        if plan is self.plan:
            return ((raw[place], self._raw[place]) for place in places)
        before = dict(zip(self.plan.counter_keys, self._raw, strict=True))
        series = plan.counter_keys
        return ((raw[place], before[series[place]]) for place in places if series[place] in before)

    def add_page(
        self, plan: Plan, at: int, raw: Sequence[float], canaries: float, span: int
    ) -> None:
        """Add the counters of a page read at `at` (ms UTC); the usual window has `span` ms."""
        if self.plan is None:
            self.plan, self._raw = plan, array("d", map(_counter_value, raw))
            self._totals = array("d", bytes(8 * len(plan.operands)))
            self._invalid = _operands_without_count(plan, self._raw)
        else:
            if plan is not self.plan:
                self._change_plan(plan, at)
            self._add_increases(plan, raw, at)
        self._has_restarted = False
        self._absent = self._absent_operands(at - span) if self._departed else frozenset()
        self._recent.append(CounterSample(at, self._totals, canaries))
        self._begins = None
        self.pages += 1
        self._drop_old(at, span)

    def since(self, length: int) -> CounterSample | None:
        """The newest sample that is at least `length` ms older than the newest of all.

        When none is that old, the oldest; None without two samples.
        """
        limit = self.newest - length
        best = None
        for sample in reversed(self._recent):
            best = sample
            if sample.at <= limit:
                break
        else:
            older = next((one for one in reversed(self._older) if one.at <= limit), None)
            best = older or (self._older[0] if self._older else best)
        return None if best is None or best.at == self.newest else best

    def begins(self) -> list[CounterSample]:
        """The samples at which a window may begin, the shortest first: the usual one, then older.

        Without a sample in the usual window there are only older ones.
        """
        if self._begins is None:
            usual = [self._recent[0]] if len(self._recent) > 1 else []
            self._begins = usual + self._older[::-1]
        return self._begins

    def increases_since(self, begin: CounterSample) -> Increases:
        """The increase of each operand since a sample; NaN where a counter was absent since."""
        last = self._recent[-1]
        values = list(map(sub, last.totals, begin.totals))
        unknown = self._absent | self._invalid
        if self._known_from or unknown:
            assert self.plan is not None  # noqa: S101 - a page was added
            for place, operand in enumerate(self.plan.operands):
                if operand in unknown or self._known_from.get(operand, 0) > begin.at:
                    values[place] = math.nan
        seconds = (last.at - begin.at) / 1_000
        return Increases(values, seconds, max(0.0, last.canaries - begin.canaries))

    def find_begin(
        self, operand: int, minimum: float, *, canaries: bool = False
    ) -> CounterSample | None:
        """The newest sample since which an operand had `minimum` events; None without one.

        Totals only rise, so that the oldest sample tells at once when none has as many.
        """
        begins = self.begins()
        if not begins:
            return None
        last = self._recent[-1]
        least = last.totals[operand] - minimum
        if canaries:
            least -= max(0.0, last.canaries - begins[-1].canaries)
        if begins[-1].totals[operand] > least:
            return None
        return next((one for one in begins if one.totals[operand] <= least), None)

    def _drop_old(self, at: int, span: int) -> None:
        """Move samples older than the usual window to the older ones; drop those over an hour.

        The usual window never spans a gap: a mean across an outage would hide the present. Of the
        older samples, two are never closer than a third of their age, so that about fifteen stay.
        """
        recent, older = self._recent, self._older
        while len(recent) > 1 and recent[1].at <= at - span:
            self._keep_older(recent.popleft())
        if len(recent) > 1 and recent[0].at < at - 1.5 * span:
            self._keep_older(recent.popleft())
        while older and older[0].at < at - HOUR:
            del older[0]
        if self._known_from:
            still = {key: since for key, since in self._known_from.items() if since > at - HOUR}
            self._known_from = still

    def _keep_older(self, sample: CounterSample) -> None:
        older = self._older
        if older and sample.at - older[-1].at < _OLDER_STEP:
            return
        older.append(sample)
        for place in range(len(older) - 2, 0, -1):
            if older[place + 1].at - older[place - 1].at < (sample.at - older[place].at) / 3:
                del older[place]

    def _absent_operands(self, since: int) -> frozenset[object]:
        """The operands of which a counter left the page after `since` (ms UTC)."""
        recent = takewhile(lambda one: one.at > since, reversed(self._departed.values()))
        return frozenset(departure.operand for departure in recent)

    def _add_increases(self, plan: Plan, raw: Sequence[float], at: int) -> None:
        increases = list(map(sub, raw, self._raw))
        self._invalid = _NO_OPERANDS
        if increases and not (min(increases) >= 0 and sum(increases) < UNSUPPORTED):
            increases, raw = self._correct(plan, raw, at)
            self._invalid = _operands_without_count(plan, raw)
        self._raw = array("d", raw)
        if any(increases):
            sums = increases if plan.has_plain_operands else _sum_blocks(plan, increases)
            self._totals = array("d", map(add, self._totals, sums))

    def _correct(
        self, plan: Plan, raw: Sequence[float], at: int
    ) -> tuple[list[float], Sequence[float]]:
        """The increases and new bases of counters of which some fell, are absent, or not numbers.

        The operand of such a counter is known only in windows that begin at `at` or later.
        """
        increases, bases = [], []
        for place, (new, old) in enumerate(zip(raw, self._raw, strict=True)):
            is_count = 0 <= new < UNSUPPORTED
            rises = is_count and new >= old
            increases.append(new - old if rises else 0.0)
            bases.append(new if is_count else math.nan)
            if not (rises or (is_count and new >= old * _ROUNDING)):
                self._note_gap(plan, place, at, is_absent=not is_count, was_absent=old != old)  # noqa: PLR0124
        return increases, bases

    def _note_gap(
        self, plan: Plan, counter: int, at: int, *, is_absent: bool, was_absent: bool
    ) -> None:
        """Note that a counter is absent, has returned or fell at `at` (ms UTC)."""
        series, operand = plan.counter_keys[counter], plan.counter_operands[counter]
        if is_absent and was_absent:
            return
        self._known_from[operand] = at
        if is_absent:
            self._departed[series] = Departure(at, operand)
        else:
            self._departed.pop(series, None)

    def _change_plan(self, plan: Plan, at: int) -> None:
        """Carry the counters over to the plan of a changed page.

        What a process that restarted does not show is not gone: it begins at 0 when it comes.
        """
        assert self.plan is not None  # noqa: S101 - only called with a page before
        old, self.plan = self.plan, plan
        before = dict(zip(old.counter_keys, self._raw, strict=True))
        seen = frozenset() if self._has_restarted else frozenset(map(series_key, old.layout.series))
        bases = []
        for one in plan.counter_keys:
            is_new = one not in seen and one not in self._departed
            bases.append(before.get(one, 0.0 if is_new else math.nan))
        self._raw = array("d", bases)
        if not self._has_restarted:
            self._note_departures(old, plan, at)
        if plan.operands != old.operands:
            order = operand_order(old, plan)
            self._recent = deque(_reorder_sample(order, one) for one in self._recent)
            self._older = [_reorder_sample(order, one) for one in self._older]
            self._totals = reorder(order, self._totals)

    def _note_departures(self, old: Plan, new: Plan, at: int) -> None:
        still = set(new.counter_keys)
        for one, operand in zip(old.counter_keys, old.counter_operands, strict=True):
            if one not in still and one not in self._departed:
                self._departed[one] = Departure(at, operand)
                self._known_from[operand] = at
        for one in list(self._departed)[:-_MOST_DEPARTED]:
            del self._departed[one]


_NO_OPERANDS: frozenset[object] = frozenset()


def _operands_without_count(plan: Plan, bases: Sequence[float]) -> frozenset[object]:
    """The operands with a counter whose value on the page is not a count."""
    pairs = zip(plan.counter_operands, bases, strict=True)
    return frozenset(operand for operand, base in pairs if math.isnan(base))


def operand_order(old: Plan, new: Plan) -> list[int | None]:
    """For each operand of a plan, its place in an older plan; None when that has none."""
    places = {operand: place for place, operand in enumerate(old.operands)}
    return [places.get(operand) for operand in new.operands]


def reorder(order: Sequence[int | None], totals: Sequence[float]) -> array[float]:
    """Totals in another order; 0 for an operand that there was not."""
    return array("d", [0.0 if place is None else totals[place] for place in order])


def _reorder_sample(order: Sequence[int | None], sample: CounterSample) -> CounterSample:
    return sample._replace(totals=reorder(order, sample.totals))


def _counter_value(value: float) -> float:
    """The value of a counter; NaN for an impossible one, and the next value is then the base."""
    return value if 0 <= value < UNSUPPORTED else math.nan


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
