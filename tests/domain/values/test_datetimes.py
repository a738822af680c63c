"""Hours and days of the week are read as a person writes them, the night past midnight too."""

from datetime import UTC, datetime

import pytest

from watchdeck.domain.values.datetimes import is_within, read_days, read_hours


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("8-18", "is not a span of the day", id="no minutes"),
        pytest.param("08:00-24:01", "ends after 24:00", id="beyond midnight"),
        pytest.param("08:00-08:00", "has no length", id="no length"),
    ],
)
def test_hours_that_cannot_be_are_refused_with_an_example(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"{said}; write 08:00-18:00, or 18:00-08:00"):
        read_hours(text)


def test_a_word_that_is_no_weekday_is_refused() -> None:
    with pytest.raises(ValueError, match="write mon-fri, or sat, sun"):
        read_days("mon-someday")


@pytest.mark.parametrize(
    ("moment", "hours", "days", "expected"),
    [
        pytest.param("2026-01-05T08:00", "08:00-18:00", "mon", True, id="the first minute"),
        pytest.param("2026-01-05T18:00", "08:00-18:00", "mon", False, id="the end is outside"),
        pytest.param("2026-01-05T23:00", "18:00-08:00", "mon", True, id="the night of Monday"),
        pytest.param("2026-01-06T07:59", "18:00-08:00", "mon", True, id="its last minute"),
        pytest.param("2026-01-05T07:59", "18:00-08:00", "mon", False, id="the night of Sunday"),
        pytest.param("2026-01-06T12:00", "18:00-08:00", "", False, id="by day, any day"),
        pytest.param("2026-01-06T12:00", "", "tue, sat-sun", True, id="all day"),
    ],
)
def test_a_time_is_within_hours_of_days(
    moment: str, hours: str, days: str, *, expected: bool
) -> None:
    at = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1_000)
    assert is_within(at, hours, days, "UTC") is expected
