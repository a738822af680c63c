from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.notifications.calendar import read_calendar
from watchdeck.domain.notifications.icalendar import MOST, CalendarError
from watchdeck.domain.notifications.on_call import on_call
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
    return on_call(rota, read_calendar(text, zone), at(moment))


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("hello", "not an iCalendar file", id="no calendar"),
        pytest.param("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "its end is missing", id="cut off"),
        pytest.param("BEGIN:VCALENDAR\nEND:VEVENT\n", "line 2: END ends what", id="crossed"),
        pytest.param(calendar("SUMMARY:a"), "has no DTSTART", id="no start"),
        pytest.param(calendar("DTSTART:20261305T000000"), "that no clock shows", id="month 13"),
        pytest.param(calendar("DTSTART:20260105T000000"), "without a length", id="no length"),
        pytest.param(
            calendar("DTSTART;TZID=W. Europe Standard Time:20260105T000000"),
            "line 4: DTSTART names the zone 'W. Europe Standard Time'",
            id="a zone of another system",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "RRULE:FREQ=MONTHLY")),
            "daily or weekly",
            id="monthly",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "RRULE:FREQ=WEEKLY;BYSETPOS=1")),
            "daily or weekly",
            id="more than weekly",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "RRULE:FREQ=DAILY;INTERVAL=0")),
            "none from 1 to 9999",
            id="every zero days",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "RDATE:20260106")), "RDATE is not read", id="dates"
        ),
        pytest.param(
            calendar(*["DTSTART:20260105"] * (MOST + 1)), f"than the {MOST}", id="too many"
        ),
    ],
)
def test_a_calendar_that_is_not_understood_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(CalendarError, match=said):
        read_calendar(text, "UTC")


@given(st.text(alphabet="BEGINVCALRDTS:;=,\r\n 0129ZPHQ\x1b", max_size=200))
def test_no_text_does_more_than_refuse(text: str) -> None:
    for whole in (text, calendar(text)):
        with suppress(CalendarError):
            read_calendar(whole, "UTC")


def test_a_refusal_holds_nothing_that_a_terminal_would_obey() -> None:
    with pytest.raises(CalendarError) as refused:
        read_calendar(calendar("DTSTART;TZID=\x1b[2J:20260105"), "UTC")
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        pytest.param("2026-01-05T08:00", "anna", id="the first at the start"),
        pytest.param("2026-01-12T07:59", "anna", id="until the last minute"),
        pytest.param("2026-01-12T08:00", "ben", id="the second a week later"),
        pytest.param("2026-03-30T06:59", "cleo", id="at nine of the summer's clock, not before"),
        pytest.param("2026-03-30T07:00", "anna", id="at nine of the summer's clock"),
        pytest.param("2026-01-01T00:00", "cleo", id="before the first, the one before it"),
    ],
)
def test_who_is_on_call_by_turns(moment: str, expected: str) -> None:
    rota = OnCallSchedule("r", ("anna", "ben", "cleo"), starts="2026-01-05T09:00", zone=BERLIN)
    assert on_call(rota, (), at(moment)) == expected
