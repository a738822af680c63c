"""Burn rates of error budgets: the good and bad events of an endpoint over any window."""

import math
import struct
import zlib
from array import array
from collections.abc import Iterable

from msgspec import Struct

from watchdeck.domain.rules.rule import BurnRateWindows

_VERSION = 2
_HEAD = struct.Struct("<Bqqqdd")

LONGEST_WINDOW = 3 * 86_400_000
"""Milliseconds of the longest window of a burn-rate rule."""

LEVELS = ((10_000, 3_600_000), (300_000, 6 * 3_600_000), (1_800_000, LONGEST_WINDOW))
"""Widths of cells, and the longest window that each serves (ms): short windows need fine cells."""


MINIMUM_BAD_EVENTS = 2.5
"""Bad events in the long window without which no budget burns too fast: whatever is promised, one
or two failures show no trend. Counts of requests are fractions: three may be 2.99."""


class BurnRate(Struct, frozen=True):
    """The burn rates of a long and a short window; at 1 the budget lasts exactly its period."""

    pair: BurnRateWindows
    long: float
    short: float
    covered: int
    """Milliseconds since the first sample: windows that are longer cover no more."""

    @property
    def slower(self) -> float:
        """The lower of the two rates; a rule fires when it exceeds the factor of the pair."""
        return min(self.long, self.short)


class ErrorBudget(Struct, frozen=True):
    """The error budget of an SLO: the share of events that may be bad."""

    share: float
    expected: float
    """Expected events per millisecond: missing ones count as good; 0 for requests."""
    min_samples: int = 1
    """Minimum number of events; with fewer, the burn rate of a window is unknown."""


class BudgetConsumption:
    """The total and bad events of one endpoint and one SLO signal over three days, in 9 kB.

    `complete` means that the history before the first sample is loaded. Until then, a burn rate
    can be known to be too fast, but never to be slow enough. While it `awaits_history`, requests
    are not judged: the first few would stand for the whole window.
    """

    __slots__ = (
        "_bad",
        "_first",
        "_last_burning",
        "_levels",
        "_longest",
        "_min_bad_share",
        "_newest",
        "_total",
        "awaits_history",
        "complete",
    )  # fmt: skip

    def __init__(self) -> None:
        self.complete = self.awaits_history = False
        self._min_bad_share, self._longest = math.inf, 0
        self._begin()

    def _begin(self) -> None:
        self._levels = tuple(_WindowTotals(*level) for level in LEVELS)
        self._bad, self._total = 0.0, 0.0
        self._first, self._newest, self._last_burning = -1, -1, -1

    def register_pairs(self, pairs: tuple[BurnRateWindows, ...], share: float) -> None:
        """Register the pairs of a rule and the share of its budget, which `is_quiet` needs.

        Call it before the first sample.
        """
        self._min_bad_share = min(self._min_bad_share, share * min(pair.factor for pair in pairs))
        self._longest = max(self._longest, *(pair.short for pair in pairs))

    def add(self, at: int, bad: float, total: float) -> None:
        """Add the number of bad and of all events since the last sample.

        A time `at` (ms UTC) before that of the last sample is taken as the latter.
        """
        at = max(at, self._newest)
        for level in self._levels:
            if at >= level.edge:
                level.advance(at, self._bad, self._total)
        if self._first < 0:
            self._first = at
        self._newest = at
        self._bad += bad
        self._total += total
        if bad > self._min_bad_share * total:
            self._last_burning = at

    def fill(self, counts: Iterable[tuple[int, float, float]], first: int = -1) -> None:
        """Replace all events by counts (ms UTC, bad events, all events), each of its own interval.

        They come oldest first; `first` is the time of the first sample in them (ms UTC), if it is
        older than the first count. Sets `complete`.
        """
        self._begin()
        self._first = first
        for at, bad, total in counts:
            self.add(at, bad, total)
        self.complete = True

    def dump(self) -> bytes:
        """The whole consumption as bytes, which `load` takes; about 1 kB for a quiet endpoint."""
        times = self._first, self._newest, self._last_burning
        head = _HEAD.pack(_VERSION, *times, self._bad, self._total)
        return zlib.compress(head + b"".join(level.dump() for level in self._levels), 1)

    def load(self, state: bytes) -> bool:
        """Continue a dumped consumption; False, with nothing changed, when it cannot be read."""
        try:
            plain = zlib.decompress(state)
            version, *times, bad, total = _HEAD.unpack_from(plain)
        except (zlib.error, struct.error):
            return False
        sizes = [level.size for level in self._levels]
        if version != _VERSION or len(plain) != _HEAD.size + sum(sizes):
            return False
        at = _HEAD.size
        for level, size in zip(self._levels, sizes, strict=True):
            level.load(plain[at : at + size])
            at += size
        self._first, self._newest, self._last_burning = times
        self._bad, self._total = bad, total
        self.complete = True
        return True

    @property
    def newest(self) -> int:
        """The time of the last sample (ms UTC); -1 without one."""
        return self._newest

    @property
    def is_quiet(self) -> bool:
        """Whether no recent sample, by itself, was bad enough for a pair to burn too fast.

        Then no pair does, since a window is never worse than its worst sample. Recent samples are
        those in the longest of the short windows.
        """
        return self._last_burning <= self._newest - self._longest

    def burns_too_fast(
        self, pairs: tuple[BurnRateWindows, ...], budget: ErrorBudget
    ) -> bool | None:
        """Whether the budget burns too fast in both windows of any pair, at the newest sample.

        None when no pair does, but a short window has too few events, or history is not `complete`.
        To save time, a long window is computed only when its short one burns too fast.
        """
        known = self.complete
        if not known and self.awaits_history and not budget.expected:
            return None
        for pair in pairs:
            short = self._rate(pair.short, budget)
            if short is None:
                known = False
            elif short > pair.factor and self._is_too_fast(pair, budget):
                return True
        return False if known else None

    def _is_too_fast(self, pair: BurnRateWindows, budget: ErrorBudget) -> bool:
        """Whether the long window burns too fast, by more than one or two bad events."""
        bad, _ = self._events(pair.long)
        least = MINIMUM_BAD_EVENTS if budget.share else 0.0
        return bad >= least and (self._rate(pair.long, budget) or 0.0) > pair.factor

    def burn_rates(
        self, pairs: tuple[BurnRateWindows, ...], budget: ErrorBudget
    ) -> tuple[BurnRate, ...]:
        """The burn rates at the newest sample, one for each pair with enough events."""
        found = (
            (pair, self._rate(pair.long, budget), self._rate(pair.short, budget)) for pair in pairs
        )
        return tuple(
            BurnRate(pair, long, short, self._newest - self._first)
            for pair, long, short in found
            if long is not None and short is not None
        )

    def _events(self, span: int) -> tuple[float, float]:
        """The bad and all events of the last `span` ms."""
        fine, middle, coarse = self._levels
        level = fine if span <= fine.span else middle if span <= middle.span else coarse
        bad_before, total_before = level.totals_before(self._newest - span)
        return self._bad - bad_before, self._total - total_before

    def _rate(self, span: int, budget: ErrorBudget) -> float | None:
        bad, total = self._events(span)
        if total < budget.min_samples or not total:
            return None
        if bad <= 0:
            return 0.0
        expected = budget.expected * span
        allowed = budget.share * max(total, expected)
        return bad / allowed if allowed else math.inf


class _WindowTotals:
    """Running totals at the end of each cell, in a ring: a window is the difference of two.

    `edge` is the end of the newest cell (ms UTC).
    """

    __slots__ = ("_bad", "_size", "_total", "_width", "edge", "span")

    def __init__(self, width: int, reach: int) -> None:
        self.span, self.edge = reach, 0
        self._width, self._size = width, reach // width + 2
        self._bad = array("d", bytes(8 * self._size))
        self._total = array("d", bytes(8 * self._size))

    def advance(self, at: int, bad: float, total: float) -> None:
        """Begin the cell (a slice of time) of `at` (ms UTC), and end the cells before it.

        `bad` and `total`, the running totals, are stored for each cell that ends.
        """
        width, size = self._width, self._size
        cell, newest = at // width, self.edge // width - 1
        for passed in range(newest if newest > cell - size else cell - size + 1, cell):
            place = passed % size
            self._bad[place], self._total[place] = bad, total
        self.edge = (cell + 1) * width

    @property
    def size(self) -> int:
        """Bytes of a dump."""
        return 8 + 16 * self._size

    def dump(self) -> bytes:
        """All cells as bytes."""
        return struct.pack("<q", self.edge) + self._bad.tobytes() + self._total.tobytes()

    def load(self, state: bytes) -> None:
        """Take the cells of a dump of the right size."""
        (self.edge,) = struct.unpack_from("<q", state)
        middle = 8 + 8 * self._size
        self._bad, self._total = array("d", state[8:middle]), array("d", state[middle:])

    def totals_before(self, moment: int) -> tuple[float, float]:
        """The running totals (bad, total) at the end of the cell of `moment` (ms UTC)."""
        cell, oldest = moment // self._width, self.edge // self._width - self._size
        place = max(oldest, cell) % self._size
        return self._bad[place], self._total[place]
