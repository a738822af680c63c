"""The rolling window of one endpoint: the increases of its counters, over one process or several.

A counter belongs to the process that counts. Behind one address several may answer in turn, each
with counters of its own: to compare the page of one with that of another gives no rate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from operator import add

from msgspec import Struct, field

from watchdeck.domain.signals.functions import finite_values
from watchdeck.domain.signals.plan import FIRST_PAGES_TELL, Increases, Plan
from watchdeck.domain.signals.process_counters import (
    HOUR,
    ProcessCounters,
    ProcessStep,
    operand_order,
    reorder,
)

FIRST_PAGES = 5
"""Pages before the first rate, each over a new connection: that one of four workers, at random,
answers all of them happens once in 250 times. It would be taken for the only one."""

_SAME_START = 0.02
"""Seconds by which two start times may differ and still be of the same process."""

_CLOCK_STEP = 2.05
"""Seconds, in whole steps, by which the start time of one process may waver: it is computed from
the time of the boot, which follows corrections of the clock in whole seconds."""

_FRESH = 2.0
"""Seconds before the last page at which a process may have started and count as started since."""

_SURE_PAGES = 3
"""Pages without a start time that must follow one another before their counters are compared."""

_DOUBT = 20
"""Pages without a fall after which counters that fell again and again are believed anew."""

_LONG_DOUBT = 360
"""The same after a fall that was no restart: a connection that is kept can stay with one process
for long."""

_GONE = 900_000
"""Milliseconds, at least, after which a process that did not answer is taken for gone."""

_PAGES_PER_PROCESS = 5
"""Pages, for each process, after which every process has answered: of k processes at random, one
stays unseen for 5 k pages in less than one case in a hundred."""


def window_length(every: int) -> int:
    """The window's length (ms) for scrapes `every` ms apart: six scrapes, at least a minute."""
    return max(60_000, 6 * every)


class _Process(Struct):
    """One process that answers, with the number of its last page."""

    start: float | None
    labels: tuple[str, ...]
    counters: ProcessCounters = field(default_factory=ProcessCounters)
    seen: int = 0
    seen_at: int = 0


class CounterWindow:
    """The increases of an endpoint's counters over the last `span` ms, and up to an hour.

    Processes are told apart by their start time or by labels of their own; the increases of all are
    added up, each over its own pages. Where nothing tells them apart, counters that fall again and
    again show that there are several, and all increases are unknown: `reason` then says why.

    They are unknown for the first `first_pages`, too, which tell whether there are several.
    """

    __slots__ = (
        "_cache",
        "_canaries_only",
        "_current",
        "_doubted_until",
        "_falls",
        "_fell_after",
        "_first_pages",
        "_joined",
        "_pages",
        "_processes",
        "_restarts",
        "_span",
        "last_at",
        "resets",
    )  # fmt: skip

    def __init__(self, span: int, first_pages: int = 1) -> None:
        self._span = span
        self._first_pages = first_pages
        self._processes: list[_Process] = []
        self._current: _Process | None = None
        self._pages = 0
        self._joined = 0
        self._fell_after = 0
        self._falls: deque[int] = deque(maxlen=2)
        self._doubted_until = 0
        self._restarts: deque[int] = deque(maxlen=1_000)
        self._cache: dict[object, Increases | None] = {}
        self.last_at = 0
        self.resets = 0

    @property
    def processes(self) -> int:
        """The number of processes that answer at this address, as far as it is known."""
        return len(self._processes)

    @property
    def has_several(self) -> bool:
        """Whether several processes answer, so that a page is that of one of them."""
        return len(self._processes) > 1 or self._pages < self._doubted_until

    @property
    def has_gap(self) -> bool:
        """Whether a counter was absent, fell or had no count in the usual window."""
        return self._current is not None and self._current.counters.has_gap

    @property
    def reason(self) -> str:
        """Why all increases are unknown; empty when they are not."""
        if self._pages < self._doubted_until:
            return "several processes answer in turn here, and nothing on their pages tells which"
        if 1 < self._pages < self._first_pages:
            return FIRST_PAGES_TELL
        if not self.has_several or self._is_settled():
            return ""
        left = self._joined + _PAGES_PER_PROCESS * self.processes - self._pages
        text = f"{self.processes} processes answer here in turn: they are counted in {left} scrapes"
        return text if left > 0 else f"{self.processes} processes answer here, some too seldom"

    def restarts(self, at: int) -> int:
        """The restarts seen in the hour before `at` (ms UTC)."""
        while self._restarts and self._restarts[0] <= at - HOUR:
            self._restarts.popleft()
        return len(self._restarts)

    def push(self, plan: Plan, at: int, values: Sequence[float], canaries_sent: float) -> None:
        """Add the page read at `at` (ms UTC); `canaries_sent` is the total since the start.

        A clock that was set back empties the window: there is no rate across such a change. A page
        of the same time as the last one is the same page, and is left out.
        """
        if at == self.last_at and self._current is not None:
            return
        if at < self.last_at:
            self._clear()
        raw = plan.counter_values(values)
        process = self._find_process(plan, at, values, raw)
        self._pages += 1
        self._check_falls(process, plan, raw)
        process.counters.add_page(plan, at, raw, canaries_sent, self._sample_span())
        process.seen, process.seen_at = self._pages, at
        self._current, self.last_at = process, at
        self._forget_processes(at)
        self._cache.clear()

    def recent(self) -> Increases | None:
        """The increases in the usual window; None while they are unknown."""
        if None not in self._cache:
            self._cache[None] = self._recent()
        return self._cache[None]

    def grown(self, operand: int, minimum: float, *, canaries: bool = False) -> Increases | None:
        """The increases in the shortest window in which an operand has `minimum` events.

        With `canaries`, those sent do not count as events. None when an hour has fewer, and without
        any event.
        """
        minimum = max(minimum, 1e-9)
        found = self.recent()
        if found is not None and _has_enough(found, operand, minimum, canaries=canaries):
            return found
        if self._current is None or self.reason:
            return None
        if len(self._processes) > 1:
            longer = self._longer_sums()
            enough = (
                one for one in longer if _has_enough(one, operand, minimum, canaries=canaries)
            )
            return next(enough, None)
        counters = self._current.counters
        begin = counters.find_begin(operand, minimum, canaries=canaries)
        if begin is None:
            return None
        if begin.at not in self._cache:
            self._cache[begin.at] = counters.increases_since(begin)
        grown = self._cache[begin.at]
        assert grown is not None  # noqa: S101 - just computed
        return grown if _has_enough(grown, operand, minimum, canaries=canaries) else None

    def _recent(self) -> Increases | None:
        if self.reason or self._current is None:
            return None
        if len(self._processes) > 1:
            return self._add_up(self._sample_span())
        counters = self._current.counters
        if self._current.start is None and counters.pages < _SURE_PAGES:
            return None
        return counters.increases_since(counters.begins()[0]) if counters.samples > 1 else None

    def _longer_sums(self) -> Iterator[Increases]:
        """The increases of several processes in ever longer windows, up to an hour."""
        length = 2 * self._sample_span()
        while length < 2 * HOUR:
            found = self._add_up(min(length, HOUR))
            if found is not None:
                yield found
            length *= 2

    def _add_up(self, length: int) -> Increases | None:
        """The increases of all processes in `length` ms; None when one was not seen often enough.

        Each process is seen only now and then: its increase is taken over its own pages, and scaled
        to the longest such time.
        """
        current = self._current
        assert current is not None  # noqa: S101 - only called with pages
        plan = current.counters.plan
        assert plan is not None  # noqa: S101 - same
        shares = []
        for process in self._processes:
            begin = process.counters.since(length)
            if begin is None or process.counters.pages < _SURE_PAGES:
                return None
            found = process.counters.increases_since(begin)
            if found.seconds * 1_000 < self._span / 2:
                return None
            order = operand_order(process.counters.plan or plan, plan)
            shares.append((reorder(order, found.values), found))
        seconds = max(found.seconds for _, found in shares)
        sums = [0.0] * len(plan.operands)
        for values, found in shares:
            scale = seconds / found.seconds
            sums = list(map(add, sums, (scale * value for value in values)))
        canaries = max(found.canaries * seconds / found.seconds for _, found in shares)
        return Increases(sums, seconds, canaries)

    def _sample_span(self) -> int:
        """The usual window (ms), longer while several processes answer: each is seen less often."""
        return self._span if len(self._processes) < 2 else self._span * len(self._processes)

    def _is_settled(self) -> bool:
        """Whether every process has probably been seen since one joined."""
        return self._pages - self._joined >= _PAGES_PER_PROCESS * self.processes

    def _find_process(
        self, plan: Plan, at: int, values: Sequence[float], raw: Sequence[float]
    ) -> _Process:
        """The process that answered, a new one if no page of it was read before."""
        start, labels = _process_start(plan, values), plan.process_labels
        for process in self._processes:
            if self._is_of(process, start, labels, plan, raw):
                process.start = process.start or start
                process.labels = labels or process.labels
                return process
        has_fallen = bool(self._falls) and self._falls[-1] == self._pages
        since = self._fell_after if has_fallen else self.last_at
        is_fresh = start is not None and start >= since / 1_000 - _FRESH
        if is_fresh and len(self._processes) == 1:
            return self._succeed(self._processes[0], start, labels, at)
        process = _Process(start, labels)
        self._processes.append(process)
        self._joined = self._pages
        return process

    def _is_of(
        self,
        process: _Process,
        start: float | None,
        labels: tuple[str, ...],
        plan: Plan,
        raw: Sequence[float],
    ) -> bool:
        """Whether a page is of this process, by its start, else by its labels.

        A page that tells neither is of the only process. A start time that wavers in whole seconds
        is the same, unless the counters fell.
        """
        if start is None or process.start is None:
            is_told = labels and process.labels
            return labels == process.labels if is_told else len(self._processes) == 1
        difference = abs(start - process.start)
        if difference <= _SAME_START:
            return True
        is_step = difference <= _CLOCK_STEP and abs(difference - round(difference)) <= _SAME_START
        return is_step and not process.counters.falls(plan, raw)

    def _succeed(
        self, process: _Process, start: float | None, labels: tuple[str, ...], at: int
    ) -> _Process:
        """Let a process that started since the last page take the place of the only one."""
        process.start, process.labels = start, labels
        process.counters.begin_from_zero()
        self._count_restart(at)
        return process

    def _count_restart(self, at: int) -> None:
        self.resets += 1
        self._restarts.append(at)

    def _check_falls(self, process: _Process, plan: Plan, raw: Sequence[float]) -> None:
        """Doubt counters that fall as no restart lets them fall, or again and again.

        Without a start time, counters that fell or leapt are compared anew from this page on.
        """
        is_told = process.start is not None
        is_sure = self._falls and self._pages == self._falls[-1] + _SURE_PAGES
        if is_sure and not is_told and self._pages >= self._doubted_until:
            self._count_restart(self.last_at)
        step = process.counters.compare(plan, raw)
        if step is ProcessStep.RISE:
            return
        if step is not ProcessStep.LEAP:
            again = bool(self._falls) and self._pages - self._falls[-1] <= _DOUBT
            other = step is ProcessStep.OTHER_PROCESS and not is_told
            doubt = _LONG_DOUBT if other else _DOUBT if again else 0
            if doubt:
                self._doubted_until = max(self._doubted_until, self._pages + doubt)
            self._falls.append(self._pages)
            self._fell_after = self.last_at
        if not is_told:
            process.counters.clear()

    def _forget_processes(self, at: int) -> None:
        """Forget processes that did not answer for so long that they are probably gone."""
        if len(self._processes) < 2:
            return
        oldest = self._pages - _PAGES_PER_PROCESS * len(self._processes)
        self._processes = [
            one for one in self._processes if one.seen >= oldest or at - one.seen_at < _GONE
        ]

    def _clear(self) -> None:
        for process in self._processes:
            process.counters.clear()


def _has_enough(found: Increases, operand: int, minimum: float, *, canaries: bool) -> bool:
    return found.values[operand] - (found.canaries if canaries else 0.0) >= minimum


def _process_start(plan: Plan, values: Sequence[float]) -> float | None:
    """The start of the newest process of a page, in seconds UTC; None when the page has none."""
    if not plan.started:
        return None
    return max(finite_values(values[place] for place in plan.started), default=None)
