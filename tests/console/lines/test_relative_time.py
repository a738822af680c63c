from datetime import UTC, timedelta, timezone

import pytest

from watchdeck.console.lines.relative_time import (
    age_phrase,
    clock_time,
    format_age_short,
    round_to_step,
    short_duration,
    utc_offset,
    utc_offset_ms,
)

NOW = 1_795_410_000_000


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        pytest.param(-2_000, "<5s", id="a clock that is ahead is no age"),
        pytest.param(4_999, "<5s", id="fresh"),
        pytest.param(29_999, "25s", id="steps of five seconds"),
        pytest.param(60_000, "1m", id="a minute"),
        pytest.param(3_599_999, "59m", id="almost an hour"),
        pytest.param(3_600_000, "1h", id="an hour"),
        pytest.param(7_500_000, "2h 5m", id="hours and minutes"),
        pytest.param(50_400_000, "14h", id="half a day has no minutes"),
        pytest.param(259_200_000, "3d", id="days"),
    ],
)
def test_an_age_is_said_coarsely(milliseconds: int, expected: str) -> None:
    assert short_duration(milliseconds) == expected


def test_an_age_that_is_not_known_is_a_dash() -> None:
    assert format_age_short(None, NOW) == "–"  # noqa: RUF001 - the dash on the screen


def test_a_brief_age_has_one_part() -> None:
    assert format_age_short(NOW - 7_500_000, NOW) == "2h"


@pytest.mark.parametrize(
    ("at", "expected"),
    [(None, "never"), (NOW - 1_000, "just now"), (NOW - 720_000, "12m ago")],
)
def test_an_age_as_a_phrase(at: int | None, expected: str) -> None:
    assert age_phrase(at, NOW) == expected


def test_the_moment_that_ages_are_drawn_for_moves_in_steps() -> None:
    assert {round_to_step(NOW + step) for step in range(5_000)} == {NOW}


def test_the_clock_is_the_readers() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    assert clock_time(NOW, UTC) == "05:00"
    assert clock_time(NOW, zone) == "10:30"
    assert (utc_offset(NOW, UTC), utc_offset(NOW, zone)) == ("UTC", "+05:30")
    assert utc_offset_ms(NOW, zone) == 19_800_000


def test_without_a_zone_the_clock_is_the_machines() -> None:
    assert len(clock_time(NOW, None)) == 5
