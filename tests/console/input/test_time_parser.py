from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import boards
from watchdeck.console.input.time_cursor import SPEEDS, TimeCursor
from watchdeck.console.input.time_parser import MomentError, parse

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = boards.NOW
LIVE = TimeCursor()


def at(text: str, zone: timezone = UTC, shown: int = NOW) -> str:
    moment = parse(text, NOW, shown, zone)
    return datetime.fromtimestamp(moment / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("04:30", "2026-11-23 04:30:00", id="a time of today"),
        pytest.param(
            "14:30", "2026-11-22 14:30:00", id="a time that is still to come is yesterday's"
        ),
        pytest.param("yesterday 4:30", "2026-11-22 04:30:00", id="yesterday"),
        pytest.param("04:30:05", "2026-11-23 04:30:05", id="seconds"),
        pytest.param("2026-11-20 03:00", "2026-11-20 03:00:00", id="a date and a time"),
        pytest.param("2026-11-20", "2026-11-20 00:00:00", id="a date"),
        pytest.param("2026-11-20T03:00:00+02:00", "2026-11-20 01:00:00", id="a time with its zone"),
        pytest.param("-2h", "2026-11-23 03:00:00", id="a length of time"),
        pytest.param(" 90m  ago ", "2026-11-23 03:30:00", id="in words"),
    ],
)
def test_a_moment_is_typed_as_people_write_it(text: str, meant: str) -> None:
    assert at(text) == meant


def test_a_time_of_day_is_one_on_the_readers_clock() -> None:
    assert at("06:30", timezone(timedelta(hours=2))) == "2026-11-23 04:30:00"
    assert at("2026-11-20 03:00", timezone(timedelta(hours=2))) == "2026-11-20 01:00:00"


def test_a_length_of_time_counts_from_what_is_shown() -> None:
    assert at("-2h", shown=NOW - DAY) == "2026-11-22 03:00:00"


@pytest.mark.parametrize("text", ["", "noon", "25:00", "-2", "12:60", "9999-99-99", "today 23:00"])
def test_what_is_no_moment_is_refused_in_words(text: str) -> None:
    with pytest.raises(MomentError, match=r"no moment|not come"):
        parse(text, NOW, NOW, UTC)


@given(st.text(max_size=40))
def test_any_text_is_a_moment_of_the_past_or_refused(text: str) -> None:
    with suppress(MomentError):
        assert 0 <= parse(text, NOW, NOW, UTC) <= NOW


def test_a_step_back_from_now_stands_at_a_round_moment() -> None:
    assert LIVE.step(-1, MINUTE, NOW + 1_000).at == NOW
    assert LIVE.step(-1, MINUTE, NOW).at == NOW - MINUTE
    assert LIVE.step(1, MINUTE, NOW) == LIVE


def test_steps_from_between_round_moments_reach_them_first() -> None:
    between = LIVE.seek(NOW - HOUR + 1_000, NOW)
    assert between.step(-1, MINUTE, NOW).at == NOW - HOUR
    assert between.step(1, MINUTE, NOW).at == NOW - HOUR + MINUTE


def test_what_reaches_now_is_live() -> None:
    assert LIVE.seek(NOW, NOW) == LIVE
    assert LIVE.seek(NOW - MINUTE, NOW).step(1, MINUTE, NOW) == LIVE
    running = LIVE.seek(NOW - MINUTE, NOW).toggle_play().change_speed(9)
    assert running.advance(2_000, NOW) == TimeCursor(speed=SPEEDS[-1])


def test_the_past_runs_at_its_speed_only_while_it_plays() -> None:
    standing = LIVE.seek(NOW - HOUR, NOW)
    assert standing.advance(1_000, NOW) == standing
    assert standing.toggle_play().advance(1_000, NOW).at == NOW - HOUR + 1_000
    assert (
        standing.toggle_play().change_speed(1).change_speed(1).advance(1_000, NOW).at
        == NOW - HOUR + 15_000
    )
    assert standing.toggle_play().toggle_play() == standing


def test_a_step_or_a_seek_stops_the_playing() -> None:
    running = LIVE.seek(NOW - HOUR, NOW).toggle_play()
    assert not running.step(-1, MINUTE, NOW).is_playing
    assert not running.seek(NOW - DAY, NOW).is_playing


def test_what_is_live_does_not_play() -> None:
    assert LIVE.toggle_play() == LIVE
    assert LIVE.advance(1_000, NOW) == LIVE


def test_speeds_have_a_slowest_and_a_fastest() -> None:
    assert LIVE.change_speed(-5).speed == SPEEDS[0]
    assert LIVE.change_speed(99).speed == SPEEDS[-1]


def pressed_on(cursor: TimeCursor, what: str, value: int) -> TimeCursor:
    if what == "step":
        return cursor.step(value, MINUTE, NOW)
    if what == "seek":
        return cursor.seek(NOW + value, NOW)
    if what == "play":
        return cursor.advance(value, NOW)
    return cursor.toggle_play() if what == "toggle" else cursor.change_speed(value)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("step"), st.sampled_from([-3, -1, 1, 2])),
            st.tuples(st.just("seek"), st.integers(-DAY, DAY)),
            st.tuples(st.just("play"), st.integers(0, 100_000)),
            st.tuples(st.just("toggle"), st.just(0)),
            st.tuples(st.just("speed"), st.sampled_from([-1, 1])),
        ),
        max_size=30,
    )
)
def test_whatever_is_pressed_the_moment_is_live_or_past_and_never_the_future(
    pressed: list[tuple[str, int]],
) -> None:
    cursor = LIVE
    for what, value in pressed:
        cursor = pressed_on(cursor, what, value)
        assert cursor.at is None or 0 <= cursor.at < NOW
        assert cursor.at is not None or not cursor.is_playing
        assert cursor.speed in SPEEDS
