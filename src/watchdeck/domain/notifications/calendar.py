"""Parser of iCalendar files (RFC 5545) with on-call events, with limits on size and syntax.

Single, daily and weekly events with exceptions are read. Anything else is refused with its line,
because a misread shift pages the wrong person.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.values.datetimes import read_zone, utc_milliseconds
from watchdeck.domain.values.text import clean

MAX_EVENTS = 2_000
"""The most events of one file; a year of daily shifts of four people takes 1,460."""

_MAX_DURATION = timedelta(days=31)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_RULE_PARTS = frozenset({"FREQ", "INTERVAL", "BYDAY", "UNTIL", "COUNT", "WKST"})
_NUMBER = re.compile(r"0*[1-9]\d{0,3}", re.ASCII)
_TIME = re.compile(r"\d{8}(?:T(?!24)\d{6}Z?)?", re.ASCII)
_DURATION = re.compile(
    r"\+?P(?:(\d{1,3})W)?(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?",
    re.ASCII,
)
_PARAMETER = re.compile(r';([A-Za-z-]+)=("[^"]*"|[^;:"]*)', re.ASCII)


class CalendarError(ValueError):
    """An iCalendar file that cannot be parsed; the text names the line."""


class Property(Struct, frozen=True):
    """One property of an iCalendar file; `number` is the line on which it begins."""

    number: int
    name: str
    parameters: dict[str, str]
    value: str

    def error(self, why: str) -> CalendarError:
        """Make a CalendarError that names this line and property before `why`."""
        return CalendarError(f"line {self.number}: {self.name} {why}")


class RecurrenceRule(Struct, frozen=True):
    """An RRULE: every `interval` days or weeks, on the weekdays `byday` (0 is Monday).

    `until` is the last time (ms UTC) at which an occurrence may start; `wkst` is the weekday on
    which a week begins.
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


def read_calendar(text: str, zone: str) -> tuple[CalendarEvent, ...]:
    """Parse the events of an iCalendar text; times without a zone are in `zone`.

    Raises CalendarError.
    """
    if "BEGIN:VCALENDAR" not in text[:2_000].upper():
        raise CalendarError("line 1: is not an iCalendar file; it begins with BEGIN:VCALENDAR")
    events: list[tuple[str, CalendarEvent]] = []
    overridden: dict[str, set[int]] = {}
    for lines in _events(text):
        uid = lines["UID"].value if "UID" in lines else ""
        if "RECURRENCE-ID" in lines:
            replaced = lines["RECURRENCE-ID"]
            start = utc_milliseconds(*_read_local_time(replaced, replaced.value, zone))
            overridden.setdefault(uid, set()).add(start)
            uid = ""
        if "STATUS" not in lines or lines["STATUS"].value.upper() != "CANCELLED":
            events.append((uid, _read_event(lines, zone)))
    return tuple(
        replace(event, exdates=event.exdates | overridden.get(uid, frozenset()))
        for uid, event in events
    )


def _read_event(lines: dict[str, Property], zone: str) -> CalendarEvent:
    first = lines.get("DTSTART")
    if first is None:
        raise CalendarError("an event has no DTSTART")
    if "RDATE" in lines:
        raise lines["RDATE"].error("is not read; write an event for each date")
    starts, own = _read_local_time(first, first.value, zone)
    rule, exdates = lines.get("RRULE"), lines.get("EXDATE")
    duration = _read_duration(lines, first, starts, own)
    if duration <= timedelta(0) or (rule and duration > _MAX_DURATION):
        raise first.error(
            "begins an event without a length, or a recurring event longer than"
            f" {_MAX_DURATION.days} days"
        )
    summary = lines["SUMMARY"].value if "SUMMARY" in lines else ""
    return CalendarEvent(
        clean(summary.replace("\\,", ",").replace("\\;", ";").replace("\\n", " ").strip(), 80),
        starts,
        duration,
        own,
        _read_rule(rule, own) if rule else None,
        frozenset(_read_times(exdates, own) if exdates else ()),
    )


def _read_duration(
    lines: dict[str, Property], first: Property, starts: datetime, zone: str
) -> timedelta:
    if "DTEND" in lines:
        ends, own = _read_local_time(lines["DTEND"], lines["DTEND"].value, zone)
        if own != zone:
            raise lines["DTEND"].error("has a different zone than DTSTART")
        return ends - starts
    if "DURATION" in lines:
        match = _DURATION.fullmatch(lines["DURATION"].value)
        if match is None:
            raise lines["DURATION"].error("is not a duration such as PT8H")
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(days, seconds, weeks=weeks, hours=hours, minutes=minutes)
    return timedelta(days=0 if "T" in first.value else 1)


def _read_times(line: Property, zone: str) -> Iterator[int]:
    """The times (ms UTC) in a property with a list, such as EXDATE."""
    for text in line.value.split(","):
        yield utc_milliseconds(*_read_local_time(line, text.strip(), zone))


def _read_local_time(line: Property, text: str, zone: str) -> tuple[datetime, str]:
    """A local time and its zone: UTC for a final Z, else the TZID of the line, else `zone`."""
    if not _TIME.fullmatch(text):
        raise line.error("has no time such as 20260105T090000")
    try:
        local = datetime.fromisoformat(text.rstrip("Z"))
    except ValueError:
        raise line.error("has a time that does not exist") from None
    own = "UTC" if text.endswith("Z") else line.parameters.get("TZID", zone)
    try:
        read_zone(own)
    except ValueError:
        what = f"names the zone {clean(own, 60)!r}, which is not known"
        raise line.error(f"{what}; export it with names such as Europe/Berlin") from None
    return local, own


def _read_rule(line: Property, zone: str) -> RecurrenceRule:
    parts = dict(part.partition("=")[::2] for part in line.value.upper().split(";") if part)
    if parts.get("FREQ") not in ("DAILY", "WEEKLY") or parts.keys() - _RULE_PARTS:
        raise line.error("is more than daily or weekly; only those are read")
    interval, count = parts.get("INTERVAL", "1"), parts.get("COUNT")
    if not (_NUMBER.fullmatch(interval) and _NUMBER.fullmatch(count or "1")):
        raise line.error("has a number that is not from 1 to 9999")
    days = [day for day in parts.get("BYDAY", "").split(",") if day]
    wkst = parts.get("WKST", "MO")
    if not {*days, wkst} <= set(_DAYS):
        raise line.error("has a day that is not one of MO to SU")
    if days and count and parts["FREQ"] == "DAILY":
        raise line.error("counts days of some weekdays; make it weekly")
    return RecurrenceRule(
        parts["FREQ"],
        int(interval),
        tuple(sorted({_DAYS.index(day) for day in days})),
        _read_until(line, parts["UNTIL"], zone) if "UNTIL" in parts else None,
        int(count) if count else None,
        _DAYS.index(wkst),
    )


def _read_until(line: Property, text: str, zone: str) -> int:
    """The last time (ms UTC) at which an occurrence may start; a date includes its whole day."""
    local, own = _read_local_time(line, text, zone)
    last = local if "T" in text else local + timedelta(days=1, microseconds=-1_000)
    return utc_milliseconds(last, own)


def _events(text: str) -> Iterator[dict[str, Property]]:
    """The properties of each event by name, without those of nested parts, such as alarms."""
    inside: list[str] = []
    found: dict[str, list[Property]] = {}
    count = 0
    for line in _read_properties(text):
        if line.name == "BEGIN":
            inside.append(line.value.upper())
            if inside[-1] == "VEVENT":
                found, count = {}, count + 1
        elif line.name == "END":
            if not inside or inside.pop() != line.value.upper():
                raise line.error("ends a part that has not begun")
            if line.value.upper() == "VEVENT":
                yield {name: _join(lines) for name, lines in found.items()}
        elif inside and inside[-1] == "VEVENT":
            _add_property(found, line)
        if count > MAX_EVENTS:
            raise line.error(f"begins one event more than the {MAX_EVENTS} that are read")
    if inside:
        raise CalendarError(f"its end is missing: {clean(inside[-1], 40)} is still open")


def _add_property(found: dict[str, list[Property]], line: Property) -> None:
    """Add a property, in place of one with its name; those of EXDATE are all kept."""
    before = found.get(line.name)
    if before is not None and line.name == "EXDATE":
        if before[0].parameters != line.parameters:
            raise line.error("has a different zone than the one before")
        before.append(line)
        return
    if before is not None and line.name in ("RRULE", "DTSTART", "DTEND", "RDATE"):
        raise line.error("appears twice in one event")
    found[line.name] = [line]


def _join(lines: list[Property]) -> Property:
    """One property with the values of all."""
    first = lines[0]
    return first if len(lines) == 1 else replace(first, value=",".join(one.value for one in lines))


def _read_properties(text: str) -> Iterator[Property]:
    """The properties of a file; continuation lines are joined."""
    number, pending = 0, ""
    for at, raw in enumerate([*text.splitlines(), ""], 1):
        if raw[:1] in (" ", "\t") and pending:
            pending += raw[1:]
            continue
        if pending.strip():
            yield _read_property(number, pending)
        number, pending = at, raw


def _read_property(number: int, text: str) -> Property:
    name = re.match(r"[A-Za-z0-9-]+", text)
    if name is None:
        raise CalendarError(f"line {number}: {clean(text, 40)!r} is not a property")
    parameters, at = {}, name.end()
    while match := _PARAMETER.match(text, at):
        parameters[match[1].upper()], at = match[2].strip('"'), match.end()
    if text[at : at + 1] != ":":
        raise CalendarError(f"line {number}: {clean(text, 40)!r} has no value")
    return Property(number, name[0].upper(), parameters, text[at + 1 :].strip())
