"""Restoring rule targets after a start: windows, budgets and baselines, from stored history."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from watchdeck.domain.board.board import History
from watchdeck.engine.rules.burn_rate import LEVELS, LONGEST_WINDOW
from watchdeck.engine.rules.target import MAX_INTERVALS, Target
from watchdeck.store.files.connection import Connection
from watchdeck.store.metrics.history import read_signals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


from watchdeck.engine.rules.anomaly_conditions import AnomalyCondition
from watchdeck.engine.rules.baseline import Buckets
from watchdeck.store.state.budgets import SavedBudget

SavedBudgets = Callable[[str], Mapping[str, SavedBudget]]
"""Returns the saved budgets of an endpoint, by signal."""

TIME_BUDGET = 0.2
"""Seconds for which a tick restores baselines, which are not urgent; one takes 0.1 s."""

URGENCY = 10
"""How many times as long a tick restores windows and budgets: no rule can judge by them before."""

BUDGET_SIGNALS = ("up", "ready", "error_ratio", "request_rate")
"""The signals from which error budgets are computed."""


def restore_targets(
    db: Connection,
    fleet: Iterable[Target],
    seconds: float = TIME_BUDGET,
    saved: SavedBudgets = lambda _: {},
) -> int:
    """Fill rule targets from the history in `db`; returns how many targets it worked on.

    Works on at least one target that has a sample and is not complete, then on more until
    `seconds` have passed, or URGENCY times as many while windows are missing. A target gets its
    windows and error budgets first, and its baselines in a later call, after the windows of all
    targets. Targets with open alerts come first. `saved` gives the saved budgets of an endpoint:
    only what came after them is counted.
    """
    began, done = time.monotonic(), 0
    waiting = [one for one in fleet if not one.baselines_restored and one.sample is not None]
    waiting.sort(key=lambda one: (one.windows_restored, not one.open_states))
    for target in waiting:
        if target.windows_restored:
            restore_baselines(db, target)
            target.baselines_restored = True
        else:
            _restore_windows(db, target)
            _restore_budgets(db, target, saved(target.facts.name) if target.budgets else {})
            target.windows_restored = True
        done += 1
        is_urgent = not target.baselines_restored
        if time.monotonic() - began >= (URGENCY * seconds if is_urgent else seconds):
            break
    return done


def _restore_windows(db: Connection, target: Target) -> None:
    assert target.sample is not None  # noqa: S101 - callers check it
    end = target.sample.at + 1
    start = end - max((window.span for window in target.windows.values()), default=0)
    found = read_signals(db, target.facts.name, tuple(target.windows), start, end)
    for history, window in zip(found, target.windows.values(), strict=True):
        window.fill(history.times, history.values)


def _restore_budgets(db: Connection, target: Target, saved: Mapping[str, SavedBudget]) -> None:
    """Fill the budgets of a target: by what was saved of them and came since, else by 3 days."""
    import numpy as np

    assert target.sample is not None  # noqa: S101 - callers check it
    if not target.budgets:
        return
    end = target.sample.at + 1
    is_loaded = all(_load_budget(target, saved.get(name), end) for name in target.budgets)
    start = min(one.at for one in saved.values()) + 1 if is_loaded else end - LONGEST_WINDOW
    found = read_signals(db, target.facts.name, BUDGET_SIGNALS, start, end)
    times = np.array(found[0].times, np.int64)
    columns = {one.column: _align(one, times) for one in found}
    for signal, consumption in target.budgets.items():
        bad, total = _COUNTERS[signal](times, columns, target.facts.every)
        if is_loaded:
            newest = consumption.newest
            for at, *count in zip(times.tolist(), bad.tolist(), total.tolist(), strict=True):
                if at > newest:
                    consumption.add(at, *count)
        else:
            first = int(times[0]) if len(times) else -1
            consumption.fill(_sum_cells(times, bad, total, end), first)


def _load_budget(target: Target, saved: SavedBudget | None, end: int) -> bool:
    """Load a saved budget, unless there is none, or it is too old or from the future."""
    if saved is None or not end - LONGEST_WINDOW < saved.at < end:
        return False
    return target.budgets[saved.signal].load(saved.state)


def _align(history: History, times: Integers) -> Floats:
    """The values of a column at these times; NaN where a scrape had no such column."""
    import numpy as np

    values = np.full(len(times), np.nan)
    values[times.searchsorted(np.array(history.times, np.int64))] = history.values
    return values


def _count_probes(times: Integers, columns: Mapping[str, Floats], _: int) -> tuple[Floats, Floats]:
    import numpy as np

    good = (columns["up"] == 1) & (columns["ready"] != 0)
    return np.where(good, 0.0, 1.0), np.ones(len(times))


def _count_requests(
    times: Integers, columns: Mapping[str, Floats], every: int
) -> tuple[Floats, Floats]:
    import numpy as np

    seconds = np.clip(np.diff(times, prepend=times[:1] - every), 0, MAX_INTERVALS * every) / 1_000
    requests = columns["request_rate"] * seconds
    failed = np.where(requests == 0, 0.0, columns["error_ratio"] * requests)
    known = ~np.isnan(requests) & ~np.isnan(failed)
    return np.where(known, failed, 0.0), np.where(known, requests, 0.0)


_COUNTERS = {"availability": _count_probes, "error_ratio": _count_requests}
"""By SLO signal, the function that counts the bad and all events of each scrape; unknown is 0."""


def _sum_cells(
    times: Integers, bad: Floats, total: Floats, end: int
) -> Iterator[tuple[int, float, float]]:
    """Sum the counts of each cell of a budget; yields its start (ms UTC), bad and total."""
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


def restore_baselines(db: Connection, target: Target) -> None:
    """Fill the baselines of a target from the history in `db`, and replay its past deviations.

    The target must have a sample.
    """
    assert target.sample is not None  # noqa: S101 - callers check it
    end = target.sample.at + 1
    histories = target.histories
    wanted = [(one.signal, one.buckets_before(end)) for one in histories]
    signals: dict[Buckets, dict[str, None]] = {}
    for signal, both in wanted:
        for buckets in both:
            signals.setdefault(buckets, {})[signal] = None
    stored = {
        (signal, buckets): samples
        for buckets, names in signals.items()
        for signal, samples in _read_buckets(db, target.facts.name, tuple(names), buckets)
    }
    for history, (signal, (fine, coarse)) in zip(histories, wanted, strict=True):
        history.fill(stored[signal, fine], stored[signal, coarse])
    for one in target.rule_states:
        if isinstance(one.condition, AnomalyCondition):
            one.condition.replay_past()


def _read_buckets(
    db: Connection, name: str, signals: tuple[str, ...], buckets: Buckets
) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    start, end, count = buckets.start, buckets.end, buckets.count
    for history in read_signals(db, name, signals, start, end, points=count or None):
        yield history.column, [*zip(history.times, history.values, strict=True)]
