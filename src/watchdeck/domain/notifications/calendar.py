"""On-call shifts, and the iCalendar events (RFC 5545) that describe them, read within bounds.

Only events that happen once, daily or weekly, with exceptions, are read. Anything else is refused
with its line: a shift that is misunderstood pages the wrong person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.notifications.icalendar import CalendarError, Property, events_of
from watchdeck.domain.values.local_time import moment, read_zone
from watchdeck.domain.values.text import clean

_LONGEST = timedelta(days=31)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_RULE_PARTS = frozenset({"FREQ", "INTERVAL", "BYDAY", "UNTIL", "COUNT", "WKST"})
_NUMBER = re.compile(r"0*[1-9]\d{0,3}", re.ASCII)
_TIME = re.compile(r"\d{8}(?:T(?!24)\d{6}Z?)?", re.ASCII)
_DURATION = re.compile(
    r"\+?P(?:(\d{1,3})W)?(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?",
    re.ASCII,
)


class RecurrenceRule(Struct, frozen=True):
    """An RRULE: every `interval` days or weeks, on the weekdays `byday` (0 is Monday).

    `until` is the last time (ms UTC) at which an occurrence may start.
    """

    frequency: str
    interval: int = 1
    byday: tuple[int, ...] = ()
    until: int | None = None
    count: int | None = None
    wkst: int = 0


class CalendarEvent(Struct, frozen=True):
    """A VEVENT: `starts` is the local time of its zone, `exdates` (ms UTC) are excluded starts."""

    summary: str
    starts: datetime
    duration: timedelta
    zone: str
    rule: RecurrenceRule | None = None
    exdates: frozenset[int] = frozenset()


class OnCallShift(Struct, frozen=True):
    """A person on call from `starts_at` until before `ends_at` (ms UTC)."""

    person: str
    starts_at: int
    ends_at: int


ShiftsNear = Callable[[int], Sequence[OnCallShift]]
"""A function from a time (ms UTC) to all shifts that include it and some others, newest first."""


def read_calendar(text: str, zone: str) -> tuple[CalendarEvent, ...]:
    """The events of an iCalendar text; times without a zone are of `zone`. Raises CalendarError."""
    if "BEGIN:VCALENDAR" not in text[:2_000].upper():
        raise CalendarError("line 1: is not an iCalendar file; it begins with BEGIN:VCALENDAR")
    events: list[tuple[str, CalendarEvent]] = []
    overridden: dict[str, set[int]] = {}
    for lines in events_of(text):
        uid = lines["UID"].value if "UID" in lines else ""
        if "RECURRENCE-ID" in lines:
            overridden.setdefault(uid, set()).update(_times_utc(lines["RECURRENCE-ID"], zone))
            uid = ""
        if "STATUS" not in lines or lines["STATUS"].value.upper() != "CANCELLED":
            events.append((uid, _event(lines, zone)))
    return tuple(
        replace(event, exdates=event.exdates | overridden.get(uid, frozenset()))
        for uid, event in events
    )


def _event(lines: dict[str, Property], zone: str) -> CalendarEvent:
    first = lines.get("DTSTART")
    if first is None:
        raise CalendarError("an event has no DTSTART")
    if "RDATE" in lines:
        raise lines["RDATE"].wrong("is not read; write an event for each date")
    starts, own = _local_time(first, first.value, zone)
    rule, exdates = lines.get("RRULE"), lines.get("EXDATE")
    duration = _duration(lines, first, starts, own)
    if duration <= timedelta(0) or (rule and duration > _LONGEST):
        raise first.wrong(
            "begins an event without a length, or one that comes again and is"
            f" longer than {_LONGEST.days} days"
        )
    summary = lines["SUMMARY"].value if "SUMMARY" in lines else ""
    return CalendarEvent(
        clean(summary.replace("\\,", ",").replace("\\;", ";").replace("\\n", " ").strip(), 80),
        starts,
        duration,
        own,
        _rule(rule, own) if rule else None,
        frozenset(_times_utc(exdates, own) if exdates else ()),
    )


def _duration(
    lines: dict[str, Property], first: Property, starts: datetime, zone: str
) -> timedelta:
    if "DTEND" in lines:
        ends, own = _local_time(lines["DTEND"], lines["DTEND"].value, zone)
        if own != zone:
            raise lines["DTEND"].wrong("has another zone than DTSTART")
        return ends - starts
    if "DURATION" in lines:
        match = _DURATION.fullmatch(lines["DURATION"].value)
        if match is None:
            raise lines["DURATION"].wrong("is not a duration such as PT8H")
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(days, seconds, weeks=weeks, hours=hours, minutes=minutes)
    return timedelta(days=0 if "T" in first.value else 1)


def _times_utc(line: Property, zone: str) -> Iterator[int]:
    """The times (ms UTC) of a list such as that of EXDATE."""
    for text in line.value.split(","):
        yield moment(*_local_time(line, text.strip(), zone))


def _local_time(line: Property, text: str, zone: str) -> tuple[datetime, str]:
    """A local time and its zone, which is `zone` unless the line names another."""
    if not _TIME.fullmatch(text):
        raise line.wrong("has no time such as 20260105T090000")
    try:
        local = datetime.fromisoformat(text.rstrip("Z"))
    except ValueError:
        raise line.wrong("has a time that no clock shows") from None
    own = "UTC" if text.endswith("Z") else line.parameters.get("TZID", zone)
    try:
        read_zone(own)
    except ValueError:
        what = f"names the zone {clean(own, 60)!r}, which is not known"
        raise line.wrong(f"{what}; export it with names such as Europe/Berlin") from None
    return local, own


def _rule(line: Property, zone: str) -> RecurrenceRule:
    parts = dict(part.partition("=")[::2] for part in line.value.upper().split(";") if part)
    if parts.get("FREQ") not in ("DAILY", "WEEKLY") or parts.keys() - _RULE_PARTS:
        raise line.wrong("is more than daily or weekly; only those are read")
    interval, count = parts.get("INTERVAL", "1"), parts.get("COUNT")
    if not (_NUMBER.fullmatch(interval) and _NUMBER.fullmatch(count or "1")):
        raise line.wrong("has a number that is none from 1 to 9999")
    days = [day for day in parts.get("BYDAY", "").split(",") if day]
    wkst = parts.get("WKST", "MO")
    if not {*days, wkst} <= set(_DAYS):
        raise line.wrong("has a day that is none of MO to SU")
    if days and count and parts["FREQ"] == "DAILY":
        raise line.wrong("counts days of some weekdays; make it weekly")
    return RecurrenceRule(
        parts["FREQ"],
        int(interval),
        tuple(sorted({_DAYS.index(day) for day in days})),
        _until(line, parts["UNTIL"], zone) if "UNTIL" in parts else None,
        int(count) if count else None,
        _DAYS.index(wkst),
    )


def _until(line: Property, text: str, zone: str) -> int:
    """The last time (ms UTC) at which an occurrence may start; a date includes its whole day."""
    local, own = _local_time(line, text, zone)
    return moment(local if "T" in text else local + timedelta(days=1, microseconds=-1_000), own)
