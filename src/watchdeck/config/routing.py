"""Who is told of what: routes that can match, escalations and rotas that reach somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.config.checks.endpoint import outside
from watchdeck.config.checks.receivers import MOST, wrong_channels, wrong_heartbeat
from watchdeck.config.checks.text import bad_texts, wrong_name
from watchdeck.config.reading.calendars import CalendarFiles, read_events
from watchdeck.config.reading.paths import absolute
from watchdeck.config.reading.problems import ConfigProblems, Problem, did_you_mean, from_error
from watchdeck.domain.notifications.on_call import TURNS, read_wall
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.settings.receivers import (
    CONSOLE,
    Channel,
    Escalation,
    EscalationStep,
    OnCallSchedule,
    Override,
    Route,
)
from watchdeck.domain.values.local_time import read_days, read_hours, read_zone
from watchdeck.domain.values.matcher import Matcher, read_matcher
from watchdeck.domain.values.units import Milliseconds

_AGAIN = {"again": (Milliseconds(60_000), Milliseconds(86_400_000))}

Table = TypeVar("Table")


class _KnownNames(Struct, frozen=True):
    """What names may be named: channels and rotas, escalations, and who has a channel."""

    targets: tuple[str, ...]
    escalations: tuple[str, ...]
    people: frozenset[str]
    base: Path


def routing_of(settings: Settings) -> Routing:
    """The routes of settings that were loaded without problems."""
    calendars = CalendarFiles(settings.rota)
    return Routing(settings.channel, settings.route, settings.escalation, settings.rota, calendars)


def wrong_telling(settings: Settings, base: Path, *, private: bool) -> Iterator[Problem]:
    """Every problem of who is told of what; paths are below `base`."""
    known = _known(settings, base)
    yield from wrong_channels(settings, private=private)
    yield from wrong_heartbeat(settings.heartbeat)
    yield from _each("route", settings.route, Route, lambda one: _wrong_route(one, known))
    yield from _never(settings.route)
    yield from _each(
        "escalation", settings.escalation, Escalation, lambda one: _wrong_escalation(one, known)
    )
    yield from _each("rota", settings.rota, OnCallSchedule, lambda one: _wrong_rota(one, known))
    yield from _same_names(settings)


def _known(settings: Settings, base: Path) -> _KnownNames:
    channels = [one for _, one in _readable(settings.channel, Channel)]
    rotas = (one.name for _, one in _readable(settings.rota, OnCallSchedule))
    ladders = (one.name for _, one in _readable(settings.escalation, Escalation))
    people = (one.person.casefold() for one in channels if one.person)
    names = (CONSOLE, *(one.name for one in channels), *rotas)
    return _KnownNames(names, tuple(ladders), frozenset(people), base)


def _readable(tables: Iterable[object], kind: type[Table]) -> Iterator[tuple[int, Table]]:
    """The tables of a list with their numbers; an INVALID one has said why."""
    for number, table in enumerate(tables):
        if isinstance(table, kind):
            yield number, table


def _each(
    key: str,
    tables: tuple[object, ...],
    kind: type[Table],
    wrong: Callable[[Table], Iterator[Problem]],
) -> Iterator[Problem]:
    """The problems of each table of a list, with their whole keys."""
    for number, table in _readable(tables[:MOST], kind):
        for problem in wrong(table):
            yield replace(problem, key=f"{key}[{number}].{problem.key}".rstrip("."))
    if len(tables) > MOST:
        yield Problem(key, f"has {len(tables)} entries; at most {MOST} are taken")


def _same_names(settings: Settings) -> Iterator[Problem]:
    """A rota with the name of a channel or of another rota, two escalations of one name."""
    channels = (one.name for _, one in _readable(settings.channel, Channel))
    rotas = ((number, one.name) for number, one in _readable(settings.rota, OnCallSchedule))
    ladders = ((number, one.name) for number, one in _readable(settings.escalation, Escalation))
    for key, names, taken in (("rota", rotas, {*channels}), ("escalation", ladders, set())):
        for number, name in names:
            if name in taken:
                yield Problem(f"{key}[{number}].name", "is taken already", "Take another.")
            taken.add(name)


def _wrong_route(route: Route, known: _KnownNames) -> Iterator[Problem]:
    yield from bad_texts(route)
    yield from _refused("zone", read_zone, route.zone)
    yield from _refused("hours", read_hours, route.hours)
    yield from _refused("days", read_days, route.days)
    for number, text in enumerate(route.match):
        yield from _refused(f"match[{number}]", read_matcher, text)
    for number, severity in enumerate(route.severity):
        if not 1 <= severity <= 4:
            yield Problem(f"severity[{number}]", f"is {severity}", "Severities are 1 to 4.")
    yield from _wrong_names("to", route.to, known.targets, "channel or rota")
    if route.escalation is not None:
        yield from _wrong_names("escalation", (route.escalation,), known.escalations, "escalation")
    if not route.to and route.escalation is None:
        yield Problem("", "tells nobody", 'Write to = ["NAME"], or escalation = "NAME".')
    if clash := _clash(route):
        yield Problem("match", f"can never match: {clash}")


def _clash(route: Route) -> str:
    """Why no alert can meet all that a route asks for, or nothing."""
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
    """The matchers that can be read."""
    found = []
    for text in route.match:
        try:
            found.append(read_matcher(text))
        except ValueError:
            continue
    return found


def _never(routes: tuple[Route, ...]) -> Iterator[Problem]:
    """Routes behind one that takes all that they would."""
    good = list(_readable(routes[:MOST], Route))
    for place, (number, route) in enumerate(good):
        for before, earlier in good[:place]:
            if _takes_all(earlier, route):
                text = f"can never match: route[{before}] takes all that it would"
                yield Problem(f"route[{number}]", text, "Put it before, or let that one continue.")
                break


def _takes_all(earlier: Route, later: Route) -> bool:
    if earlier.continue_ or earlier.hours or earlier.days:
        return False
    severities = set(later.severity or (1, 2, 3, 4)) <= set(earlier.severity or (1, 2, 3, 4))
    return severities and set(earlier.match) <= set(later.match)


def _wrong_escalation(escalation: Escalation, known: _KnownNames) -> Iterator[Problem]:
    yield from bad_texts(escalation)
    yield from wrong_name(escalation.name)
    yield from outside(escalation, _AGAIN)
    if not escalation.step:
        yield Problem("step", "is empty", "Write [[escalation.step]] with to and after.")
    before = Milliseconds(-1)
    for number, rung in _readable(escalation.step, EscalationStep):
        at = f"step[{number}]"
        yield from _wrong_names(f"{at}.to", rung.to, known.targets, "channel or rota")
        if not rung.to:
            yield Problem(f"{at}.to", "is empty")
        if number == 0 and rung.after:
            yield Problem(f"{at}.after", f"is {rung.after}", "The first step is taken at once.")
        elif rung.after <= before:
            yield Problem(f"{at}.after", f"is {rung.after}, not after the step before it")
        before = rung.after


def _wrong_rota(rota: OnCallSchedule, known: _KnownNames) -> Iterator[Problem]:
    yield from bad_texts(rota)
    yield from wrong_name(rota.name)
    yield from _refused("zone", read_zone, rota.zone)
    yield from _refused("starts", read_wall, rota.starts)
    channels = tuple(name for name in known.targets if name != rota.name)
    yield from _wrong_names("to", rota.to, channels, "channel")
    if rota.turn not in TURNS:
        hint = did_you_mean(rota.turn, TURNS, f"There are {', '.join(TURNS)}.")
        yield Problem("turn", "is no turn", hint)
    if bool(rota.people) == (rota.calendar is not None):
        yield Problem("", "needs one of people and calendar")
    people = list(rota.people)
    for number, override in _readable(rota.override, Override):
        people.append(override.person)
        yield from _wrong_override(f"override[{number}]", override)
    if rota.calendar is not None:
        summaries, problems = _shifts(rota, known)
        people += summaries
        yield from problems
    yield from _unreached(rota, people, known)


def _wrong_override(at: str, override: Override) -> Iterator[Problem]:
    found = [
        *_refused(f"{at}.from", read_wall, override.from_),
        *_refused(f"{at}.until", read_wall, override.until),
    ]
    yield from found
    if not found and read_wall(override.until) <= read_wall(override.from_):
        yield Problem(f"{at}.until", "is not after from")


def _shifts(rota: OnCallSchedule, known: _KnownNames) -> tuple[list[str], list[Problem]]:
    """Who stands in the calendar of a rota, and what is wrong with it."""
    try:
        read_zone(rota.zone)
        path = Path(absolute(rota.calendar or "", known.base))
        events = read_events(path, rota.zone)
    except ConfigProblems as error:
        return [], [Problem("calendar", error.problems[0].text)]
    except ValueError as error:
        return [], [from_error("calendar", error)]
    return sorted({event.summary for event in events}), []


def _unreached(
    rota: OnCallSchedule, people: Iterable[str], known: _KnownNames
) -> Iterator[Problem]:
    """People for whom there is no channel."""
    missing = sorted({one for one in people if one.casefold() not in known.people})
    if missing and not rota.to:
        text = f"is missing, and {missing[0]!r} has no channel"
        hint = 'Give a channel person = "NAME", or the rota to = ["CHANNEL"].'
        yield Problem("to", text, hint)


def _wrong_names(
    key: str, names: Iterable[str], known: Iterable[str], what: str
) -> Iterator[Problem]:
    there_are = tuple(known)
    for number, name in enumerate(names):
        if name not in there_are:
            at = f"{key}[{number}]" if key != "escalation" else key
            listed = f"There are {', '.join(there_are)}." if there_are else ""
            yield Problem(at, f"names no {what}", did_you_mean(name, there_are, listed))


def _refused(key: str, read: Callable[[str], object], text: str) -> Iterator[Problem]:
    """What a text cannot be read for; an empty one was not written."""
    if text:
        try:
            read(text)
        except ValueError as error:
            yield from_error(key, ValueError(str(error)))
