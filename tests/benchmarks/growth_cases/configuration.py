"""Configuration files: TOML, its settings and hints, rules, themes, calendars."""

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.growth_cases.case import KIB, MIB, Case, Make, cases, number, repeat
from watchdeck.config.load import load
from watchdeck.config.reading.files import parse
from watchdeck.config.reading.problems import nearest
from watchdeck.config.reading.typed_reader import read
from watchdeck.config.recurrence import shifts_of
from watchdeck.config.rules import read_rules
from watchdeck.console.theme.themes import load_palette
from watchdeck.domain.notifications.calendar import MAX_EVENTS, read_calendar
from watchdeck.domain.settings.configuration import Settings

TOML: dict[str, Make] = {
    "a dotted key": repeat("a.", "", "a=1"),
    "a dotted header": repeat("a.", "[", "a]"),
    "a dotted key in quotes": repeat('"a".', "", "a=1"),
    "a dotted key with blanks": repeat("a . ", "", "a=1"),
    "lines of keys with sixteen parts": number("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p{}=1\n"),
    "a deep header and many keys": number("a{}=1\n", "[a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p]\n"),
    "many keys": number("a{}=1\n"),
    "many tables": number("[a{}]\n"),
    "many inner tables": number("[a.b{}]\n"),
    "many tables of one list": repeat("[[a]]\n"),
    "empty lists": repeat("[],", "a=[", "]"),
    "opening brackets": repeat("[", "a="),
    "opening braces": repeat("{a=", "a="),
    "a long inline table": number("b{}=1,", "a={", "c=1}"),
    "escapes": repeat("\\n", 'a="', '"'),
    "a text that never ends": repeat("x", 'a="'),
    "escaped line ends": repeat("\\\n", 'a="""', '"""'),
    "quotes": repeat('""x', 'a="""', '"""'),
    "quotes on a line of points": repeat('"\\".', "a=", "................"),
    "apostrophes on a line of points": repeat("'.", "a="),
    "comments": repeat("#\n"),
    "a long comment": repeat("#"),
    "blanks": repeat(" "),
    "line breaks": repeat("\n"),
    "digits": repeat("1", "a="),
    "hexadecimal digits": repeat("1", "a=0x"),
    "digits after the point": repeat("1", "a=1."),
    "underscores": repeat("_1", "a=1", "!"),
    "dates": repeat("2020-01-01T00:00:00Z,", "a=[", "]"),
}


def toml_cases() -> Iterator[Case]:
    yield from cases("TOML", _parse, TOML, 4 * MIB)
    settings = {
        "unknown settings": number("a{}=1\n"),
        "nearly known settings": number("endpoin{}=1\n"),
        "many labels": number("a{}='1'\n", "[[endpoint]]\n[endpoint.labels]\n"),
        "endpoints without a name": repeat("[[endpoint]]\n"),
        "lists in lists": repeat("[1],", "[[endpoint]]\nserves=[", "]"),
    }
    yield from cases("settings", _read_settings, settings, 4 * MIB)
    names: dict[str, Make] = {
        "long and alike": lambda n: ["ab" * 35 + str(place) for place in range(n)],
        "short and alike": lambda n: [f"model-{place}" for place in range(n)],
    }
    yield from cases("nearest name", lambda known: nearest("ba" * 40, known), names, 10_000)
    yield from cases("long name", _nearest_to, {"letters": repeat("m")}, 4 * MIB)


def _parse(text: str) -> dict[str, Any]:
    return parse("watchdeck.toml", text)


def _read_settings(text: str) -> object:
    return read(_parse(text), Settings, "", [])


def _nearest_to(name: str) -> str | None:
    return nearest(name, [f"model-{place}" for place in range(1_000)])


ENDPOINT = "[[endpoint]]\nname = 'model-{0}'\nurl = 'http://a/{0}'\n"

FILES: dict[str, Make] = {
    "many endpoints": number(ENDPOINT, most=10_000),
    "dependencies on no endpoint": number(ENDPOINT + "depends_on = ['modle-{0}x']\n", most=10_000),
    "dependencies on twenty": number(
        ENDPOINT + f"depends_on = {[f'model-{place}' for place in range(20)]}\n", most=10_000
    ),
    "equal names": repeat("[[endpoint]]\nname = 'model'\nurl = 'http://a'\n"),
    "unknown kinds": number(ENDPOINT + "kind = 'vlllm'\n", most=10_000),
    "blanks in a duration": repeat(" ", ENDPOINT.format(1) + "every = '1", "!'\n"),
    "combining characters in a URL": repeat(
        "\u0315\u0316", "[[endpoint]]\nname = 'm'\nurl = 'http://a", "'\n"
    ),
    "rules without a signal": number("[[rule]]\nname = 'r{}'\nwhen = 'latncy_p95 > 1s'\n"),
    "rules of one name": repeat("[[rule]]\nname = 'r'\nwhen = 'down'\n"),
    "disabled rules that are none": number("'r{}',", "[alerts]\ndisable = [", "]"),
    "bad patterns": number(
        "[[rule]]\nname = 'r{}'\nwhen = 'down'\nmatch = ['a=~((a+))+']\n", ENDPOINT.format(1)
    ),
    "placeholders of a message": repeat(
        "{", "[[rule]]\nname = 'r'\nwhen = 'down'\nmessage = '", "'\n"
    ),
    "routes to no channel": number("[[route]]\nchannels = ['c{}']\n"),
}


def file_cases() -> Iterator[Case]:
    yield from cases("configuration", load, _written(FILES, ".toml"), 4 * MIB)
    rules = {"rules without a signal": FILES["rules without a signal"]}
    yield from cases("rule file", lambda path: read_rules(path, []), _written(rules, ".toml"), MIB)
    themes = {
        "many colours": number("a{}='#000000'\n", "name='a'\n[colours]\n"),
        "opening brackets": repeat("[", "a="),
        "a dotted key": repeat("a.", "", "a=1"),
    }
    yield from cases("theme", load_palette, _written(themes, ".toml"), 4 * MIB)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def _written(shapes: dict[str, Make], suffix: str) -> dict[str, Make]:
    return {shape: _writer(make, suffix) for shape, make in shapes.items()}


def _writer(make: Make, suffix: str) -> Callable[[int], Path]:
    def write(n: int) -> Path:
        path = Path(_folder().name) / f"file{suffix}"
        path.write_text(make(n), encoding="utf-8")
        path.chmod(0o600)
        return path

    return write


HEAD, END = "BEGIN:VCALENDAR\n", "END:VCALENDAR\n"


def event(lines: str) -> str:
    return f"BEGIN:VEVENT\nUID:a\nDTSTART:20260105\n{lines}END:VEVENT\n"


def within(piece: str, head: str = "", tail: str = "\n") -> Make:
    """Calendars of one event that repeats a piece."""
    before, after = event("|").split("|")
    return repeat(piece, f"{HEAD}{before}{head}", f"{tail}{after}{END}")


def events(*texts: str) -> Make:
    """Calendars of as many events as are read, in the turn of these texts."""

    def make(n: int) -> str:
        count = max(1, min(MAX_EVENTS // len(texts), n // sum(map(len, texts))))
        return HEAD + "".join(text * count for text in texts) + END

    return make


CALENDARS: dict[str, Make] = {
    "lines of EXDATE": within("EXDATE:20260105T090000\n", tail=""),
    "empty lines of EXDATE": within("EXDATE:\n", tail=""),
    "dates of one EXDATE": within("20260105T090000,", "EXDATE:", "20260105T090000\n"),
    "dates of one RECURRENCE-ID": within("20260105T090000,", "RECURRENCE-ID:", "\n"),
    "continued lines": within(" a\n", "X:\n", ""),
    "parameters": within(";A=b", "X", ":\n"),
    "quotes of parameters": within(';A="', "X", ":\n"),
    "properties": within("X:\n", tail=""),
    "nested parts": within("BEGIN:A\n", tail=""),
    "days of a rule": within("MO,", "RRULE:FREQ=DAILY;BYDAY=", "MO\n"),
    "parts of a rule": within("COUNT=1;", "RRULE:FREQ=DAILY;"),
    "line breaks": within("\n"),
    "events": events(event("")),
    "events that replace others": events(
        event("RECURRENCE-ID:20260105T090000\n"), event("EXDATE:20260105T090000\n")
    ),
}


def calendar_cases() -> Iterator[Case]:
    read_events = lambda text: read_calendar(text, "UTC")  # noqa: E731
    yield from cases("calendar", read_events, CALENDARS, MIB)
    rules = {
        "of one day a week": "RRULE:FREQ=DAILY;BYDAY=MO\nDURATION:P31D\n",
        "of many occurrences": "RRULE:FREQ=DAILY;COUNT=9999\n",
        "of far weeks": "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;INTERVAL=9999\n",
    }
    shapes: dict[str, Make] = {shape: _calendar(rule) for shape, rule in rules.items()}
    yield from cases("shifts of a week", _expand, shapes, 256 * KIB)


def _calendar(rule: str) -> Make:
    make = events(event(rule))
    return lambda n: read_calendar(make(n), "UTC")


def _expand(parsed: Any) -> object:
    return shifts_of(parsed)(1_800_000_000_000)


def all_cases() -> Iterator[Case]:
    yield from toml_cases()
    yield from file_cases()
    yield from calendar_cases()
