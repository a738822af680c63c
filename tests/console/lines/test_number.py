import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.console.lines.line import NO_VALUE, width
from watchdeck.console.lines.number import (
    cell_text,
    describe_value,
    interval,
    marked_text,
    percent,
    round_to_bucket,
)
from watchdeck.domain.board.board import SignalValue
from watchdeck.domain.values.units import Unit

S, RATIO, RATE = Unit.SECONDS, Unit.RATIO, Unit.PER_SECOND


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        pytest.param(None, NO_VALUE, id="no reading is a dash, never 0"),
        pytest.param(SignalValue(math.nan, S), NO_VALUE, id="NaN is a dash"),
        pytest.param(SignalValue(0.412, S), "412ms", id="milliseconds"),
        pytest.param(SignalValue(0.01987, S, 0.01, 0.025), "20ms", id="no finer than its bucket"),
        pytest.param(SignalValue(10.0, S, 10.0, math.inf), ">10s", id="beyond the last bound"),
        pytest.param(SignalValue(10.0, S, 10.0, None), ">10s", id="beyond it, said with None"),
        pytest.param(SignalValue(1_250.0, RATE), "1.25k", id="a rate has its unit in the head"),
        pytest.param(SignalValue(0.0, RATE), "0", id="a true zero is 0"),
        pytest.param(SignalValue(0.0042, RATIO), "0.42%", id="a share"),
        pytest.param(SignalValue(0.99996, RATIO), "99.9%", id="almost all is not all"),
        pytest.param(SignalValue(1.0, RATIO), "100%", id="all"),
        pytest.param(SignalValue(0.00001, RATIO), "<.01%", id="almost none is not none"),
        pytest.param(SignalValue(1e306, S), "1e+306", id="a figure that no page means"),
        pytest.param(SignalValue(math.inf, S), "∞", id="endless"),
    ],
)
def test_a_reading_in_a_cell(reading: SignalValue | None, expected: str) -> None:
    assert cell_text(reading) == expected


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        pytest.param(SignalValue(0.01987, S, 0.01, 0.025), "20 ms in 10-25 ms", id="bucket"),
        pytest.param(SignalValue(0.0038, S, 0.0, 0.005), "3.8 ms in 0-5 ms", id="first bucket"),
        pytest.param(SignalValue(0.7, S, 0.5, 1.0), "700 ms in 500 ms-1 s", id="units differ"),
        pytest.param(SignalValue(10.0, S, 10.0, math.inf), "> 10 s", id="beyond the last bound"),
        pytest.param(SignalValue(0.9995, RATIO), "99.95 %", id="availability"),
        pytest.param(SignalValue(1.3e9, Unit.BYTES), "1.21 GiB", id="bytes"),
    ],
)
def test_a_reading_in_a_sentence(reading: SignalValue, expected: str) -> None:
    assert describe_value(reading) == expected


@given(
    st.floats(1e-4, 100),
    st.floats(1.01, 10),
    st.floats(0, 1),
)
def test_rounding_stays_inside_the_bucket(low: float, factor: float, share: float) -> None:
    high = low * factor
    assert low <= round_to_bucket(low + share * (high - low), low, high) <= high


@given(st.floats(1e-6, 1e12), st.sampled_from([S, RATIO, RATE, Unit.COUNT]))
def test_a_cell_never_has_an_exponent(value: float, unit: Unit) -> None:
    text = cell_text(SignalValue(min(value, 1.0) if unit is RATIO else value, unit))
    assert "e" not in text
    assert width(text) <= 9


def test_an_empty_bucket_leaves_the_value() -> None:
    assert round_to_bucket(0.02, 0.02, 0.02) == 0.02


def test_whole_percents_are_never_rounded_up() -> None:
    assert percent(SignalValue(0.999, RATIO)) == "99%"
    assert percent(SignalValue(0.29, RATIO)) == "29%"
    assert percent(None) == NO_VALUE


def test_the_unit_of_an_interval_is_said_once() -> None:
    assert interval(0.01, 0.025, S) == "10-25 ms"


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        pytest.param("412ms", "412ms*", id="room"),
        pytest.param("12.25%", "12.2%*", id="fewer decimals"),
        pytest.param("123.4%", "123%*", id="no decimals"),
        pytest.param("0.042%", "0.042%", id="never a 0 that is none"),
        pytest.param(">250ms", ">250ms", id="no room"),
    ],
)
def test_a_mark_takes_the_place_of_decimals(text: str, marked: str) -> None:
    assert marked_text(text, 6) == marked
    assert len(marked) <= 6
