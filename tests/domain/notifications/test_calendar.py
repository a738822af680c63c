from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.notifications.calendar import MAX_EVENTS, CalendarError, read_calendar


def calendar(*events: str) -> str:
    bodies = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{bodies}END:VCALENDAR\r\n"


def lines(*texts: str) -> str:
    return "\r\n".join(texts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("hello", "not an iCalendar file", id="no calendar"),
        pytest.param("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "its end is missing", id="cut off"),
        pytest.param("BEGIN:VCALENDAR\nEND:VEVENT\n", "line 2: END ends a part", id="crossed"),
        pytest.param(calendar("SUMMARY:a"), "has no DTSTART", id="no start"),
        pytest.param(calendar("DTSTART:20261305T000000"), "that does not exist", id="month 13"),
        pytest.param(calendar("DTSTART:20260105T000000"), "without a length", id="no length"),
        pytest.param(
            calendar(lines("DTSTART:20260105T000000", "DURATION:8 hours")),
            "is not a duration such as PT8H",
            id="a length in words",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105T000000", "DTEND;TZID=Asia/Tokyo:20260105T080000")),
            "has a different zone than DTSTART",
            id="an end in another zone",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "RRULE:FREQ=WEEKLY;BYDAY=1MO")),
            "has a day that is not one of MO to SU",
            id="the first Monday",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "EXDATE:20260106", "EXDATE;VALUE=DATE:20260107")),
            "has a different zone than the one before",
            id="exceptions of two forms",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "DTSTART:20260106")),
            "appears twice in one event",
            id="two starts",
        ),
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
            "not from 1 to 9999",
            id="every zero days",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "RRULE:FREQ=DAILY;COUNT=0000012345")),
            "not from 1 to 9999",
            id="a large number behind zeros",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "RRULE:FREQ=SECONDLY")),
            "daily or weekly",
            id="every second",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "RRULE:FREQ=DAILY;BYDAY=MO;COUNT=3")),
            "make it weekly",
            id="a count of daily weekdays",
        ),
        pytest.param(
            calendar(lines("DTSTART:20260105", "RDATE:20260106")), "RDATE is not read", id="dates"
        ),
        pytest.param(
            calendar(*["DTSTART:20260105"] * (MAX_EVENTS + 1)),
            f"than the {MAX_EVENTS}",
            id="too many",
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


def test_every_line_of_exdate_counts() -> None:
    dates = [f"EXDATE:202601{day:02}T090000Z" for day in range(1, 29)]
    (event,) = read_calendar(calendar(lines("DTSTART:20260105", *dates)), "UTC")
    assert len(event.exdates) == 28


def test_an_event_replaces_one_occurrence() -> None:
    replaced = lines("DTSTART:20260105", "UID:a", "RECURRENCE-ID:20260105T090000,20260106T090000")
    with pytest.raises(CalendarError, match="RECURRENCE-ID has no time"):
        read_calendar(calendar(replaced), "UTC")
