"""A collector that starts anew knows of windows and budgets what its predecessor knew."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from watchdeck.domain.alerts.alert import AlertState, Episode
from watchdeck.domain.metrics.scrape import Frame
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.rules.rule import Rule, Severity
from watchdeck.domain.settings.endpoint import EndpointFacts, Slo
from watchdeck.domain.values.units import Ratio
from watchdeck.engine.restore import restore_targets
from watchdeck.engine.rules.conditions import ScrapeValues
from watchdeck.engine.rules.target import Target, target_for
from watchdeck.store.files.connection import Connection, open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import LayoutTable, Stream, add_frame
from watchdeck.store.metrics.latest import register_endpoints
from watchdeck.store.migrations import prepare
from watchdeck.store.state.budgets import SavedBudget

NOW = 1_795_410_000_000
EVERY = 30_000
COUNT = 3_000
"""Scrapes: a little over a day of them."""

LAYOUT = signal_layout(("latency_p95", "error_ratio", "request_rate"))
COLUMNS = [series.name for series in LAYOUT.series]
SLO = Slo(availability=Ratio(0.99), error_ratio=Ratio(0.01))
FRAUD = EndpointFacts("fraud", "http://fraud", EVERY, slo=SLO)
RULES = tuple(
    Rule(when, when, read_condition(when).test)
    for when in (
        "avg(latency_p95) > 200ms over 10m",
        "burn(availability) fast",
        "burn(error_ratio) slow",
    )
)


def values(number: int) -> array[float]:
    """Every ninetieth scrape fails, every hundredth finds the model not ready."""
    failed, ready = number % 90 == 0, number % 100 != 0
    known = {"outcome": float(failed), "up": float(not failed)}
    if not failed:
        known |= {"ready": float(ready), "latency_p95": 0.1 + number % 7 / 10}
        known |= {"error_ratio": number % 5 / 100, "request_rate": 3.0 + number % 3}
    return array("d", (known.get(column, math.nan) for column in COLUMNS))


def sample(number: int) -> ScrapeValues:
    given, places = values(number), {name: place for place, name in enumerate(COLUMNS)}
    outcome = "timed_out" if given[0] else "ok"
    return ScrapeValues(NOW - (COUNT - 1 - number) * EVERY, given, places, outcome)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Connection]:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    with closing(open_writable(directory.metrics)) as db:
        layouts = LayoutTable(db)
        with transaction(db):
            number = register_endpoints(db, [FRAUD], NOW)["fraud"]
            for each in range(COUNT):
                at, frame = sample(each).at, Frame(LAYOUT, values(each))
                add_frame(db, layouts, number, at, Stream.SIGNALS, frame)
        with closing(open_readonly(directory.metrics)) as reading:
            yield reading


def watching(*numbers: int) -> Target:
    watched = target_for(FRAUD, None, RULES, NOW)
    for number in numbers:
        watched.add_sample(sample(number))
    return watched


def told(watched: Target) -> list[str]:
    assert watched.sample is not None
    return [
        one.condition.measure(watched.sample, watched.sample.at).why for one in watched.rule_states
    ]


def test_what_is_restored_is_as_if_all_had_been_seen(history: Connection) -> None:
    seen, anew = watching(*range(COUNT)), watching(COUNT - 1)
    assert told(anew) != told(seen)
    assert restore_targets(history, [anew]) == 1
    assert told(anew) == told(seen)
    assert all(burned.complete for burned in anew.budgets.values())


def test_nothing_is_called_slow_before_the_past_is_known(history: Connection) -> None:
    anew = watching(COUNT - 2)
    [_, burn, _] = anew.rule_states
    assert anew.sample is not None
    assert burn.condition.truth(anew.sample, anew.sample.at, held=False) is None
    restore_targets(history, [anew])
    assert burn.condition.truth(anew.sample, anew.sample.at, held=False) is False


def test_each_is_restored_once_those_with_alerts_first_and_the_usual_last(
    history: Connection,
) -> None:
    fleet = [watching(COUNT - 1) for _ in range(3)]
    [urgent] = fleet[1].rule_states[:1]
    urgent.set_episode(Episode(1, 1, NOW, AlertState.FIRING, Severity.HIGH, Severity.HIGH))
    seen = []
    for _ in range(7):
        done = restore_targets(history, [watching(), *fleet], seconds=0.0)
        seen.append((done, [one.windows_restored + one.baselines_restored for one in fleet]))
    assert seen == [
        (1, [0, 1, 0]),
        (1, [1, 1, 0]),
        (1, [1, 1, 1]),
        (1, [1, 2, 1]),
        (1, [2, 2, 1]),
        (1, [2, 2, 2]),
        (0, [2, 2, 2]),
    ]


@pytest.mark.parametrize("old", [0, 7, 200])
def test_a_saved_budget_goes_on_with_what_came_since(history: Connection, old: int) -> None:
    """Saved at a clean stop, or some scrapes before a kill: told is what a full count tells."""
    seen, past, anew = watching(*range(COUNT)), watching(COUNT - 1 - old), watching(COUNT - 1)
    restore_targets(history, [past])
    saved = {
        signal: SavedBudget("fraud", signal, budget.newest, budget.dump())
        for signal, budget in past.budgets.items()
    }
    assert restore_targets(history, [anew], saved=lambda _: saved) == 1
    assert told(anew) == told(seen)


def test_a_saved_budget_that_cannot_be_read_is_counted_again(history: Connection) -> None:
    seen, anew = watching(*range(COUNT)), watching(COUNT - 1)
    assert anew.sample is not None
    saved = {name: SavedBudget("fraud", name, anew.sample.at, b"?") for name in anew.budgets}
    restore_targets(history, [anew], saved=lambda _: saved)
    assert told(anew) == told(seen)
