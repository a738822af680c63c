import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.signals.functions import make_monotone, quantile

BOUNDS = (0.1, 0.2, 0.4, math.inf)


@pytest.mark.parametrize(
    ("share", "counts", "wanted"),
    [
        pytest.param(0.5, [10, 20, 20, 20], (0.1, 0.0, 0.1), id="the rank at a bound is the bound"),
        pytest.param(0.25, [10, 20, 20, 20], (0.05, 0.0, 0.1), id="the first bucket begins at 0"),
        pytest.param(0.75, [10, 20, 20, 20], (0.15, 0.1, 0.2), id="half way into a bucket"),
        pytest.param(0.9, [0, 0, 10, 10], (0.38, 0.2, 0.4), id="empty buckets are passed over"),
        pytest.param(
            0.99, [10, 20, 20, 40], (0.4, 0.4, math.inf), id="beyond the last bound is 'more than'"
        ),
    ],
)
def test_a_quantile_is_interpolated_as_prometheus_does(
    share: float, counts: list[float], wanted: tuple[float, float, float]
) -> None:
    assert quantile(share, BOUNDS, counts) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("bounds", "counts"),
    [
        pytest.param(BOUNDS, [0.0, 0.0, 0.0, 0.0], id="nothing was observed"),
        pytest.param((math.inf,), [7.0], id="there is no finite bucket"),
        pytest.param(BOUNDS, [math.nan] * 4, id="the counts are no numbers"),
    ],
)
def test_a_quantile_of_nothing_is_unknown(bounds: tuple[float, ...], counts: list[float]) -> None:
    assert all(math.isnan(part) for part in quantile(0.95, bounds, counts))


def test_a_first_bucket_below_zero_gives_its_bound() -> None:
    assert quantile(0.5, (-1.0, 0.0, math.inf), [9.0, 9.0, 9.0]) == (-1.0, -math.inf, -1.0)


def test_buckets_that_were_read_torn_are_made_monotone() -> None:
    assert make_monotone([1.0, 5.0, 4.0, 9.0]) == [1.0, 5.0, 5.0, 9.0]


@given(
    shares=st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99)),
    bounds=st.lists(st.floats(0.001, 1e6), min_size=1, max_size=12, unique=True),
    data=st.data(),
)
def test_a_quantile_lies_within_its_bucket_and_grows_with_the_share(
    shares: tuple[float, float], bounds: list[float], data: st.DataObject
) -> None:
    size = len(bounds) + 1
    counts = data.draw(st.lists(st.integers(0, 1_000), min_size=size, max_size=size))
    cumulative = [float(count) for count in accumulate(counts)]
    edges = (*sorted(bounds), math.inf)
    small, large = (quantile(share, edges, cumulative) for share in sorted(shares))
    if cumulative[-1] == 0:
        assert math.isnan(small[0])
        return
    for value, low, high in (small, large):
        assert low <= value <= high
    assert small[0] <= large[0]
