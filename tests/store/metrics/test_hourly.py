"""What is kept of an hour equals what its scrapes were."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.store.metrics.rollups import (
    PERIOD,
    HourlyAggregate,
    HourlyValues,
    aggregate,
    combine_layouts,
    split_by_period,
)
from watchdeck.store.metrics.segments import HOUR

ABSENT = math.nan
VALUES = st.one_of(st.just(ABSENT), st.integers(-50, 50).map(float))


@given(
    st.lists(
        st.tuples(st.integers(0, 5 * HOUR), VALUES),
        min_size=1,
        max_size=40,
        unique_by=lambda row: row[0],
    )
)
def test_an_hour_has_the_lowest_highest_sum_count_and_last_of_its_values(
    rows: list[tuple[int, float]],
) -> None:
    rows = sorted(rows)
    times = np.array([at for at, _ in rows])
    rolled = aggregate(times, np.array([[v] for _, v in rows]), np.array([ABSENT]), b"\0")
    hours = sorted({at // HOUR * HOUR for at, _ in rows})
    assert HourlyAggregate.INCREASE not in rolled
    for n, hour in enumerate(hours):
        known = [v for at, v in rows if at // HOUR * HOUR == hour and not math.isnan(v)]
        expected = {
            HourlyAggregate.LOW: min(known, default=ABSENT),
            HourlyAggregate.HIGH: max(known, default=ABSENT),
            HourlyAggregate.TOTAL: sum(known) if known else ABSENT,
            HourlyAggregate.COUNT: len(known),
            HourlyAggregate.LAST: known[-1] if known else ABSENT,
        }
        found = {field: float(one.values[n, 0]) for field, one in rolled.items()}
        assert found == pytest.approx(expected, nan_ok=True)
        assert all(one.times[n] == hour for one in rolled.values())


@pytest.mark.parametrize(
    ("values", "before", "increases"),
    [
        pytest.param([5, 7, 7, 9], ABSENT, [2, 2], id="nothing before: the first value is no rise"),
        pytest.param([5, 7, 7, 9], 1, [6, 2], id="what rose since the hour before counts"),
        pytest.param([5, 7, 2, 3], 5, [2, 3], id="after a reset the whole new value counts"),
        pytest.param([5, ABSENT, ABSENT, 9], 5, [0, 4], id="an absent value is no step"),
        pytest.param([ABSENT, ABSENT, 1, 1], ABSENT, [ABSENT, 0], id="an hour without any value"),
    ],
)
def test_a_counter_has_its_increase_with_resets_corrected(
    values: list[float], before: float, increases: list[float]
) -> None:
    times = np.array([0, HOUR - 1, HOUR, HOUR + 1])
    gauge_and_counter = np.array([[v, v] for v in values])
    rolled = aggregate(times, gauge_and_counter, np.array([before, before]), b"\0\1")
    found = rolled[HourlyAggregate.INCREASE].values
    assert found[:, 1].tolist() == pytest.approx(increases, nan_ok=True)
    assert np.isnan(found[:, 0]).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (HourlyAggregate.LOW, 1),
        (HourlyAggregate.HIGH, 3),
        (HourlyAggregate.TOTAL, 4),
        (HourlyAggregate.COUNT, 4),
        (HourlyAggregate.LAST, 1),
        (HourlyAggregate.INCREASE, 4),
    ],
)
def test_an_hour_that_two_layouts_have_is_one_hour(field: HourlyAggregate, value: float) -> None:
    first = HourlyValues(np.array([0, HOUR]), np.array([3.0, 8.0]))
    second = HourlyValues(np.array([0]), np.array([1.0]))
    both = combine_layouts(field, [first, second])
    assert (both.times.tolist(), both.values.tolist()) == ([0, HOUR], [value, 8])


def test_hours_are_kept_by_their_period() -> None:
    hours = HourlyValues(np.array([0, PERIOD - HOUR, PERIOD]), np.array([[1.0], [2.0], [3.0]]))
    found = [
        (start, part.times.tolist(), part.values.tolist()) for start, part in split_by_period(hours)
    ]
    assert found == [(0, [0, PERIOD - HOUR], [[1], [2]]), (PERIOD, [PERIOD], [[3]])]


def test_the_numbers_of_the_fields_are_what_is_stored() -> None:
    assert [struct.pack("B", field) for field in HourlyAggregate] == [bytes((n,)) for n in range(6)]
