import math

import pytest

from watchdeck.domain.values.format import format_comparison, format_duration, format_value
from watchdeck.domain.values.units import Unit


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        pytest.param(None, Unit.RATIO, "unknown", id="nothing is unknown, never 0"),
        pytest.param(math.nan, Unit.SECONDS, "unknown", id="NaN is unknown"),
        pytest.param(math.inf, Unit.SECONDS, "∞", id="infinity is told"),
        pytest.param(0.412, Unit.SECONDS, "412 ms", id="under a second in ms"),
        pytest.param(0.0004, Unit.SECONDS, "0.4 ms", id="small in ms"),
        pytest.param(4.125, Unit.SECONDS, "4.12 s", id="seconds with three digits"),
        pytest.param(7_200.0, Unit.SECONDS, "2h", id="long times as a span"),
        pytest.param(0.999, Unit.RATIO, "99.9 %", id="a ratio in percent"),
        pytest.param(0.99951, Unit.RATIO, "99.951 %", id="not quite all is not all"),
        pytest.param(1e306, Unit.SECONDS, "1.00e+306 s", id="vast seconds are named"),
        pytest.param(1e307, Unit.RATIO, "1.00e+17 %", id="a vast ratio is named"),
        pytest.param(-1e308, Unit.PER_SECOND, "-1.00e+299 G/s", id="a vast rate is named"),
        pytest.param(0.0, Unit.PER_SECOND, "0/s", id="a measured zero is 0"),
        pytest.param(123_456.0, Unit.PER_SECOND, "123 k/s", id="thousands"),
        pytest.param(float(3 << 29), Unit.BYTES, "1.5 GiB", id="binary sizes"),
        pytest.param(13.9, Unit.DAYS, "13 d", id="days are never rounded up"),
        pytest.param(1.0, Unit.STATE, "yes", id="a state is a word"),
        pytest.param(1_240.0, Unit.COUNT, "1.24 k", id="counts are short"),
    ],
)
def test_a_quantity_is_said_with_its_unit(value: float | None, unit: Unit, text: str) -> None:
    assert format_value(value, unit) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        pytest.param(0, "0s", id="nothing"),
        pytest.param(-5, "0s", id="the future is now"),
        pytest.param(45_000, "45s", id="seconds"),
        pytest.param(200_000, "3m 20s", id="two parts"),
        pytest.param(725_000, "12m", id="ten of a unit need no finer one"),
        pytest.param(90_000_000, "1d 1h", id="days"),
    ],
)
def test_a_span_is_said_in_two_parts(milliseconds: int, text: str) -> None:
    assert format_duration(milliseconds) == text


def test_a_comparison_names_the_limit_and_a_state_needs_none() -> None:
    slow = format_comparison("latency_p95", 0.412, 0.2, Unit.SECONDS, above=True)
    assert slow == "latency_p95 412 ms > 200 ms"
    assert format_comparison("up", 0.0, 1.0, Unit.STATE, above=False) == "up no"


@pytest.mark.parametrize(
    ("value", "limit", "unit", "text"),
    [
        pytest.param(0.2001, 0.2, Unit.SECONDS, "x 200.1 ms > 200 ms", id="milliseconds"),
        pytest.param(125.4, 125.0, Unit.SECONDS, "x 125.4 s > 125 s", id="minutes"),
        pytest.param(0.010004, 0.01, Unit.RATIO, "x 1.0004 % > 1 %", id="percent"),
        pytest.param(2.3, 2.0, Unit.DAYS, "x 2.3 d > 2 d", id="days"),
        pytest.param(0.2, 0.2, Unit.SECONDS, "x 200 ms = 200 ms", id="at the limit"),
    ],
)
def test_a_value_and_its_limit_never_read_the_same(
    value: float, limit: float, unit: Unit, text: str
) -> None:
    assert format_comparison("x", value, limit, unit, above=True) == text
