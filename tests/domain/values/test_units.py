import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio

WHOLE = st.integers(0, (1 << 63) - 1)


@given(WHOLE)
def test_a_duration_reads_what_it_prints(value: int) -> None:
    assert Milliseconds.parse(str(Milliseconds(value))) == value


@given(WHOLE)
def test_a_size_reads_what_it_prints(value: int) -> None:
    assert Bytes.parse(str(Bytes(value))) == value


@given(st.floats(0, 1))
def test_a_ratio_reads_what_it_prints_to_the_last_bit(value: float) -> None:
    assert Ratio.parse(str(Ratio(value))) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("10s", 10_000, id="seconds"),
        pytest.param("250ms", 250, id="milliseconds"),
        pytest.param("1.5m", 90_000, id="half a minute more"),
        pytest.param(" 2 h ", 7_200_000, id="with blanks"),
        pytest.param("30d", 30 * 86_400_000, id="days"),
        pytest.param("2w", 14 * 86_400_000, id="weeks"),
        pytest.param("0s", 0, id="none at all"),
    ],
)
def test_a_duration_is_read(text: str, value: int) -> None:
    assert Milliseconds.parse(text) == value


def test_a_duration_is_told_in_seconds_too() -> None:
    assert Milliseconds.parse("1.5s").seconds == 1.5


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Milliseconds(90_000), "90s", id="the largest unit that divides it"),
        pytest.param(Milliseconds(1_209_600_000), "2w", id="weeks"),
        pytest.param(Milliseconds(0), "0s", id="no time"),
        pytest.param(Ratio(0.999), "99.9%", id="a share as a percentage"),
        pytest.param(Ratio(1.0), "100%", id="the whole"),
        pytest.param(Ratio(0.0), "0%", id="nothing"),
        pytest.param(Ratio(1e-7), "0.00001%", id="no exponent"),
        pytest.param(Bytes(1 << 20), "1MiB", id="a binary size"),
        pytest.param(Bytes(512_000), "500KiB", id="binary before decimal where both divide"),
        pytest.param(Bytes(3_000), "3kB", id="a decimal size"),
        pytest.param(Bytes(0), "0B", id="no size"),
    ],
)
def test_a_unit_is_printed(value: Milliseconds | Ratio | Bytes, text: str) -> None:
    assert f"{value}" == text


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        pytest.param(Milliseconds, "10", "'10' has no unit; units are ms, s, m", id="no unit"),
        pytest.param(
            Milliseconds, "10 sec", "'10 sec' has an unknown unit (sec)", id="another unit"
        ),
        pytest.param(Milliseconds, "soon", "'soon' is not a duration; write", id="words"),
        pytest.param(Milliseconds, "-5s", "'-5s' is not a duration", id="less than nothing"),
        pytest.param(Milliseconds, "0.5ms", "'0.5ms' is finer than 1ms", id="too fine"),
        pytest.param(Milliseconds, "9" * 300 + "w", "is too much", id="longer than the store"),
        pytest.param(Milliseconds, "9" * 5_000, "is not a duration", id="thousands of digits"),
        pytest.param(Milliseconds, "٣s", "is not a duration", id="digits of another script"),
        pytest.param(Ratio, "101%", "is more than the whole", id="more than all"),
        pytest.param(Ratio, "99", "is more than the whole", id="a forgotten percent sign"),
        pytest.param(Ratio, "5s", "is not a ratio", id="a duration for a ratio"),
        pytest.param(Bytes, "1mb", "has an unknown unit (mb); units are B, kB", id="small letters"),
        pytest.param(Bytes, "0.5B", "is finer than 1B", id="half a byte"),
        pytest.param(Bytes, "a\x1b[31m", r"'a\x1b[31m' is not a size", id="an escape, shown"),
    ],
)
def test_what_is_no_unit_is_refused_in_words(
    kind: type[Milliseconds | Ratio | Bytes], text: str, said: str
) -> None:
    with pytest.raises(ValueError, match=r"^'") as refused:
        kind.parse(text)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 200


BLANKS = " " * 1_000_000


def test_a_million_blanks_around_a_duration_are_skipped_once() -> None:
    assert Milliseconds.parse(f"{BLANKS}1{BLANKS}s{BLANKS}") == 1_000
    with pytest.raises(ValueError, match="is not a duration"):
        Milliseconds.parse(f"1{BLANKS}!")
