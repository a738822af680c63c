"""Shifts: what an iCalendar file (RFC 5545) says of who is on call, read within bounds.

What a rota needs is read: events that happen once, daily or weekly, with exceptions. Anything else
is refused with its line: a shift that is misunderstood pages the wrong person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.notifications.icalendar import CalendarError, Property, events_of
from watchdeck.domain.values.local_time import moment, read_zone
from watchdeck.domain.values.text import clean

_LONGEST = timedelta(days=31)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PERIODS = {"DAILY": 1, "WEEKLY": 7}
_RULE = frozenset({"FREQ", "INTERVAL", "BYDAY", "UNTIL", "COUNT", "WKST"})
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
_SPAN = re.compile(
    r"\+?P(?:(\d{1,3})W)?(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?",
    re.ASCII,
)


class Repeat(Struct, frozen=True):
    """How an event comes again: every so many days or weeks, on which days, and until when."""

    period: int
    interval: int = 1
    days: tuple[int, ...] = ()
    until: int | None = None
    count: int | None = None
    week: int = 0


class Event(Struct, frozen=True):
    """One event: who, from when (the clock of its zone) and for how long.

    `without` are the moments (ms UTC) at which it would begin and does not.
    """

    summary: str
    starts: datetime
    lasts: timedelta
    zone: str
    repeat: Repeat | None = None
    without: frozenset[int] = frozenset()


def current_events(events: Sequence[Event], now: int) -> list[Event]:
    """The events that are under way at `now` (ms UTC), the one that began last first."""
    found = ((begun, event) for event in events if (begun := _begun(event, now)) is not None)
    return [event for _, event in sorted(found, key=lambda pair: (-pair[0], pair[1].summary))]


def _begun(event: Event, now: int) -> int | None:
    """When the occurrence that covers `now` began; None when none does."""
    for start in _starts(event, now):
        begun = moment(start, event.zone)
        if begun <= now < moment(start + event.lasts, event.zone) and begun not in event.without:
            return begun
    return None


def _starts(event: Event, now: int) -> Iterator[datetime]:
    """The starts that may cover `now`, the newest first."""
    if event.repeat is None:
        yield event.starts
        return
    today = (datetime(1970, 1, 1) + timedelta(milliseconds=now)).date()  # noqa: DTZ001 - a day
    for back in range(-1, event.lasts.days + 3):
        day = today - timedelta(days=back)
        if _happens(event, event.repeat, day):
            yield datetime.combine(day, event.starts.time())


def _happens(event: Event, repeat: Repeat, day: date) -> bool:
    """Whether an occurrence begins on a day."""
    first = event.starts.date()
    if day < first or (repeat.days and day.weekday() not in repeat.days):
        return False
    begins = first - timedelta(days=(first.weekday() - repeat.week) % 7)
    periods = (day - (begins if repeat.period == 7 else first)).days // repeat.period
    days = repeat.days or ((first.weekday(),) if repeat.period == 7 else ())
    if periods % repeat.interval or (days and day.weekday() not in days):
        return False
    if repeat.count is not None and _number(repeat, days, first, day, periods) >= repeat.count:
        return False
    start = datetime.combine(day, event.starts.time())
    return repeat.until is None or moment(start, event.zone) <= repeat.until


def _number(repeat: Repeat, days: Sequence[int], first: date, day: date, periods: int) -> int:
    """How many occurrences came before the one of a day."""
    if repeat.period == 1:
        return periods // repeat.interval
    order = sorted((one - repeat.week) % 7 for one in days)
    skipped = sum(one < (first.weekday() - repeat.week) % 7 for one in order)
    here = order.index((day.weekday() - repeat.week) % 7)
    return periods // repeat.interval * len(order) + here - skipped


def read_calendar(text: str, zone: str) -> tuple[Event, ...]:
    """The events of an iCalendar text; times without a zone are of `zone`. Raises CalendarError."""
    if "BEGIN:VCALENDAR" not in text[:2_000].upper():
        raise CalendarError("line 1: is not an iCalendar file; it begins with BEGIN:VCALENDAR")
    kept: list[Event] = []
    moved: dict[str, set[int]] = {}
    whose: list[str] = []
    for lines in events_of(text):
        uid = lines["UID"].value if "UID" in lines else ""
        instead = lines.get("RECURRENCE-ID")
        if instead is not None:
            moved.setdefault(uid, set()).update(_moments(instead, zone))
        if "STATUS" in lines and lines["STATUS"].value.upper() == "CANCELLED":
            continue
        kept.append(_event(lines, zone))
        whose.append(uid if instead is None else "")
    return tuple(
        replace(event, without=event.without | moved[uid]) if uid in moved else event
        for event, uid in zip(kept, whose, strict=True)
    )


def _event(lines: dict[str, Property], zone: str) -> Event:
    first = lines.get("DTSTART")
    if first is None:
        raise CalendarError("an event has no DTSTART")
    if "RDATE" in lines:
        raise lines["RDATE"].wrong("is not read; write an event for each date")
    starts, own = _wall(first, zone)
    rule, without = lines.get("RRULE"), lines.get("EXDATE")
    lasts = _length(lines, first, starts, own)
    if lasts <= timedelta(0) or (rule and lasts > _LONGEST):
        raise first.wrong(
            "begins an event without a length, or one that comes again and is"
            f" longer than {_LONGEST.days} days"
        )
    named = lines["SUMMARY"].value if "SUMMARY" in lines else ""
    return Event(
        clean(named.replace("\\,", ",").replace("\\;", ";").replace("\\n", " ").strip(), 80),
        starts,
        lasts,
        own,
        _repeat(rule, own) if rule else None,
        frozenset(_moments(without, own) if without else ()),
    )


def _length(lines: dict[str, Property], first: Property, starts: datetime, zone: str) -> timedelta:
    if "DTEND" in lines:
        ends, own = _wall(lines["DTEND"], zone)
        if own != zone:
            raise lines["DTEND"].wrong("has another zone than DTSTART")
        return ends - starts
    if "DURATION" in lines:
        match = _SPAN.fullmatch(lines["DURATION"].value)
        if match is None:
            raise lines["DURATION"].wrong("is not a duration such as PT8H")
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(days, seconds, weeks=weeks, hours=hours, minutes=minutes)
    return timedelta(days=0 if "T" in first.value else 1)


def _wall(line: Property, zone: str) -> tuple[datetime, str]:
    """A time on the wall, and the zone of that wall."""
    return _time(line, line.value), _zone(line, line.value, zone)


def _moments(line: Property, zone: str) -> Iterator[int]:
    for text in line.value.split(","):
        yield moment(_time(line, text.strip()), _zone(line, text.strip(), zone))


def _zone(line: Property, text: str, zone: str) -> str:
    own = "UTC" if text.endswith("Z") else line.parameters.get("TZID", zone)
    try:
        read_zone(own)
    except ValueError:
        what = f"names the zone {clean(own, 60)!r}, which is not known"
        raise line.wrong(f"{what}; export it with names such as Europe/Berlin") from None
    return own


def _time(line: Property, text: str) -> datetime:
    match = _TIME.fullmatch(text)
    if match is None:
        raise line.wrong("has no time such as 20260105T090000")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - on the wall
    except ValueError:
        raise line.wrong("has a time that no clock shows") from None


def _repeat(line: Property, zone: str) -> Repeat:
    parts = dict(part.partition("=")[::2] for part in line.value.upper().split(";") if part)
    if parts.get("FREQ") not in _PERIODS or parts.keys() - _RULE:
        raise line.wrong("is more than daily or weekly; only those are read")
    interval, count = parts.get("INTERVAL", "1"), parts.get("COUNT")
    if not all(_small(number) for number in (interval, count or "1")):
        raise line.wrong("has a number that is none from 1 to 9999")
    days = [day for day in parts.get("BYDAY", "").split(",") if day]
    week = parts.get("WKST", "MO")
    if not {*days, week} <= set(_DAYS):
        raise line.wrong("has a day that is none of MO to SU")
    if days and count and parts["FREQ"] == "DAILY":
        raise line.wrong("counts days of some weekdays; make it weekly")
    return Repeat(
        _PERIODS[parts["FREQ"]],
        int(interval),
        tuple(sorted({_DAYS.index(day) for day in days})),
        _until(line, parts["UNTIL"], zone) if "UNTIL" in parts else None,
        int(count) if count else None,
        _DAYS.index(week),
    )


def _small(number: str) -> bool:
    return number.isascii() and number.isdecimal() and 1 <= int(number[:5]) <= 9_999


def _until(line: Property, text: str, zone: str) -> int:
    """The last moment (ms UTC) at which an occurrence may begin; a date is until its end."""
    wall = _time(line, text)
    if "T" not in text:
        wall += timedelta(days=1, microseconds=-1_000)
    return moment(wall, "UTC" if text.endswith("Z") else zone)
