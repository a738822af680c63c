"""Planned work, from the way it is written to the windows that it means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from watchdeck.config.checks.text import bad_texts, wrong_name
from watchdeck.config.reading.problems import Problem, did_you_mean, from_error
from watchdeck.domain.alerts.maintenance import Maintenance, Recurrence
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.settings.rules import MaintenanceText
from watchdeck.domain.values.local_time import read_days, read_hours, read_zone
from watchdeck.domain.values.matcher import read_matcher

_MINUTE = 60_000
_DAY = 1_440
_WEEKS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}


def maintenance_in_force(settings: Settings) -> tuple[Maintenance, ...]:
    """The planned work of settings that were loaded without problems."""
    return tuple(map(_compiled, settings.maintenance))


def wrong_maintenance(settings: Settings) -> Iterator[Problem]:
    """Every problem of planned work, each with its key."""
    names: dict[str, int] = {}
    for number, text in enumerate(settings.maintenance):
        if not isinstance(text, MaintenanceText):  # an INVALID one has said why
            continue
        for problem in _wrong(text):
            key = f"maintenance[{number}].{problem.key}".rstrip(".")
            yield Problem(key, problem.text, problem.hint)
        if text.name in names:
            said = f"is the name of maintenance[{names[text.name]}] too"
            yield Problem(f"maintenance[{number}].name", said)
        names.setdefault(text.name, number)


def _compiled(text: MaintenanceText) -> Maintenance:
    return Maintenance(
        text.name,
        tuple(map(read_matcher, text.match)),
        text.reason,
        _moment(text.starts, text.zone),
        _moment(text.ends, text.zone),
        _recurrence(text),
        text.zone,
    )


def _recurrence(text: MaintenanceText) -> Recurrence | None:
    if not text.hours:
        return None
    hours = read_hours(text.hours)
    days = tuple(sorted(read_days(text.days))) if text.days else ()
    weeks = tuple(_WEEKS[week] for week in text.weeks)
    lasts = (hours.last - hours.first) % _DAY or _DAY
    return Recurrence(hours.first, lasts * _MINUTE, days, weeks)


def _moment(text: str | None, zone: str) -> int | None:
    """A time (ms UTC) that is of a zone where it has none of its own. Raises ValueError."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a time; write 2026-12-24T09:00") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=read_zone(zone))
    return round(aware.timestamp() * 1_000)


def _wrong(text: MaintenanceText) -> Iterator[Problem]:
    yield from bad_texts(text)
    yield from wrong_name(text.name)
    yield from _wrong_parts(text)
    for number, week in enumerate(text.weeks):
        if week not in _WEEKS:
            hint = did_you_mean(week, _WEEKS, f"There are: {', '.join(_WEEKS)}.")
            yield Problem(f"weeks[{number}]", "is no week of a month", hint)
    if not text.match:
        yield Problem("match", "is empty, and would mean everything", 'Such as "owner=risk".')
    if (text.days or text.weeks) and not text.hours:
        yield Problem("hours", "is missing beside days", 'Such as hours = "22:00-04:00".')
    if not text.hours and (text.starts is None or text.ends is None):
        hint = "Write hours for every day, or starts and ends for one time."
        yield Problem("", "has no end", hint)


def _wrong_parts(text: MaintenanceText) -> Iterator[Problem]:
    """What cannot be read, each part by itself."""
    asked: list[tuple[str, Callable[[str], Any], str]] = [
        *((f"match[{number}]", read_matcher, one) for number, one in enumerate(text.match)),
        ("zone", read_zone, text.zone),
        *([("hours", read_hours, text.hours)] if text.hours else []),
        *([("days", read_days, text.days)] if text.days else []),
    ]
    found = [problem for asking in asked for problem in _refused(*asking)]
    yield from found
    if not any(problem.key == "zone" for problem in found):
        yield from _wrong_span(text)


def _wrong_span(text: MaintenanceText) -> Iterator[Problem]:
    found: list[Problem] = []
    moments = [
        (key, written)
        for key, written in (("starts", text.starts), ("ends", text.ends))
        if written is not None
    ]
    for key, written in moments:
        found += _refused(key, lambda one: _moment(one, text.zone), written)
    yield from found
    if not found and len(moments) == 2:
        starts, ends = (_moment(written, text.zone) for _, written in moments)
        if starts is not None and ends is not None and ends <= starts:
            yield Problem("ends", "is not after starts")


def _refused(key: str, read: Callable[[str], Any], written: str) -> list[Problem]:
    try:
        read(written)
    except (ValueError, OverflowError) as error:
        return [from_error(key, ValueError(str(error)))]
    return []
