"""What is unusual, on labelled series: `python tests/benchmarks/anomaly.py [tune]`.

Series of the Numenta Anomaly Benchmark (`tests/data/nab/SOURCE.md` says which half was tuned on),
each played as the latency of a model by the code that judges rules live. A firing inside a labelled
window is a hit, one outside is false. Beside it the naive rule: a point more than three standard
deviations from the mean of the day before it, an hour of calm ends it. `tune` tries limits, on the
half that is for that.
"""

from __future__ import annotations

import csv
import json
import math
import statistics
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from watchdeck.domain.rules.rule import Anomaly, Rule
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.engine.backtest.replay import replay
from watchdeck.store.metrics.raw import Block

FOLDER = Path(__file__).parents[1] / "data" / "nab"
HOUR, DAY = 3_600_000, 86_400_000
WEEK = 7 * DAY

SIGNAL = "latency_mean"
RECALL_REACH, FALSE_REACH = 0.60, 0.44

Pages = Callable[["Series"], list[int]]


@dataclass(frozen=True, slots=True)
class Series:
    """A labelled series: `times` and the two ends of each window in ms UTC."""

    name: str
    times: list[int]
    values: list[float]
    windows: list[tuple[int, int]]

    @property
    def weeks(self) -> float:
        return (self.times[-1] - self.times[0]) / WEEK


def read_all() -> list[Series]:
    windows = json.loads((FOLDER / "windows.json").read_text())
    return [_series(name, windows[name]) for name in sorted(windows)]


def _series(name: str, windows: list[list[str]]) -> Series:
    with (FOLDER / "series" / name).open() as file:
        rows = sorted((_moment(at), float(value)) for at, value in list(csv.reader(file))[1:])
    times, values = zip(*rows, strict=True)
    return Series(name, [*times], [*values], [(_moment(a), _moment(b)) for a, b in windows])


def _moment(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def by_rule(test: Anomaly) -> Pages:
    """When a rule of this test fires: calm for an hour ends an episode, as in the pack."""
    rule = Rule("unusual", "", test, resolve_for=HOUR)

    def pages(series: Series) -> list[int]:
        block = Block(
            ("outcome", "ready", SIGNAL),
            series.times,
            np.array([(0.0, 1.0, value) for value in series.values]),
        )
        played = replay(rule, EndpointFacts(series.name, "", 1), None, [block], 0)
        return [firing.at for firing in played.firings]

    return pages


def naive(series: Series) -> list[int]:
    """When a point is more than three deviations from the day before it."""
    day: deque[tuple[int, float]] = deque()
    found: list[int] = []
    last = -DAY
    for at, value in zip(series.times, series.values, strict=True):
        while day and day[0][0] <= at - DAY:
            day.popleft()
        before = [one for _, one in day]
        spread = statistics.pstdev(before) if len(before) >= 24 else math.inf
        if abs(value - statistics.fmean(before or [value])) > 3 * spread:
            if at - last > HOUR:
                found.append(at)
            last = at
        day.append((at, value))
    return found


@dataclass(frozen=True, slots=True)
class Score:
    """Windows that were hit, all windows, firings outside them, and weeks of series."""

    hit: int
    windows: int
    false: int
    weeks: float

    def __add__(self, other: Score) -> Score:
        return Score(
            self.hit + other.hit,
            self.windows + other.windows,
            self.false + other.false,
            self.weeks + other.weeks,
        )

    def __str__(self) -> str:
        recall = self.hit / self.windows if self.windows else math.nan
        return (
            f"{self.hit:2}/{self.windows:2} windows (recall {recall:4.2f})  {self.false:3} false"
            f" in {self.weeks:5.1f} series-weeks  {self.false / self.weeks:5.2f} a week"
        )


def score(series: Series, pages: list[int]) -> Score:
    inside = [any(a <= at <= b for a, b in series.windows) for at in pages]
    hit = sum(any(a <= at <= b for at in pages) for a, b in series.windows)
    return Score(hit, len(series.windows), inside.count(False), series.weeks)


HALVES: dict[str, slice] = {"tuned on": slice(0, None, 2), "held out": slice(1, None, 2)}
GRID = [(high, low) for high in (4.0, 5.0, 6.0, 7.0, 8.0) for low in (1.5, 1.75, 2.0, 2.25, 2.5)]


def total(chosen: list[Series], pages: Pages) -> Score:
    return sum((score(one, pages(one)) for one in chosen), Score(0, 0, 0, 0.0))


def tune(chosen: list[Series]) -> None:
    """Every pair of limits on one half; the best hits most windows, with the fewest false."""
    found = {}
    for high, low in GRID:
        found[high, low] = total(chosen, by_rule(Anomaly(SIGNAL, high=high, low=low)))
        print(f"  beyond {high:g} and {low:<4g}  {found[high, low]}", flush=True)
    good = {limits: one for limits, one in found.items() if one.false / one.weeks <= FALSE_REACH}
    best = max(good, key=lambda limits: (good[limits].hit, -good[limits].false))
    print(f"best: beyond {best[0]:g} and {best[1]:g}")


def report(every: list[Series]) -> None:
    usual = Anomaly(SIGNAL)
    rules = {
        "two-speed": by_rule(usual),
        "with seasons": by_rule(replace(usual, seasonal=True)),
        "naive z > 3": naive,
    }
    print(f"two-speed beyond {usual.high:g} and {usual.low:g}; nothing is random")
    for half, part in (HALVES | {"both": slice(None)}).items():
        print(f"\n{half}: {len(every[part])} series")
        for name, pages in rules.items():
            print(f"  {name:<12}  {total(every[part], pages)}")
    print("\nheld out, two-speed, series by series:")
    for one in every[HALVES["held out"]]:
        print(f"  {one.name:<60}  {score(one, rules['two-speed'](one))}")
    print(f"\nto reach on what is held out: recall >= {RECALL_REACH:.2f}, <= {FALSE_REACH} a week")


def main() -> None:
    every = read_all()
    if sys.argv[1:] == ["tune"]:
        tune(every[HALVES["tuned on"]])
    else:
        report(every)


if __name__ == "__main__":
    main()
