"""How signals were before this collector began, out of the history."""

from __future__ import annotations

from collections.abc import Iterator

from watchdeck.engine.baselines import Baseline
from watchdeck.engine.means import Stretches
from watchdeck.engine.unusual import Unusual
from watchdeck.engine.watched import Watched
from watchdeck.store.connect import Connection
from watchdeck.store.history import read_signals


def recall(db: Connection, watched: Watched) -> None:
    """Let an endpoint of which there is a sample know what it was like, and what was told of it."""
    assert watched.sample is not None  # noqa: S101 - only such are restored
    end = watched.sample.at + 1
    baselines: tuple[Baseline, ...] = (*watched.habits.values(), *watched.weeks.values())
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
        if isinstance(one.check, Unusual):
            one.check.remember()


def _read(
    db: Connection, name: str, signals: tuple[str, ...], stretches: Stretches
) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    start, end, count = stretches.start, stretches.end, stretches.count
    for history in read_signals(db, name, signals, start, end, points=count or None):
        yield history.column, [*zip(history.times, history.values, strict=True)]
