from datetime import UTC, datetime, timedelta

import pytest
from dateutil.rrule import DAILY, WEEKLY, rrule
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.config.recurrence import shifts_of
from watchdeck.domain.notifications.calendar import (
    MAX_EVENTS,
    CalendarEvent,
    RecurrenceRule,
    read_calendar,
)
from watchdeck.domain.notifications.on_call import OnCallShift, person_on_call
from watchdeck.domain.settings.receivers import OnCallSchedule

BERLIN = "Europe/Berlin"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000


def calendar(*events: str) -> str:
    bodies = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{bodies}END:VCALENDAR\r\n"


def lines(*texts: str) -> str:
    return "\r\n".join(texts)


def who(text: str, moment: str, zone: str = BERLIN) -> str | None:
    rota = OnCallSchedule("r", zone=zone, calendar="x.ics")
    return person_on_call(rota, shifts_of(read_calendar(text, zone))(at(moment)), at(moment))


WEEK = lines(
    "UID:1",
    "SUMMARY:Anna",
    "DTSTART;TZID=Europe/Berlin:20260105T090000",
    "DTEND;TZID=Europe/Berlin:20260112T090000",
    "RRULE:FREQ=WEEKLY;INTERVAL=2",
)
DAYS = lines(
    "SUMMARY:Ben", "DTSTART:20260105T080000", "DURATION:PT10H", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE"
)


@pytest.mark.parametrize(
    ("event", "moment", "expected"),
    [
        pytest.param(WEEK, "2026-01-05T08:00", "Anna", id="from the first minute in the zone"),
        pytest.param(WEEK, "2026-01-05T07:59", None, id="not before"),
        pytest.param(WEEK, "2026-01-12T08:00", None, id="not the week after"),
        pytest.param(WEEK, "2026-01-19T08:00", "Anna", id="every second week"),
        pytest.param(WEEK, "2026-07-06T07:00", "Anna", id="at the same time of a summer's clock"),
        pytest.param(WEEK, "2026-07-06T06:59", None, id="and not an hour before"),
        pytest.param(DAYS, "2026-01-07T07:30", "Ben", id="on a day of its list"),
        pytest.param(DAYS, "2026-01-06T07:30", None, id="not on another"),
        pytest.param(f"{DAYS};COUNT=3", "2026-01-12T10:00", "Ben", id="the last of a count"),
        pytest.param(f"{DAYS};COUNT=3", "2026-01-14T10:00", None, id="none after a count"),
        pytest.param(f"{DAYS};UNTIL=20260112", "2026-01-12T10:00", "Ben", id="on the last day"),
        pytest.param(f"{DAYS};UNTIL=20260111", "2026-01-12T10:00", None, id="after the last day"),
        pytest.param(
            f"{DAYS}\r\nEXDATE;TZID=Europe/Berlin:20260107T080000",
            "2026-01-07T07:30",
            None,
            id="without one",
        ),
        pytest.param(
            f"{DAYS}\r\nEXDATE:20260107T070000Z", "2026-01-07T07:30", None, id="without one, in UTC"
        ),
        pytest.param(
            lines("SUMMARY:Cleo", "DTSTART;VALUE=DATE:20260105"),
            "2026-01-05T22:30",
            "Cleo",
            id="a whole day of the zone",
        ),
        pytest.param(
            lines("SUMMARY:Cle", " o\\, MD", "DTSTART:20260105T090000Z", "DURATION:P1D"),
            "2026-01-06T08:59",
            "Cleo, MD",
            id="a folded line, and UTC",
        ),
        pytest.param(
            lines(
                "SUMMARY:D",
                "DTSTART:20260105T000000",
                "DTEND:20260106T000000",
                "RRULE:FREQ=DAILY;INTERVAL=3",
            ),
            "2026-01-08T12:00",
            "D",
            id="every third day",
        ),
    ],
)
def test_who_is_on_call_by_a_calendar(event: str, moment: str, expected: str | None) -> None:
    assert who(calendar(event), moment) == expected


def test_one_moved_shift_is_where_it_was_moved_to() -> None:
    moved = lines(
        *("UID:1", "SUMMARY:Anna", "RECURRENCE-ID:20260119T080000Z"),
        *("DTSTART;TZID=Europe/Berlin:20260126T090000", "DURATION:P1D"),
    )
    text = calendar(WEEK, moved)
    assert who(text, "2026-01-20T08:00") is None
    assert who(text, "2026-01-26T12:00") == "Anna"
    gone = calendar(WEEK, f"{moved}\r\nSTATUS:CANCELLED")
    assert who(gone, "2026-01-26T12:00") is None


def test_of_two_shifts_at_once_the_one_that_began_last_counts() -> None:
    swap = lines("SUMMARY:Ben", "DTSTART:20260106T090000", "DURATION:P1D")
    assert who(calendar(WEEK, swap), "2026-01-06T12:00") == "Ben"


def test_an_alarm_within_an_event_is_not_the_event() -> None:
    alarm = lines("BEGIN:VALARM", "SUMMARY:no", "DTSTART:x", "END:VALARM")
    assert who(calendar(f"{WEEK}\r\n{alarm}"), "2026-01-05T08:00") == "Anna"


@given(
    st.sampled_from(["DAILY", "WEEKLY"]),
    st.integers(1, 5),
    st.sets(st.integers(0, 6)),
    st.none() | st.integers(1, 40),
    st.integers(0, 6),
    st.integers(0, 200),
)
def test_skipping_to_a_week_changes_no_occurrence(
    frequency: str, interval: int, days: set[int], count: int | None, wkst: int, after: int
) -> None:
    byday = tuple(sorted(days))
    if frequency == "DAILY" and byday:
        count = None  # a calendar with both is refused
    first = datetime.fromisoformat("2026-01-07T09:00")
    rule = RecurrenceRule(frequency, interval, byday, None, count, wkst)
    shifts = shifts_of([CalendarEvent("a", first, timedelta(hours=1), "UTC", rule)])
    day = first + timedelta(days=after)
    every = rrule(
        DAILY if frequency == "DAILY" else WEEKLY,
        dtstart=first,
        interval=interval,
        byweekday=byday or None,
        count=count or 250,
        wkst=wkst,
    )
    now = at(day.isoformat())
    assert (now in {shift.starts_at for shift in shifts(now)}) == (day in every[:250])


@pytest.mark.parametrize(
    ("moment", "starts", "hours"),
    [
        pytest.param("2026-03-29T12:00", "2026-03-28T23:00", 23, id="the day clocks go forward"),
        pytest.param("2026-10-25T12:00", "2026-10-24T22:00", 25, id="the day clocks go back"),
        pytest.param("2026-10-26T12:00", "2026-10-25T23:00", 24, id="the day after"),
    ],
)
def test_a_daily_shift_starts_at_the_same_local_time(moment: str, starts: str, hours: int) -> None:
    text = calendar(lines("SUMMARY:a", "DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=DAILY"))
    shifts = shifts_of(read_calendar(text, BERLIN))(at(moment))
    assert OnCallShift("a", at(starts), at(starts) + hours * 3_600_000) in shifts


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=DAILY;COUNT=9999",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=WEEKLY;INTERVAL=9999;BYDAY=MO,TU,WE,TH,FR,SA,SU",
        "FREQ=DAILY;UNTIL=00010102",
        "FREQ=WEEKLY;UNTIL=99991231",
    ],
)
def test_of_a_hostile_calendar_no_more_than_its_week_is_listed(rule: str) -> None:
    event = lines("DTSTART;VALUE=DATE:00010101", "DURATION:P31D", f"RRULE:{rule}")
    events = MAX_EVENTS // 10
    shifts = shifts_of(read_calendar(calendar(*[event] * events), BERLIN))
    assert len(shifts(at("2026-01-05T08:00"))) <= 40 * events


def test_an_event_until_the_end_of_all_calendars_is_read() -> None:
    ever = lines("SUMMARY:a", "DTSTART:00010101T000000Z", "DTEND:99991231T235959Z")
    late = lines("SUMMARY:b", "DTSTART:99991231T000000", "DURATION:P999D")
    assert who(calendar(ever, late), "2026-01-05T08:00") == "a"
