"""Windows of signals, against the same arithmetic over a plain list."""

import math
from collections.abc import Callable
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.rules.rule import Aggregate
from watchdeck.engine.rules.sample_window import CELLS, SampleWindow

SPAN, EVERY = 600_000, 10_000
PLAIN: dict[Aggregate, Callable[[list[float]], float]] = {
    Aggregate.MEAN: fmean,
    Aggregate.LEAST: min,
    Aggregate.MOST: max,
}

values = st.floats(-1e6, 1e6) | st.just(math.nan)


@given(
    st.lists(st.tuples(st.integers(SPAN // CELLS, 90_000), values), max_size=200),
    st.sampled_from(list(PLAIN)),
    st.sampled_from([SPAN, SPAN // 3]),
    st.integers(1, 5),
)
def test_a_window_is_what_a_list_of_all_samples_says(
    steps: list[tuple[int, float]], aggregate: Aggregate, span: int, least: int
) -> None:
    window, kept, at = SampleWindow(SPAN, EVERY), list[tuple[int, float]](), 0
    window.register_limit(1e5, above=True)
    window.register_limit(-1e5, above=False)
    for step, value in steps:
        at += step
        window.add(at, value)
        if not math.isnan(value):
            kept.append((at, value))
    seen = [(when, value) for when, value in kept if at - span < when <= at]
    known = len(seen) >= least and 2 * (at - seen[0][0] + EVERY) >= span
    plain = PLAIN[aggregate]([value for _, value in seen]) if known else None
    found = window.aggregate(aggregate, span, at, least)
    assert found == (None if plain is None else pytest.approx(plain, abs=1e-6))
    assert window.has_enough(span, at, least) is known
    assert not window.is_quiet(at) or plain is None or abs(plain) <= 1e5


def test_a_minute_is_no_hour_and_one_scrape_an_hour_is() -> None:
    quick, slow = SampleWindow(3_600_000, 10_000), SampleWindow(3_600_000, 3_600_000)
    for at in range(0, 60_000, 10_000):
        quick.add(at, 1.0)
    slow.add(0, 1.0)
    assert quick.aggregate(Aggregate.MEAN, 3_600_000, 60_000) is None
    assert slow.aggregate(Aggregate.MEAN, 3_600_000, 60_000) == 1.0


def test_samples_that_come_fast_share_cells_and_keep_mean_and_extremes() -> None:
    window = SampleWindow(3_600_000, 1_000)
    for at in range(0, 3_600_000, 1_000):
        window.add(at, float(at % 7_000))
    plain = [float(at % 7_000) for at in range(0, 3_600_000, 1_000)]
    assert window.aggregate(Aggregate.MEAN, 3_600_000, 3_599_000) == pytest.approx(fmean(plain))
    assert window.aggregate(Aggregate.MOST, 3_600_000, 3_599_000) == 6_000.0
    assert len(window._times) <= CELLS


def test_a_clock_that_was_set_back_empties_the_window_and_the_same_moment_counts_once() -> None:
    window = SampleWindow(60_000, 10_000)
    for at in (500_000, 510_000, 510_000, 100_000):
        window.add(at, 1.0)
    assert window.aggregate(Aggregate.MEAN, 60_000, 510_000, 1) is None
    assert len(window._times) == 1


def test_infinite_values_are_compared_and_never_make_a_number_that_is_none() -> None:
    window = SampleWindow(60_000, 30_000)
    window.add(0, math.inf)
    assert window.aggregate(Aggregate.MEAN, 60_000, 0) == math.inf
    window.add(30_000, -math.inf)
    assert window.aggregate(Aggregate.MEAN, 60_000, 30_000) is None
