"""In the nights in which clocks change, local times follow the wall clock, minute by minute.

Each kind of local time is compared with the clock of its zone: hours of maintenance and of routes
are open while it shows them; rotas, overrides and calendars hand over once.
"""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.config.recurrence import shifts_of
from watchdeck.domain.alerts.maintenance import Maintenance, Recurrence, window_at
from watchdeck.domain.notifications.calendar import CalendarEvent, RecurrenceRule
from watchdeck.domain.notifications.on_call import person_on_call
from watchdeck.domain.settings.receivers import OnCallSchedule, Override
from watchdeck.domain.values.datetimes import is_within, local_datetime, utc_milliseconds

MINUTE = 60_000
DAY = timedelta(days=1)
NIGHTS = (
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Australia/Lord_Howe", "2026-04-05"),
)
PEOPLE = ("anna", "ben", "cem", "dana", "eva")
nights = pytest.mark.parametrize(("zone", "day"), NIGHTS)
minutes_of_a_day = st.integers(0, 1_439)


def night(zone: str, day: str) -> range:
    """The minutes (ms UTC) from eight in the evening to eight in the morning of a day."""
    morning = datetime.combine(datetime.fromisoformat(day), time(8))
    evening = morning - timedelta(hours=12)
    return range(utc_milliseconds(evening, zone), utc_milliseconds(morning, zone), MINUTE)


def wall_minute(at: int, zone: str) -> int:
    wall = local_datetime(at, zone)
    return 60 * wall.hour + wall.minute


def text_of(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def is_shown(at: int, zone: str, first: int, last: int) -> bool:
    """Whether the clock shows a minute from `first` until before `last`, past midnight or not."""
    minute = wall_minute(at, zone)
    return first <= minute < last if first < last else not last <= minute < first


def first_shown(wall: datetime, zone: str, moments: range) -> int:
    """The first of these moments at which the clock shows a local time or a later one."""
    return next(at for at in moments if local_datetime(at, zone) >= wall)


def handovers(people: list[str | None], moments: range) -> list[tuple[int, str | None]]:
    """When another person is on call, and who."""
    changes = pairwise(zip(moments, people, strict=True))
    return [(at, person) for (_, before), (at, person) in changes if person != before]


@given(st.sampled_from(NIGHTS), minutes_of_a_day, minutes_of_a_day)
def test_hours_are_open_while_the_clock_shows_them(
    where: tuple[str, str], first: int, last: int
) -> None:
    zone, day = where
    if first == last:
        return
    hours = f"{text_of(first)}-{text_of(last)}"
    recurrence = Recurrence(first, (last - first) % 1_440 * MINUTE)
    work = Maintenance("w", (), recurrence=recurrence, zone=zone)
    for at in night(zone, day):
        window, expected = window_at(work, at), is_shown(at, zone, first, last)
        assert is_within(at, hours, "", zone) is expected
        assert (window is not None) is expected
        assert window is None or window.opens <= at < window.closes


@given(st.sampled_from(NIGHTS), minutes_of_a_day, st.integers(1, 1_439))
def test_a_window_is_the_whole_time_in_which_it_is_open(
    where: tuple[str, str], first: int, length: int
) -> None:
    zone, day = where
    work = Maintenance("w", (), recurrence=Recurrence(first, length * MINUTE), zone=zone)
    for window in {window_at(work, at) for at in night(zone, day)[::7]} - {None}:
        assert window is not None
        inside = (window.opens, window.closes - 1)
        assert {window_at(work, at) for at in inside} == {window}
        assert window_at(work, window.opens - 1) is None
        assert window_at(work, window.closes) is None


@nights
@pytest.mark.parametrize("at_wall", ["01:00", "01:45", "02:00", "02:15", "02:30", "03:00"])
def test_a_rota_hands_over_once(zone: str, day: str, at_wall: str) -> None:
    wall, moments = datetime.fromisoformat(f"{day}T{at_wall}"), night(zone, day)
    starts = (wall - 4 * DAY).isoformat()
    rota = OnCallSchedule("r", PEOPLE, turn="daily", starts=starts, zone=zone)
    people = [person_on_call(rota, (), at) for at in moments]
    assert handovers(people, moments) == [(first_shown(wall, zone, moments), "eva")]


@nights
@pytest.mark.parametrize("at_wall", ["01:45", "02:15", "02:30"])
def test_an_override_begins_and_ends_once(zone: str, day: str, at_wall: str) -> None:
    begins, moments = datetime.fromisoformat(f"{day}T{at_wall}"), night(zone, day)
    ends = begins + timedelta(hours=2)
    override = Override("ben", begins.isoformat(), ends.isoformat())
    rota = OnCallSchedule("r", zone=zone, override=(override,))
    people = [person_on_call(rota, (), at) for at in moments]
    first, last = (first_shown(wall, zone, moments) for wall in (begins, ends))
    assert handovers(people, moments) == [(first, "ben"), (last, None)]


@nights
@pytest.mark.parametrize("at_wall", ["01:45", "02:15", "02:30"])
def test_the_shifts_of_a_calendar_hand_over_once(zone: str, day: str, at_wall: str) -> None:
    wall, moments = datetime.fromisoformat(f"{day}T{at_wall}"), night(zone, day)
    every_second = RecurrenceRule("DAILY", interval=2)
    events = [
        CalendarEvent(person, wall - before * DAY, DAY, zone, every_second)
        for person, before in (("anna", 4), ("ben", 5))
    ]
    near = shifts_of(events)
    rota = OnCallSchedule("r", zone=zone, calendar="x.ics")
    people = [person_on_call(rota, near(at), at) for at in moments]
    assert handovers(people, moments) == [(first_shown(wall, zone, moments), "anna")]


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        pytest.param("2026-03-29T02:30", "2026-03-29T01:00", id="skipped: the change"),
        pytest.param("2026-03-29T02:00", "2026-03-29T01:00", id="the first that is skipped"),
        pytest.param("2026-03-29T03:00", "2026-03-29T01:00", id="the first after the change"),
        pytest.param("2026-03-29T03:30", "2026-03-29T01:30", id="after the change"),
        pytest.param("2026-10-25T02:30", "2026-10-25T00:30", id="twice: the first"),
        pytest.param("2026-10-25T03:00", "2026-10-25T02:00", id="after the second"),
    ],
)
def test_a_local_time_is_one_moment(wall: str, expected: str) -> None:
    moment = round(datetime.fromisoformat(expected).replace(tzinfo=UTC).timestamp() * 1_000)
    assert utc_milliseconds(datetime.fromisoformat(wall), "Europe/Berlin") == moment
