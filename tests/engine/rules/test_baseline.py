"""What is remembered of a signal: means of stretches, what is usual, and the week before."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.metrics.scrape import Frame
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.rules.anomaly import DAY, HOUR, WEEK
from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.rules.rule import Anomaly, Rule, WeekBefore
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.engine.backtest.replay import lookback, replay
from watchdeck.engine.restore import restore_baselines
from watchdeck.engine.rules.anomaly_conditions import (
    AnomalyCondition,
    WeekOverWeekCondition,
    baseline_for,
    week_over_week_for,
)
from watchdeck.engine.rules.baseline import BUCKET_WIDTH, BucketMeans, SignalBaseline, WeekOverWeek
from watchdeck.engine.rules.conditions import ScrapeValues
from watchdeck.engine.rules.target import Target, target_for
from watchdeck.store.files.connection import Connection, open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import LayoutTable, Stream, add_frame
from watchdeck.store.metrics.latest import register_endpoints
from watchdeck.store.metrics.raw import Block
from watchdeck.store.migrations import prepare

START = 1_795_392_000_000
"""Midnight of a Sunday."""

LATENCY = Anomaly("latency_p95", above=True)
PLACES = {"latency_p95": 0, "request_rate": 1}


def sample(at: int, value: float = 1.0) -> ScrapeValues:
    return ScrapeValues(at, array("d", [value, value]), PLACES)


def lived(values: list[float], test: Anomaly = LATENCY) -> AnomalyCondition:
    """A check after so many points of five minutes, the last of which is over."""
    check = AnomalyCondition(
        test, SignalBaseline(test.signal, 0.001, BUCKET_WIDTH, seasonal=test.seasonal)
    )
    for _ in living(check, values):
        pass
    return check


def living(check: AnomalyCondition, values: list[float], since: int = 0) -> Iterator[bool | None]:
    """What is told when each point is over; the first is so many points after the start."""
    for number, value in enumerate(values, since):
        at = START + number * BUCKET_WIDTH
        check.baseline.add(at, value)
        check.baseline.add(at + BUCKET_WIDTH, math.nan)
        yield check.truth(sample(at), at, held=False)


def steady(days: float, level: float = 1.0) -> list[float]:
    source = random.Random(3)
    return [source.gauss(level, level / 10) for _ in range(round(days * 288))]


@given(
    st.lists(
        st.tuples(st.integers(0, 40_000), st.floats(-1e3, 1e3) | st.just(math.nan)), min_size=1
    ),
    st.integers(0, 9_999),
)
def test_means_are_what_a_list_of_all_samples_says(
    steps: list[tuple[int, float]], shift: int
) -> None:
    means, kept, at = BucketMeans(10_000, 8, shift), dict[int, list[float]](), START
    for step, value in steps:
        at += step
        means.add(at, value)
        kept.setdefault((at + shift) // 10_000, []).append(value)
    newest = max(kept)
    plain = []
    for number in range(newest - 8, newest):
        known = [value for value in kept.get(number, []) if not math.isnan(value)]
        plain.append(fmean(known) if known else math.nan)
    if len(kept) > 1:
        assert means.newest(8).tolist() == pytest.approx(plain, nan_ok=True, abs=1e-2)
    assert means.number == (newest - 1 if len(kept) > 1 else -1)


def test_a_mean_of_a_time_takes_of_each_stretch_what_lies_in_it() -> None:
    means = BucketMeans(10_000, 8)
    for at, value in ((0, 1.0), (10_000, 5.0), (20_000, 9.0), (30_000, 0.0)):
        means.add(at, value)
    assert means.mean(0, 30_000) == 5
    assert means.mean(5_000, 15_000) == 3
    assert means.mean(15_000, 30_000) == pytest.approx(23 / 3)
    assert math.isnan(means.mean(20_000, 50_000))


def test_the_infinite_is_large_and_a_clock_set_back_goes_on_where_it_was() -> None:
    means = BucketMeans(10_000, 8)
    for at, value in ((0, math.inf), (10_000, -math.inf), (20_000, 1.0), (0, 3.0), (30_000, 0.0)):
        means.add(at, value)
    assert means.newest(3).tolist() == pytest.approx([3e38, -3e38, 2.0])


def test_a_year_in_which_nothing_came_is_passed_at_once() -> None:
    means = BucketMeans(10_000, 8)
    means.add(START, 1.0)
    means.add(START + 365 * DAY, 1.0)
    assert all(math.isnan(mean) for mean in means.newest(8))


def test_nothing_is_unusual_before_a_day_is_known() -> None:
    *first, last = living(lived([1.0]), [*steady(1), *[9.0] * 13], 1)
    assert {*first[:286]} == {None}
    assert last is True


def test_an_hour_out_is_unusual_and_ends_when_it_is_back() -> None:
    check = lived(steady(7))
    told = [*living(check, [*[2.0] * 12, *steady(0.5)], 7 * 288)]
    assert told[:12] == [True] * 12
    assert not any(told[14:])


def test_noise_as_it_always_is_is_not_unusual() -> None:
    check = lived(steady(7))
    assert not any(living(check, steady(3)[100:], 7 * 288))


def test_a_level_that_lasts_is_usual_within_a_day() -> None:
    check = lived(steady(7))
    told = [*living(check, steady(2, 2.0), 7 * 288)]
    assert told[:24] == [True] * 24
    assert not any(told[288:])


def test_what_returns_every_night_is_told_once_in_three_days() -> None:
    night = [*[2.5] * 6, *steady(1)[6:]]
    check = lived(steady(7))
    told = [*living(check, night * 6, 7 * 288)]
    assert [any(told[day * 288 : day * 288 + 288]) for day in range(4)] == [
        True,
        False,
        False,
        False,
    ]


def test_a_stretch_without_values_is_unknown_and_so_is_a_scrape_without_one() -> None:
    check = lived(steady(2))
    at = START + 2 * 288 * BUCKET_WIDTH
    assert check.truth(sample(at, math.nan), at, held=False) is None
    check.baseline.add(at + 4 * BUCKET_WIDTH, 1.0)
    assert check.truth(sample(at), at, held=False) is None
    assert check.measure(sample(at), at).value is None


def daily(number: int) -> float:
    return 10 + 8 * math.sin(math.tau * number / 288)


def test_with_a_season_the_hour_of_the_day_is_what_is_usual() -> None:
    source = random.Random(4)
    week = [daily(number) + source.gauss(0, 0.3) for number in range(14 * 288)]
    plain, seasonal = (
        lived(week, Anomaly("request_rate", seasonal=seasonal)) for seasonal in (False, True)
    )
    quiet = [week[number] for number in range(60)]
    noon = [10.0] * 12
    for check, unusual in ((plain, False), (seasonal, True)):
        assert not any(living(check, quiet, 14 * 288))
        assert any(living(check, noon, 14 * 288 + 61)) is unusual


@pytest.mark.parametrize("number", [250, 1_000, 6 * 288 + 130])
def test_without_a_week_of_history_a_season_changes_nothing(number: int) -> None:
    source = random.Random(5)
    past = [daily(point) + source.gauss(0, 0.3) for point in range(number)]
    then = [*past[-100:], 40.0, 10.0, 10.0, *[25.0] * 13]
    told = [
        [*living(lived(past, Anomaly("request_rate", seasonal=seasonal)), then, number)]
        for seasonal in (False, True)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        pytest.param([1.0] * 11 + [9.0], "latency_p95 9 s > 1.3 s (usually 1 s)", id="a point"),
        pytest.param(
            [1.2] * 12,
            "latency_p95 1.2 s > 1.09 s (for an hour, usually 1 s)",
            id="an hour",
        ),
        pytest.param([1.0], "latency_p95 1 s < 1.3 s (usually 1 s)", id="neither"),
    ],
)
def test_it_says_how_it_is_and_how_it_usually_is(values: list[float], why: str) -> None:
    check = lived([1.0] * 600 + values)
    assert check.measure(sample(START), START).why == why


def test_one_side_says_where_the_other_would_be() -> None:
    below = lived([1.0] * 600 + [0.5], Anomaly("latency_p95"))
    assert below.measure(sample(START), START).why == "latency_p95 500 ms < 700 ms (usually 1 s)"


def test_a_week_is_remembered_in_eight_kilobytes() -> None:
    kept = lived(steady(9)).baseline._points._means
    assert len(kept) * kept.itemsize < 8_192


def test_endpoints_look_at_moments_of_their_own() -> None:
    moments = {
        baseline_for(f"model-{number}", 10_000, LATENCY)._points._shift for number in range(99)
    }
    assert len(moments) > 90
    assert baseline_for("a", HOUR, LATENCY)._points.width == HOUR


WEEKLY = WeekBefore("request_rate", above=False, ratio=0.5)


def weekly(
    last: list[float], this: list[float], test: WeekBefore = WEEKLY
) -> WeekOverWeekCondition:
    """A check after an hour of this week, and the points of the last week from the same hour on."""
    check = WeekOverWeekCondition(test, WeekOverWeek(test.signal, test.window, BUCKET_WIDTH))
    rest = [7.0] * (WEEK // BUCKET_WIDTH - len(last))
    for number, value in enumerate([*[7.0] * 12, *last, *rest, *this, 0.0]):
        check.comparison.add(START + number * BUCKET_WIDTH, value)
    return check


@pytest.mark.parametrize(
    ("last", "this", "above", "truth"),
    [
        pytest.param([20.0] * 24, [9.0] * 15, False, True, id="less than half"),
        pytest.param([20.0] * 24, [11.0] * 15, False, False, id="more than half"),
        pytest.param([20.0] * 24, [41.0] * 15, True, True, id="more than twice"),
        pytest.param([20.0] * 24, [39.0] * 15, True, False, id="less than twice"),
        pytest.param([0.0] * 24, [0.0] * 15, False, False, id="nothing, as a week before"),
        pytest.param([0.0] * 24, [5.0] * 15, True, None, id="many times nothing"),
        pytest.param([math.nan] * 24, [5.0] * 15, False, None, id="no week before"),
        pytest.param([20.0] * 24, [math.nan] * 15, False, None, id="no week now"),
    ],
)
def test_a_week_is_held_against_the_week_before(
    last: list[float], this: list[float], *, above: bool, truth: bool | None
) -> None:
    test = WeekBefore("request_rate", above, 2.0 if above else 0.5)
    check = weekly(last, this, test)
    assert check.truth(sample(START), START, held=False) is truth


def test_a_week_says_both_of_them() -> None:
    check = weekly([20.0] * 24, [9.0] * 15)
    why = "request_rate 9/s < 10/s (50 % of the week before, over 1h)"
    assert check.measure(sample(START), START).why == why
    unknown = weekly([math.nan] * 24, [9.0] * 15).measure(sample(START), START)
    assert (unknown.value, unknown.limit) == (None, None)


def test_what_is_done_ten_minutes_later_than_a_week_before_is_not_missing() -> None:
    check = weekly([20.0] * 12 + [0.0] * 12, [20.0] * 10 + [0.0] * 6)
    assert check.truth(sample(START), START, held=False) is False


def test_a_long_window_moves_on_in_larger_steps() -> None:
    found = week_over_week_for("a", 10_000, WeekBefore("request_rate", False, 0.5, 2 * WEEK))
    assert found._points.width == 2 * WEEK // 48


EVERY = 60_000
LAYOUT = signal_layout(("latency_p95", "request_rate"))
COLUMNS = [series.name for series in LAYOUT.series]
FRAUD = EndpointFacts("fraud", "http://fraud", EVERY)
WHEN = (
    "anomaly(latency_p95) above",
    "anomaly(request_rate) seasonal",
    "request_rate < 50% of last week over 1h",
)
RULES = tuple(Rule(when, when, read_condition(when).test) for when in WHEN)
COUNT = 8 * 1_440


def values(number: int) -> array[float]:
    unusual = 7.5 * 1_440 < number < 7.6 * 1_440
    known = {
        "outcome": 0.0,
        "ready": 1.0,
        "latency_p95": 1 + number % 7 / 10 + 3 * unusual,
        "request_rate": daily(number // 5),
    }
    return array("d", (known.get(column, math.nan) for column in COLUMNS))


def taken(number: int) -> ScrapeValues:
    places = {name: place for place, name in enumerate(COLUMNS)}
    return ScrapeValues(START + number * EVERY, values(number), places)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Connection]:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    with closing(open_writable(directory.metrics, synchronous="OFF")) as db:
        layouts = LayoutTable(db)
        with transaction(db):
            number = register_endpoints(db, [FRAUD], START)["fraud"]
            for each in range(COUNT):
                at = START + each * EVERY
                add_frame(db, layouts, number, at, Stream.SIGNALS, Frame(LAYOUT, values(each)))
        with closing(open_readonly(directory.metrics)) as reading:
            yield reading


def watching(*numbers: int) -> Target:
    watched = target_for(FRAUD, None, RULES, START)
    for number in numbers:
        watched.add_sample(taken(number))
    return watched


def told(watched: Target) -> list[tuple[bool | None, str]]:
    found = watched.sample
    assert found is not None
    return [
        (
            one.condition.truth(found, found.at, held=False),
            one.condition.measure(found, found.at).why,
        )
        for one in watched.rule_states
    ]


def test_what_is_recalled_is_as_if_all_had_been_seen(history: Connection) -> None:
    seen, anew = watching(*range(COUNT)), watching(COUNT - 1)
    assert [truth for truth, _ in told(anew)] == [None] * 3
    restore_baselines(history, anew)
    assert told(anew)[::2] == told(seen)[::2]
    assert [truth for truth, _ in told(anew)] == [truth for truth, _ in told(seen)] == [False] * 3


def test_what_was_told_before_a_restart_is_no_news_after_it(history: Connection) -> None:
    anew, again = watching(COUNT - 1), []
    restore_baselines(history, anew)
    for number in range(COUNT, COUNT + 12):
        anew.add_sample(taken(number)._replace(values=values(round(7.55 * 1_440))))
        again += [truth for truth, _ in told(anew)[:1]]
    assert again == [False] * 12


def block(count: int, every: int = EVERY, start: int = START) -> Block:
    import numpy as np

    rows = np.array([values(number * every // EVERY) for number in range(count)])
    return Block(tuple(COLUMNS), [start + number * every for number in range(count)], rows)


def test_a_replay_tells_the_unusual_once_and_that_it_knew_nothing_for_a_day() -> None:
    played = replay(RULES[0], FRAUD, None, [block(COUNT)], START)
    [firing] = played.firings
    assert 0 < firing.at - (START + round(7.5 * DAY)) <= 2 * BUCKET_WIDTH
    assert played.unknown == pytest.approx(1_440 + 60, abs=10)


def test_a_replay_over_another_pace_goes_on_with_what_it_knows() -> None:
    slow, fast = block(3 * 720, 2 * EVERY), block(600, EVERY // 2, START + 3 * DAY)
    played = replay(
        RULES[0], EndpointFacts("fraud", "", EVERY // 2), None, [slow, fast], START + 3 * DAY
    )
    assert played.unknown == 0


@pytest.mark.parametrize(
    ("when", "reach"),
    [
        pytest.param("anomaly(latency_p95)", WEEK + DAY, id="a week and a day"),
        pytest.param("anomaly(latency_p95) seasonal", 4 * WEEK, id="four weeks for seasons"),
        pytest.param("latency_p95 > 2x last week over 3h", WEEK + 6 * HOUR, id="the week before"),
    ],
)
def test_a_replay_begins_early_enough(when: str, reach: int) -> None:
    assert lookback(Rule("it", when, read_condition(when).test)) == reach
