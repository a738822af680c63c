"""What is usual and what is not: the two-speed rule, its seasons and its gate."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.rules.anomaly import (
    DAY,
    FINEST,
    HOUR,
    REMEMBERED,
    WORSE,
    Baseline,
    Deviation,
    NoveltyGate,
    Seasonality,
    anomaly_score,
    baseline_of,
    seasonality_of,
)
from watchdeck.domain.rules.rule import Anomaly
from watchdeck.domain.values.units import Unit

WIDTH = 300_000
WEEK_OF_POINTS = 2_016
TEST = Anomaly("latency_p95", high=6, low=2)


def known(points: list[float], finest: float = 1e-9) -> Baseline:
    found = baseline_of(points, finest, WIDTH)
    assert found is not None
    return found


def noise(count: int = WEEK_OF_POINTS, deviation: float = 1.0) -> list[float]:
    source = random.Random(1)
    return [source.gauss(10, deviation) for _ in range(count)]


def test_a_deviation_of_what_is_normally_distributed_is_its_standard_deviation() -> None:
    found = known(noise())
    assert found.centre == pytest.approx(10, abs=0.1)
    assert found.above == pytest.approx(1, rel=0.1)
    assert found.below == pytest.approx(1, rel=0.1)


def test_the_side_with_the_longer_tail_has_the_larger_deviation() -> None:
    found = known([math.exp(value - 10) for value in noise()])
    assert found.above > 2 * found.below
    assert found.deviations(found.centre + found.above) == pytest.approx(1)
    assert found.deviations(found.centre - found.below) == pytest.approx(-1)


def test_points_that_are_far_out_do_not_move_what_is_usual() -> None:
    few = noise()
    few[:8] = [1e6] * 8
    assert known(few).centre == pytest.approx(10, abs=0.1)
    assert known(few).above < 1.5
    many = noise()
    many[: WEEK_OF_POINTS * 2 // 5] = [1e6] * (WEEK_OF_POINTS * 2 // 5)
    assert known(many).centre < 12


@pytest.mark.parametrize(
    ("value", "finest", "deviation"),
    [
        pytest.param(0.0, FINEST[Unit.RATIO], 0.002, id="errors that never were"),
        pytest.param(200.0, FINEST[Unit.SECONDS], 10.0, id="a twentieth of the centre"),
        pytest.param(-200.0, FINEST[Unit.COUNT], 10.0, id="also of a negative one"),
    ],
)
def test_what_never_varies_has_a_deviation_all_the_same(
    value: float, finest: float, deviation: float
) -> None:
    assert known([value] * WEEK_OF_POINTS, finest) == Baseline(value, deviation, deviation)


def test_every_unit_of_a_measure_has_a_finest_step() -> None:
    assert {*Unit} - {*FINEST} == {Unit.STATE}
    assert min(FINEST.values()) > 0


def test_less_than_a_day_tells_nothing_and_what_is_missing_is_no_point() -> None:
    assert baseline_of(noise(287), 1e-9, WIDTH) is None
    assert baseline_of([*noise(287), *[math.nan] * 999], 1e-9, WIDTH) is None
    assert baseline_of([*noise(288), *[math.nan] * 999], 1e-9, WIDTH) is not None
    assert baseline_of(noise(23), 1e-9, 6 * HOUR) is None


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1e6), st.floats(0.001, 1e6), st.floats(-1e3, 1e3))
def test_deviations_and_values_are_two_words_for_one_thing(
    centre: float, above: float, below: float, deviations: float
) -> None:
    found = Baseline(centre, above, below)
    assert found.deviations(found.value(deviations)) == pytest.approx(deviations, abs=1e-3)


@pytest.mark.parametrize(
    ("seen", "above", "unusual"),
    [
        pytest.param(Deviation(6.1, 0, 0), None, True, id="one point far out"),
        pytest.param(Deviation(5.9, 1.9, 1.9), None, False, id="one point less far"),
        pytest.param(Deviation(0, 2.1, 2.1), None, True, id="an hour and its end a little out"),
        pytest.param(Deviation(0, 2.1, 1.9), None, False, id="a quarter of an hour alone"),
        pytest.param(Deviation(0, 1.9, 2.1), None, False, id="an hour that is over"),
        pytest.param(Deviation(-6.1, 0, 0), None, True, id="far below"),
        pytest.param(Deviation(0, -2.1, -2.1), None, True, id="an hour below"),
        pytest.param(Deviation(0, -2.1, 2.1), None, False, id="once above, once below"),
        pytest.param(Deviation(-6.1, -3, -3), True, False, id="below where above counts"),
        pytest.param(Deviation(6.1, 3, 3), False, False, id="above where below counts"),
    ],
)
def test_it_is_unusual_at_two_speeds(seen: Deviation, *, above: bool | None, unusual: bool) -> None:
    assert (anomaly_score(seen, Anomaly("latency_p95", above, 6, 2)) > 1) is unusual


deviations = st.floats(-20, 20)


@given(
    seen=st.builds(Deviation, deviations, deviations, deviations),
    above=st.sampled_from([None, True, False]),
)
def test_how_far_is_more_than_one_just_where_the_rule_says(
    seen: Deviation, *, above: bool | None
) -> None:
    up = seen.point > 6 or (seen.quarter > 2 and seen.hour > 2)
    down = seen.point < -6 or (seen.quarter < -2 and seen.hour < -2)
    said = {None: up or down, True: up, False: down}[above]
    assert (anomaly_score(seen, Anomaly("latency_p95", above, 6, 2)) > 1) is said


def test_what_goes_on_is_news_until_it_was_away_for_long() -> None:
    news = NoveltyGate(HOUR)
    told = [news.is_news(2, at) for at in (0, HOUR // 2, HOUR, 2 * HOUR)]
    assert told == [True] * 4
    assert not news.is_news(2, 3 * HOUR + 1)


@pytest.mark.parametrize(
    ("far", "after", "tells"),
    [
        pytest.param(2.0, DAY, False, id="as far out again"),
        pytest.param(2.0 * WORSE - 0.1, DAY, False, id="a little further"),
        pytest.param(2.0 * WORSE + 0.1, DAY, True, id="much further"),
        pytest.param(1.1, REMEMBERED - 1, False, id="remembered"),
        pytest.param(1.1, REMEMBERED, True, id="forgotten"),
    ],
)
def test_what_comes_and_goes_is_news_once_in_three_days(
    far: float, after: int, *, tells: bool
) -> None:
    news = NoveltyGate(HOUR)
    assert news.is_news(2.0, 0)
    assert news.is_news(far, after) is tells


def test_it_is_measured_by_the_furthest_of_the_last_time() -> None:
    news = NoveltyGate(HOUR)
    assert news.is_news(2.0, 0)
    assert news.is_news(9.0, HOUR)
    assert not news.is_news(9.0, DAY)


def days(count: int, of_hour: list[float], deviation: float = 0.5) -> list[float]:
    source = random.Random(2)
    return [of_hour[hour % len(of_hour)] + source.gauss(0, deviation) for hour in range(24 * count)]


DAILY = [10 + 5 * math.sin(math.tau * hour / 24) for hour in range(24)]
WEEKLY = [value if hour < 120 else value - 6 for hour, value in enumerate(DAILY * 7)]


def test_hours_that_are_alike_every_day_are_a_season() -> None:
    found = seasonality_of(days(7, DAILY), 0)
    assert found is not None
    assert len(found.hours) == 24
    assert found.hours[6] - found.hours[18] == pytest.approx(10, abs=1)


def test_a_season_begins_at_the_hour_of_the_first_mean() -> None:
    found = seasonality_of(days(8, DAILY, 0.05)[7:], 7)
    assert found is not None
    assert found.hours[6] == max(found.hours)


def test_a_week_is_a_season_once_three_are_known() -> None:
    two, three = seasonality_of(days(20, WEEKLY), 0), seasonality_of(days(21, WEEKLY), 0)
    assert two is not None
    assert len(two.hours) == 24
    assert three is not None
    assert len(three.hours) == 168


@pytest.mark.parametrize(
    "means",
    [
        pytest.param([], id="nothing"),
        pytest.param([math.nan] * 999, id="nothing known"),
        pytest.param(days(28, [10.0], 3), id="mere noise"),
        pytest.param(days(7, DAILY)[1:], id="less than a week"),
        pytest.param([5.0] * 999, id="what never varies"),
    ],
)
def test_there_is_no_season_in(means: list[float]) -> None:
    assert seasonality_of(means, 0) is None


def test_between_the_middles_of_hours_a_season_goes_straight() -> None:
    found = Seasonality((0.0, 10.0, *[0.0] * 22))
    assert found.offset_at(DAY + HOUR // 2) == 0
    assert found.offset_at(DAY + HOUR) == 5
    assert found.offset_at(DAY + 3 * HOUR // 2) == 10
    assert found.offset_at(DAY - HOUR // 2) == 0


def test_a_time_that_adds_much_is_held_against_more() -> None:
    assert Baseline(10, 1, 1).with_offset(90) == Baseline(100, 5, 5)
    assert Baseline(10, 7, 8).with_offset(90) == Baseline(100, 7, 8)
