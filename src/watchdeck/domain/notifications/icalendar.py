"""The properties of an iCalendar text (RFC 5545), read within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.values.text import clean

MOST = 2_000
"""Events of one file; a year of daily shifts of four people takes 1,460."""

_PARAMETER = re.compile(r';([A-Za-z-]+)=("[^"]*"|[^;:"]*)', re.ASCII)


class CalendarError(ValueError):
    """A calendar that cannot be read; the text names the line."""


class Property(Struct, frozen=True):
    """One property: its parameters, its value, and the line on which it begins."""

    number: int
    name: str
    parameters: dict[str, str]
    value: str

    def wrong(self, why: str) -> CalendarError:
        """The error that names this line."""
        return CalendarError(f"line {self.number}: {self.name} {why}")


def events_of(text: str) -> Iterator[dict[str, Property]]:
    """The properties of each event by name, without those of its parts, such as alarms."""
    inside: list[str] = []
    found: dict[str, Property] = {}
    count = 0
    for line in _lines(text):
        if line.name == "BEGIN":
            inside.append(line.value.upper())
            if inside[-1] == "VEVENT":
                found, count = {}, count + 1
        elif line.name == "END":
            if not inside or inside.pop() != line.value.upper():
                raise line.wrong("ends what did not begin")
            if line.value.upper() == "VEVENT":
                yield found
        elif inside and inside[-1] == "VEVENT":
            _add(found, line)
        if count > MOST:
            raise line.wrong(f"begins one event more than the {MOST} that are read")
    if inside:
        raise CalendarError(f"its end is missing: {clean(inside[-1], 40)} is still open")


def _add(found: dict[str, Property], line: Property) -> None:
    before = found.get(line.name)
    if before is not None and line.name == "EXDATE":
        if before.parameters != line.parameters:
            raise line.wrong("has another zone than the one before")
        line = replace(line, value=f"{before.value},{line.value}")
    elif before is not None and line.name in ("RRULE", "DTSTART", "DTEND", "RDATE"):
        raise line.wrong("stands there twice")
    found[line.name] = line


def _lines(text: str) -> Iterator[Property]:
    """The properties, their folded lines joined."""
    number, pending = 0, ""
    for at, raw in enumerate([*text.splitlines(), ""], 1):
        if raw[:1] in (" ", "\t") and pending:
            pending += raw[1:]
            continue
        if pending.strip():
            yield _property(number, pending)
        number, pending = at, raw


def _property(number: int, text: str) -> Property:
    name = re.match(r"[A-Za-z0-9-]+", text)
    if name is None:
        raise CalendarError(f"line {number}: {clean(text, 40)!r} is not a property")
    parameters, at = {}, name.end()
    while match := _PARAMETER.match(text, at):
        parameters[match[1].upper()], at = match[2].strip('"'), match.end()
    if text[at : at + 1] != ":":
        raise CalendarError(f"line {number}: {clean(text, 40)!r} has no value")
    return Property(number, name[0].upper(), parameters, text[at + 1 :].strip())
