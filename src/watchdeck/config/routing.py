"""Routing of notifications: routes, escalations and rotas, checked and built."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec import Struct

from watchdeck.config.checks import fields
from watchdeck.config.checks.fields import Bounds
from watchdeck.config.checks.receivers import MOST, channel_problems, heartbeat_problems
from watchdeck.config.reading.calendars import CalendarFiles, read_events
from watchdeck.config.reading.files import absolute_path
from watchdeck.config.reading.problems import ConfigProblems, Problem, did_you_mean, from_error
from watchdeck.domain.notifications.on_call import TURN_LENGTHS, read_local_time
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.receivers import (
    CONSOLE,
    Channel,
    Escalation,
    EscalationStep,
    OnCallSchedule,
    Override,
    Route,
)
from watchdeck.domain.values.datetimes import read_days, read_hours, read_zone
from watchdeck.domain.values.matcher import Matcher, read_matcher
from watchdeck.domain.values.units import Milliseconds

ESCALATION_BOUNDS: Bounds = {"again": (Milliseconds(60_000), Milliseconds(86_400_000))}


class _KnownNames(Struct, frozen=True):
    """The names that routes, escalations and rotas may use, and the folder of their files."""

    targets: tuple[str, ...]
    """Names of channels and rotas, and `console`."""
    escalations: tuple[str, ...]
    people: frozenset[str]
    """People with a channel, casefolded."""
    base: Path


def routing_of(settings: Settings) -> Routing:
    """Build the routing (who is notified how) from settings that have no problems."""
    calendars = CalendarFiles(settings.rota)
    return Routing(settings.channel, settings.route, settings.escalation, settings.rota, calendars)


def routing_problems(settings: Settings, base: Path, *, private: bool) -> Iterator[Problem]:
    """Every problem of channels, routes, escalations and rotas.

    `base` is the folder of relative paths; unless the configuration is `private`, secrets in it are
    problems too.
    """
    known = _known_names(settings, base)

    yield from channel_problems(settings, private=private)
    yield from heartbeat_problems(settings.heartbeat)
    for key, tables, kind, check in (
        ("route", settings.route, Route, _route_problems),
        ("escalation", settings.escalation, Escalation, _escalation_problems),
        ("rota", settings.rota, OnCallSchedule, _rota_problems),
    ):
        yield from fields.table_problems(key, tables, kind, partial(check, known=known), MOST)
    yield from _unreachable_routes(settings.route)
    yield from _name_clashes(settings)


def _known_names(settings: Settings, base: Path) -> _KnownNames:
    channels = [one for _, one in fields.readable_tables(settings.channel, Channel)]
    rotas = (name for _, name in fields.table_names(settings.rota, OnCallSchedule))
    escalations = tuple(name for _, name in fields.table_names(settings.escalation, Escalation))
    people = frozenset(one.person.casefold() for one in channels if one.person)
    targets = (CONSOLE, *(one.name for one in channels), *rotas)
    return _KnownNames(targets, escalations, people, base)


def _name_clashes(settings: Settings) -> Iterator[Problem]:
    """Problems of names that are used twice: by rotas and channels, or by escalations."""
    channels = {name for _, name in fields.table_names(settings.channel, Channel)}
    rotas = fields.table_names(settings.rota, OnCallSchedule)
    escalations = fields.table_names(settings.escalation, Escalation)
    for key, names, used in (("rota", rotas, channels), ("escalation", escalations, set())):
        for number, name in names:
            if name in used:
                yield Problem(f"{key}[{number}].name", "is taken already", "Take another.")
            used.add(name)


def _route_problems(route: Route, known: _KnownNames) -> Iterator[Problem]:
    yield from fields.text_problems(route)
    yield from _optional_problems("zone", read_zone, route.zone)
    yield from _optional_problems("hours", read_hours, route.hours)
    yield from _optional_problems("days", read_days, route.days)
    for number, text in enumerate(route.match):
        yield from _optional_problems(f"match[{number}]", read_matcher, text)
    for number, severity in enumerate(route.severity):
        if not 1 <= severity <= 4:
            yield Problem(f"severity[{number}]", f"is {severity}", "Severities are 1 to 4.")
    yield from _reference_problems("to", route.to, known.targets, "channel or rota")
    if route.escalation is not None:
        yield from _reference_problems(
            "escalation", (route.escalation,), known.escalations, "escalation"
        )
    if not route.to and route.escalation is None:
        yield Problem("", "tells nobody", 'Write to = ["NAME"], or escalation = "NAME".')
    if reason := _contradiction(route):
        yield Problem("match", f"can never match: {reason}")


def _contradiction(route: Route) -> str:
    """The reason why no alert can match a route; empty when some alert can."""
    wanted: dict[str, str] = {}
    for one in _matchers(route):
        if one.pattern or one.negated:
            continue
        if wanted.setdefault(one.label, one.wanted) != one.wanted:
            return f"{one.label} is either {wanted[one.label]!r} or {one.wanted!r}"
    severity = wanted.get("severity")
    if severity is not None and route.severity and severity not in map(str, route.severity):
        return f"severity is {severity}, and none of {', '.join(map(str, route.severity))}"
    return ""


def _matchers(route: Route) -> list[Matcher]:
    """The matchers of a route, without those that cannot be read."""
    matchers = []
    for text in route.match:
        with suppress(ValueError):
            matchers.append(read_matcher(text))
    return matchers


def _unreachable_routes(routes: tuple[Route, ...]) -> Iterator[Problem]:
    """Problems of routes that never match: an earlier route takes all of their alerts."""
    listed = list(fields.readable_tables(routes[:MOST], Route))
    for place, (number, route) in enumerate(listed):
        for before, earlier in listed[:place]:
            if _covers(earlier, route):
                text = f"can never match: route[{before}] takes all that it would"
                yield Problem(f"route[{number}]", text, "Put it before, or let that one continue.")
                break


def _covers(earlier: Route, later: Route) -> bool:
    if earlier.continue_ or earlier.hours or earlier.days:
        return False
    severities = set(later.severity or (1, 2, 3, 4)) <= set(earlier.severity or (1, 2, 3, 4))
    return severities and set(earlier.match) <= set(later.match)


def _escalation_problems(escalation: Escalation, known: _KnownNames) -> Iterator[Problem]:
    yield from fields.text_problems(escalation)
    yield from fields.name_problems(escalation.name)
    yield from fields.bound_problems(escalation, ESCALATION_BOUNDS)
    if not escalation.step:
        yield Problem("step", "is empty", "Write [[escalation.step]] with to and after.")
    before = Milliseconds(-1)
    for number, step in fields.readable_tables(escalation.step, EscalationStep):
        at = f"step[{number}]"
        yield from _reference_problems(f"{at}.to", step.to, known.targets, "channel or rota")
        if not step.to:
            yield Problem(f"{at}.to", "is empty")
        if number == 0 and step.after:
            yield Problem(f"{at}.after", f"is {step.after}", "The first step is taken at once.")
        elif step.after <= before:
            yield Problem(f"{at}.after", f"is {step.after}, not after the step before it")
        before = step.after


def _rota_problems(rota: OnCallSchedule, known: _KnownNames) -> Iterator[Problem]:
    yield from fields.text_problems(rota)
    yield from fields.name_problems(rota.name)
    yield from _optional_problems("zone", read_zone, rota.zone)
    yield from _optional_problems("starts", read_local_time, rota.starts)
    channels = tuple(name for name in known.targets if name != rota.name)
    yield from _reference_problems("to", rota.to, channels, "channel")
    if rota.turn not in TURN_LENGTHS:
        hint = did_you_mean(rota.turn, TURN_LENGTHS, f"There are {', '.join(TURN_LENGTHS)}.")
        yield Problem("turn", "is no turn", hint)
    if bool(rota.people) == (rota.calendar is not None):
        yield Problem("", "needs one of people and calendar")
    people = list(rota.people)
    for number, override in fields.readable_tables(rota.override, Override):
        people.append(override.person)
        yield from _override_problems(f"override[{number}]", override)
    if rota.calendar is not None:
        calendar_people, problems = _calendar_people(rota, known)
        people += calendar_people
        yield from problems
    yield from _unreachable_people(rota, people, known)


def _override_problems(at: str, override: Override) -> Iterator[Problem]:
    problems = [
        *_optional_problems(f"{at}.from", read_local_time, override.from_),
        *_optional_problems(f"{at}.until", read_local_time, override.until),
    ]
    yield from problems
    if not problems and read_local_time(override.until) <= read_local_time(override.from_):
        yield Problem(f"{at}.until", "is not after from")


def _calendar_people(rota: OnCallSchedule, known: _KnownNames) -> tuple[list[str], list[Problem]]:
    """The people in the calendar of a rota, and the problems of the calendar."""
    try:
        read_zone(rota.zone)
        path = Path(absolute_path(rota.calendar or "", known.base))
        events = read_events(path, rota.zone)
    except ConfigProblems as error:
        return [], [Problem("calendar", error.problems[0].text)]
    except ValueError as error:
        return [], [from_error("calendar", error)]
    return sorted({event.summary for event in events}), []


def _unreachable_people(
    rota: OnCallSchedule, people: Iterable[str], known: _KnownNames
) -> Iterator[Problem]:
    """The problem of a rota without a channel, if somebody in it has no channel either."""
    missing = sorted({one for one in people if one.casefold() not in known.people})
    if missing and not rota.to:
        text = f"is missing, and {missing[0]!r} has no channel"
        hint = 'Give a channel person = "NAME", or the rota to = ["CHANNEL"].'
        yield Problem("to", text, hint)


def _reference_problems(
    key: str, names: Iterable[str], known: Iterable[str], what: str
) -> Iterator[Problem]:
    known_names = tuple(known)
    for number, name in enumerate(names):
        if name not in known_names:
            at = f"{key}[{number}]" if key != "escalation" else key
            listed = f"There are {', '.join(known_names)}." if known_names else ""
            yield Problem(at, f"names no {what}", did_you_mean(name, known_names, listed))


def _optional_problems(key: str, read: Callable[[str], object], text: str) -> Iterator[Problem]:
    """The problem of a text that cannot be read; an empty text counts as not written."""
    if text:
        yield from fields.read_problems(key, read, text)
