"""What a collector that starts anew must remember: windows and budgets, out of the history."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from watchdeck.domain.board.board import History
from watchdeck.engine.rules.burn_rate import FURTHEST, LEVELS
from watchdeck.engine.rules.target import LONGEST_STEP, Target
from watchdeck.store.files.connection import Connection
from watchdeck.store.metrics.history import read_signals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


from watchdeck.engine.rules.anomaly_conditions import AnomalyCondition
from watchdeck.engine.rules.baseline import SampleHistory
from watchdeck.engine.rules.bucket_means import Buckets

SPEND = 0.2
"""Seconds of a tick for this: the past of an endpoint takes a tenth of one."""

COUNTED = ("up", "ready", "error_ratio", "request_rate")
"""The signals that budgets are counted by."""


def warm_windows(db: Connection, fleet: Iterable[Target], spend: float = SPEND) -> int:
    """Restore endpoints of which there is a sample, one at least, for so many seconds; how many.

    Until its turn, an endpoint's windows and budgets know what this collector has seen itself.
    Those with open alerts come first: what they rest on must not be called silent meanwhile. How
    everything usually is comes last: it takes longest, and pages nobody.
    """
    until, done = time.monotonic() + spend, 0
    waiting = [one for one in fleet if not one.recalled and one.sample is not None]
    waiting.sort(key=lambda one: (one.restored, not one.live))
    for watched in waiting:
        if watched.restored:
            warm_baselines(db, watched)
            watched.recalled = True
        else:
            _windows(db, watched)
            _budgets(db, watched)
            watched.restored = True
        done += 1
        if time.monotonic() >= until:
            break
    return done


def _windows(db: Connection, watched: Target) -> None:
    assert watched.sample is not None  # noqa: S101 - restore() has asked
    end = watched.sample.at + 1
    start = end - max((window.span for window in watched.windows.values()), default=0)
    found = read_signals(db, watched.facts.name, tuple(watched.windows), start, end)
    for history, window in zip(found, watched.windows.values(), strict=True):
        window.fill(history.times, history.values)


def _budgets(db: Connection, watched: Target) -> None:
    import numpy as np

    assert watched.sample is not None  # noqa: S101 - restore() has asked
    if not watched.burned:
        return
    end = watched.sample.at + 1
    found = read_signals(db, watched.facts.name, COUNTED, end - FURTHEST, end)
    times = np.array(found[0].times, np.int64)
    columns = {one.column: _aligned(one, times) for one in found}
    for measure, burned in watched.burned.items():
        bad, total = budget_counts(measure, times, columns, watched.facts.every)
        burned.fill(_in_cells(times, bad, total, end))


def _aligned(history: History, times: Integers) -> Floats:
    """The values of a column at these times; NaN where a scrape had no such column."""
    import numpy as np

    values = np.full(len(times), np.nan)
    values[times.searchsorted(np.array(history.times, np.int64))] = history.values
    return values


def budget_counts(
    measure: str, times: Integers, columns: Mapping[str, Floats], every: int
) -> tuple[Floats, Floats]:
    """What each scrape adds to a budget, bad and total; nothing where it does not tell.

    `columns` are those of COUNTED, one value a scrape; NaN where there is none.
    """
    return _COUNTERS[measure](times, columns, every)


def _probed(times: Integers, columns: Mapping[str, Floats], _: int) -> tuple[Floats, Floats]:
    import numpy as np

    good = (columns["up"] == 1) & (columns["ready"] != 0)
    return np.where(good, 0.0, 1.0), np.ones(len(times))


def _requested(times: Integers, columns: Mapping[str, Floats], every: int) -> tuple[Floats, Floats]:
    import numpy as np

    seconds = np.clip(np.diff(times, prepend=times[:1] - every), 0, LONGEST_STEP * every) / 1_000
    requests = columns["request_rate"] * seconds
    failed = np.where(requests == 0, 0.0, columns["error_ratio"] * requests)
    known = ~np.isnan(requests) & ~np.isnan(failed)
    return np.where(known, failed, 0.0), np.where(known, requests, 0.0)


_COUNTERS = {"availability": _probed, "error_ratio": _requested}


def _in_cells(
    times: Integers, bad: Floats, total: Floats, end: int
) -> Iterator[tuple[int, float, float]]:
    """The counts, those of one cell of time summed as coarsely as they will be looked at."""
    import numpy as np

    if not len(times):
        return
    widths = np.full(len(times), LEVELS[0][0])
    for (_, reach), (width, _) in pairwise(LEVELS):
        widths[times < end - reach - width] = width
    cells = times // widths * widths
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    sums = (np.add.reduceat(part, starts) for part in (bad, total))
    yield from zip(cells[starts].tolist(), *(part.tolist() for part in sums), strict=True)


def warm_baselines(db: Connection, watched: Target) -> None:
    """Let an endpoint of which there is a sample know what it was like, and what was told of it."""
    assert watched.sample is not None  # noqa: S101 - only such are restored
    end = watched.sample.at + 1
    baselines: tuple[SampleHistory, ...] = (*watched.habits.values(), *watched.weeks.values())
    wanted = [(one.signal, one.reach(end)) for one in baselines]
    known = {
        (signal, stretches): samples
        for stretches in dict.fromkeys(part for _, reach in wanted for part in reach)
        for signal, samples in _read(
            db,
            watched.facts.name,
            tuple(dict.fromkeys(signal for signal, reach in wanted if stretches in reach)),
            stretches,
        )
    }
    for baseline, (signal, (points, hours)) in zip(baselines, wanted, strict=True):
        baseline.fill(known[signal, points], known[signal, hours])
    for one in watched.judged:
        if isinstance(one.check, AnomalyCondition):
            one.check.remember()


def _read(
    db: Connection, name: str, signals: tuple[str, ...], stretches: Buckets
) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    start, end, count = stretches.start, stretches.end, stretches.count
    for history in read_signals(db, name, signals, start, end, points=count or None):
        yield history.column, [*zip(history.times, history.values, strict=True)]
