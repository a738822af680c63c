"""What is unusual, on labelled series: `python tests/benchmarks/anomaly.py [HIGH LOW]`.

Series of the Numenta Anomaly Benchmark (`tests/data/nab/SOURCE.md` says which half was tuned on),
each played as the latency of a model by the code that judges rules live. A firing inside a labelled
window is a hit, one outside is false. Beside it the naive rule: a point more than three standard
deviations from the mean of the day before it, an hour of calm ends it.
"""

from __future__ import annotations

import csv
import json
import math
import statistics
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from watchdeck.domain.board import Facts
from watchdeck.domain.rule import Anomaly, Rule
from watchdeck.engine.replay import replay
from watchdeck.store.blocks import Block

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
        played = replay(rule, Facts(series.name, "", 1), None, [block], 0)
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


def halves(every: list[Series]) -> Iterator[tuple[str, list[Series]]]:
    yield "tuned on", every[::2]
    yield "untouched", every[1::2]


def main() -> None:
    usual = Anomaly(SIGNAL)
    if len(sys.argv) > 2:
        usual = replace(usual, high=float(sys.argv[1]), low=float(sys.argv[2]))
    rules = {
        "two-speed": by_rule(usual),
        "with seasons": by_rule(replace(usual, seasonal=True)),
        "naive z > 3": naive,
    }
    print(f"two-speed beyond {usual.high:g} and {usual.low:g}; nothing is random")
    for half, chosen in halves(read_all()):
        print(f"\n{half}: {len(chosen)} series")
        for name, pages in rules.items():
            scores = [score(one, pages(one)) for one in chosen]
            total = sum(scores, Score(0, 0, 0, 0.0))
            print(f"  {name:<12}  {total}")
            if name == "two-speed":
                for one, own in zip(chosen, scores, strict=True):
                    print(
                        f"      {one.name.split('/')[1]:<44} {own.hit}/{own.windows}  {own.false} false"
                    )
    print(
        f"\nto reach on the untouched half: recall >= {RECALL_REACH:.2f} and <= {FALSE_REACH} a week"
    )


if __name__ == "__main__":
    main()
