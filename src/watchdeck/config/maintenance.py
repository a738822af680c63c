"""Checks the texts of maintenance windows, and compiles them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from watchdeck.config.checks import fields
from watchdeck.config.reading.problems import Problem, did_you_mean
from watchdeck.config.rules import endpoint_labels, rules_in_force
from watchdeck.domain.alerts.maintenance import Maintenance, Recurrence
from watchdeck.domain.alerts.silence_scope import KnownAlerts, RuleScope, hides_everything
from watchdeck.domain.rules.rule import alert_labels
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.rules import MaintenanceText
from watchdeck.domain.values.datetimes import (
    read_days,
    read_hours,
    read_zone,
    utc_milliseconds,
)
from watchdeck.domain.values.matcher import read_matcher

_MILLISECOND = timedelta(milliseconds=1)
WEEKS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}


def maintenance_in_force(settings: Settings) -> tuple[Maintenance, ...]:
    """Compile the maintenance windows of settings that have no problems."""
    return tuple(map(_compile, settings.maintenance))


def maintenance_problems(settings: Settings) -> Iterator[Problem]:
    """Every problem of the maintenance windows, each with its key."""
    tables = settings.maintenance
    yield from fields.table_problems("maintenance", tables, MaintenanceText, _problems, len(tables))
    names = fields.table_names(tables, MaintenanceText)
    yield from fields.duplicate_problems("maintenance", names)


def maintenance_of_everything(settings: Settings) -> Iterator[Problem]:
    """A problem for each maintenance that mutes every alert of the configured endpoints.

    It may be meant: a night on which all servers are restarted.
    """
    scopes = (RuleScope(alert_labels(rule, {}), rule.match) for rule in rules_in_force(settings))
    known = KnownAlerts(tuple(map(endpoint_labels, settings.endpoint)), tuple(scopes))
    for number, work in enumerate(maintenance_in_force(settings)):
        if hides_everything(work.matchers, known):
            listed = ", ".join(map(str, work.matchers))
            text = f"mutes nearly every alert ({listed})"
            hint = "If only some models are meant, write which: model=NAME, or owner=NAME."
            yield Problem(f"maintenance[{number}].match", text, hint)


def _compile(text: MaintenanceText) -> Maintenance:
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
    weeks = tuple(WEEKS[week] for week in text.weeks)
    return Recurrence(hours.first, hours.length // _MILLISECOND, days, weeks)


def _moment(text: str | None, zone: str) -> int | None:
    """Read a time in `zone`, or with its own offset, as ms UTC. Raises ValueError.

    None when there is no text.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a time; write 2026-12-24T09:00") from None
    return round(moment.timestamp() * 1_000) if moment.tzinfo else utc_milliseconds(moment, zone)


def _problems(text: MaintenanceText) -> Iterator[Problem]:
    yield from fields.text_problems(text)
    yield from fields.name_problems(text.name)
    yield from _part_problems(text)
    for number, week in enumerate(text.weeks):
        if week not in WEEKS:
            hint = did_you_mean(week, WEEKS, f"There are: {', '.join(WEEKS)}.")
            yield Problem(f"weeks[{number}]", "is no week of a month", hint)
    if not text.match:
        yield Problem("match", "is empty, and would mean everything", 'Such as "owner=risk".')
    if (text.days or text.weeks) and not text.hours:
        yield Problem("hours", "is missing beside days", 'Such as hours = "22:00-04:00".')
    if not text.hours and (text.starts is None or text.ends is None):
        hint = "Write hours for every day, or starts and ends for one time."
        yield Problem("", "has no end", hint)


def _part_problems(text: MaintenanceText) -> Iterator[Problem]:
    """Problems of texts that cannot be read: matchers, zone, hours, days, starts and ends."""
    for number, one in enumerate(text.match):
        yield from fields.read_problems(f"match[{number}]", read_matcher, one)
    zone_problems = fields.read_problems("zone", read_zone, text.zone)
    yield from zone_problems
    if text.hours:
        yield from fields.read_problems("hours", read_hours, text.hours)
    if text.days:
        yield from fields.read_problems("days", read_days, text.days)
    if not zone_problems:
        yield from _span_problems(text)


def _span_problems(text: MaintenanceText) -> Iterator[Problem]:
    times = {key: getattr(text, key) for key in ("starts", "ends")}
    problems = [
        problem
        for key, written in times.items()
        if written is not None
        for problem in fields.read_problems(key, lambda one: _moment(one, text.zone), written)
    ]
    yield from problems
    if not problems:
        starts, ends = (_moment(written, text.zone) for written in times.values())
        if starts is not None and ends is not None and ends <= starts:
            yield Problem("ends", "is not after starts")
