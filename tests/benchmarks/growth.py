"""How the time of every parser of outside bytes grows with hostile input: n beside 2n.

`python tests/benchmarks/growth.py [PARSER]` prints a table; with PARSER, only the parsers whose
names contain this text. The time is that of the processor, the best of several runs, without the
garbage collector, whose cost depends on all that the process holds. The exit code is 1 when a row
does not reach its figure.
"""

from __future__ import annotations

import gc
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.growth_cases import (
    configuration,
    external,
    grammars,
    http,
    pages,
    storage,
    terminal,
)
from benchmarks.growth_cases.case import Case
from watchdeck.errors import WatchdeckError

REACH = 2.5
"""The most that twice the input may cost."""

REACH_AT_BOUND = 50.0
"""Milliseconds at the bound of a parser that is too quick, or too bounded, for a ratio."""

ENOUGH, PLENTY = 5.0, 20.0
"""Milliseconds at n from which a ratio is measured; at which the search for n ends."""

LARGEST = 16 << 20

ATTEMPTS = 3
"""Measurements of a row until one reaches its figure: other processes take the caches, too."""

REFUSALS = (ValueError, WatchdeckError, struct.error, zlib.error)
"""The errors by which parsers refuse an input; any other ends the report."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Milliseconds at n, and at 2n unless the bound of the parser is below it."""

    n: int
    single: float
    double: float | None

    @property
    def ratio(self) -> float | None:
        return None if self.double is None else self.double / self.single

    @property
    def is_reached(self) -> bool:
        return self.single <= REACH_AT_BOUND if self.ratio is None else self.ratio <= REACH


def milliseconds(case: Case, n: int, runs: int) -> float:
    """The best time of several runs on an input of size n."""
    data = case.make(n)
    best = float("inf")
    for _ in range(runs):
        began = time.process_time_ns()
        with suppress(*REFUSALS):
            case.read(data)
        best = min(best, time.process_time_ns() - began)
    return best / 1_000_000


def measure(case: Case) -> Growth:
    """The growth at the largest n that is bearable: half the bound, or PLENTY milliseconds."""
    largest = case.bound // 2 if case.bound else LARGEST
    n = min(16, largest)
    while n < largest and milliseconds(case, n, 1) < PLENTY:
        n = min(2 * n, largest)
    growth = _at(case, n)
    for _ in range(ATTEMPTS - 1):
        if growth.is_reached:
            break
        # where the caches of the processor end there is one step; a faster growth goes on
        growth = _at(case, 2 * n if 4 * n <= (case.bound or 4 * n) else n)
    return growth


def _at(case: Case, n: int) -> Growth:
    gc.collect()
    single = milliseconds(case, n, 5)
    double = milliseconds(case, 2 * n, 5)
    if single < ENOUGH and case.bound and 2 * n >= case.bound - 1:
        return Growth(case.bound, double, None)
    return Growth(n, single, double)


def all_cases() -> Iterator[Case]:
    for module in (http, pages, external, grammars, configuration, terminal, storage):
        yield from module.all_cases()


def row(case: Case, growth: Growth) -> str:
    end = "" if growth.is_reached else "  NOT REACHED"
    start = f"{case.parser:34} {case.shape:40}{growth.n:>10,}"
    if growth.ratio is None:
        return f"{start}  at its bound: {growth.single:.3f} ms{end}"
    return f"{start}{growth.single:9.2f} ms{growth.double:9.2f} ms{growth.ratio:6.2f}x{end}"


def report(wanted: str) -> bool:
    print(f"{'parser':34} {'shape of the input':40}{'n':>10}{'at n':>12}{'at 2n':>12}{'ratio':>7}")
    gc.disable()
    missed = 0
    chosen = [case for case in all_cases() if wanted in case.parser]
    for case in chosen:
        growth = measure(case)
        missed += not growth.is_reached
        print(row(case, growth), flush=True)
    print(
        f"{len(chosen)} rows, {missed} not reached; to reach: 2n at most {REACH}x of n,"
        f" or at most {REACH_AT_BOUND:.0f} ms at the bound"
    )
    return not missed


if __name__ == "__main__":
    sys.exit(not report(" ".join(sys.argv[1:])))
