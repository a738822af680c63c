"""What people type: durations, times, matchers, filters, conditions, commands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.growth_cases.case import (
    KIB,
    MIB,
    NAMES,
    Case,
    Make,
    cases,
    number,
    repeat,
    uncached,
)
from watchdeck.actions.requests import ChangeRequest, Selection, parse_arguments
from watchdeck.cli.options import TimeParam
from watchdeck.console.input import commands, time_parser
from watchdeck.console.input.key_names import textual_key_name
from watchdeck.console.models.columns import choose_columns
from watchdeck.domain.board import filter as board_filter
from watchdeck.domain.board.filter_fields import ALERTS
from watchdeck.domain.rules.condition import LONGEST as LONGEST_CONDITION
from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.values.cells import cell_width
from watchdeck.domain.values.datetimes import read_days, read_hours
from watchdeck.domain.values.matcher import LONGEST, LONGEST_VALUE, Matcher, read_matcher
from watchdeck.domain.values.pattern import compile_pattern, is_slow
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio

BLANKS: dict[str, Make] = {
    "blanks": repeat(" "),
    "blanks before the end": repeat(" ", "1", "!"),
    "blanks before the unit": repeat(" ", "1", "s"),
    "digits": repeat("1"),
    "digits after the point": repeat("1", "1."),
    "letters": repeat("a"),
    "points": repeat("1."),
}

COMMAND_LINE = 128 * KIB
"""The longest argument that Linux passes to a program."""


def value_cases() -> Iterator[Case]:
    for kind in (Milliseconds, Ratio, Bytes):
        yield from cases(kind.__name__, kind.parse, BLANKS, 4 * MIB)
    yield from cases("hours", uncached(read_hours), BLANKS, 4 * MIB)
    days = BLANKS | {"many days": repeat("mon-sun,"), "commas": repeat(",")}
    yield from cases("days", uncached(read_days), days, 4 * MIB)
    dates = BLANKS | {"a long date": repeat("0", "2026-01-01T00:00:00.")}
    yield from cases("typed time", lambda text: time_parser.parse(text, 0, 0, None), dates)
    cli_times = {shape: make for shape, make in dates.items() if shape != "letters"}
    yield from cases("TIME of a command", _read_time, cli_times, COMMAND_LINE)
    texts = {
        "escapes": repeat("\x1b"),
        "characters without width": repeat("\u200b"),
        "letters": repeat("a"),
    }
    yield from cases("text to clean", clean, texts)
    yield from cases("long text to clean", lambda text: clean(text, len(text)), texts)
    wide: dict[str, Make] = {
        "wide characters": repeat("検"),
        "combining marks": repeat("\u0308"),
        "different characters": lambda n: "".join(chr(0x4E00 + k % NAMES) for k in range(n)),
    }
    yield from cases("width of a text", cell_width, wide, 4 * MIB)


def _read_time(text: str) -> object:
    from click import BadParameter

    try:
        return TimeParam().convert(text, None, None)
    except BadParameter:
        return None


def matcher_cases() -> Iterator[Case]:
    matchers = {
        "blanks before the value": repeat(" ", "a=", "x"),
        "blanks after the value": repeat(" ", "a=x"),
        "blanks before no sign": repeat(" ", "a", "x"),
        "a pattern of stars": repeat("*", "a=~("),
        "opening brackets": repeat("(", "a=~"),
        "alternatives": repeat("a|", "a=~"),
        "classes": repeat("[a-z]*", "a=~"),
    }
    yield from cases("matcher", uncached(read_matcher), matchers, LONGEST)
    quoted = {
        "escapes in a value": repeat('\\"', 'a="', '"'),
        "a value that is not closed": repeat('\\"', 'a="'),
        "escapes in a name": repeat('\\"', '"', '"=x'),
        "a name that is not closed": repeat('\\"', '"'),
        "quotes": repeat('"'),
        "letters of a name": repeat("ß"),
        "names and quotes": repeat('"a"', "a="),
    }
    yield from cases("matcher", uncached(read_matcher), quoted, 2 * LONGEST)
    values: dict[str, Make] = {
        "quotes": lambda n: Matcher('"' * n, '"' * n),
        "blanks": lambda n: Matcher(" " * n, " " * n),
    }
    yield from cases("matcher as text", str, values, 4 * KIB)
    for pattern in (".*a.*b", "(a*)(a*)b", "a?a?a*a*b", "(?:a|aa|aaa)a*a*b", "[a-z]+-[0-9]+b"):
        near: dict[str, Make] = {f"a near match of {pattern}": _label}
        yield from cases("pattern of a matcher", Matcher("a", pattern, True).holds, near, 1_024)
    yield from cases(
        "cost of a pattern",
        lambda text: is_slow(text, LONGEST_VALUE),
        {"repetitions": repeat("a*"), "groups": repeat("("), "escapes": repeat("\\", "[")},
        1_000,
    )


def _label(n: int) -> dict[str, str]:
    return {"a": "a" * n}


@dataclass(frozen=True, slots=True)
class Row:
    """A model whose name nearly matches every pattern."""

    name: str

    def texts(self) -> tuple[str, ...]:
        return (self.name,)

    def text(self, key: str) -> str | None:
        return key

    def number(self, name: str) -> float | None:
        return float(len(name))


def filter_cases() -> Iterator[Case]:
    filters = {
        "words": repeat("a "),
        "one word": repeat("a"),
        "negations": repeat("!"),
        "quotes": repeat('"'),
        "alternatives": repeat("a|"),
        "half comparisons": repeat("a>"),
        "an unknown signal": repeat("a", "", ">1"),
        "escapes in a pattern": repeat("\\/", "/"),
    }
    yield from cases("filter", board_filter.parse, filters, board_filter.MAX_LENGTH)
    named: dict[str, Make] = {
        "a long name": lambda n: ("@" + "a" * n, {"a": "b"}),
        "a long saved filter": lambda n: ("@a", {"a": "!" * n}),
    }
    read_named = lambda given: board_filter.parse_named(*given)  # noqa: E731
    yield from cases("saved filter", read_named, named, board_filter.MAX_LENGTH)
    equal = {"equal numbers": repeat("sev=1 "), "unknown numbers": repeat("sevv<1 ")}
    read = lambda text: board_filter.parse(text, ALERTS)  # noqa: E731
    yield from cases("filter of alerts", read, filters | equal, board_filter.MAX_LENGTH)
    patterns = {
        "a class of ranges": repeat(" -\uffff", "/[", "]/"),
        "four wide classes": lambda n: "/" + "[ -\uffff]" * 4 + "a" * (n - 22) + "/",
        "stars": repeat("a*", "/", "/"),
        "groups": repeat("(", "/", "/"),
    }
    yield from cases("pattern in a filter", _parse_anew, patterns, 102)
    for pattern in (".*a.*b", "a+a+b", "(a*)(a*)b", "a?a?a?b"):
        wanted = board_filter.parse(f"/{pattern}/")
        rows: dict[str, Make] = {f"a near match of {pattern}": lambda n: Row("a" * n)}
        yield from cases("pattern of a filter", wanted, rows, 1_024)


def _parse_anew(text: str) -> object:
    re.purge()
    compile_pattern.cache_clear()
    return board_filter.parse(text)


def condition_cases() -> Iterator[Case]:
    conditions = {
        "blanks": repeat(" ", "latency_p95 > ", "1s"),
        "words": repeat("a "),
        "a long word": repeat("a"),
        "digits": repeat("1"),
        "signs": repeat(">"),
        "brackets": repeat("("),
        "windows": repeat(" or > 1 over 1h and 5m", "burn(availability) > 1 over 1h and 5m"),
        "clauses": repeat(" for 1m", "down"),
    }
    yield from cases("when", read_condition, conditions, LONGEST_CONDITION)


def command_cases() -> Iterator[Case]:
    arguments = {"matchers": repeat("a=b "), "words": repeat("a "), "lengths": repeat("1h ")}
    arguments |= {
        "quoted matchers": repeat('a="b c" '),
        "a matcher that is not closed": repeat('\\" ', 'a="'),
        "quotes that are not closed": repeat('a="x '),
        "quotes in values": repeat('a=x" '),
        "names that are not closed": repeat('"a=x '),
        "blanks": repeat(" "),
    }
    yield from cases("arguments of an action", parse_arguments, arguments, COMMAND_LINE)
    changes = {
        "equal signs": repeat("=", "--", " a\nb"),
        "blanks": repeat(" ", "--what", "\nb"),
        "hyphens": repeat("-"),
    }
    yield from cases(
        "change", lambda text: ChangeRequest.parse(text, Selection()), changes, COMMAND_LINE
    )
    known = commands.CompletionContext(tuple(f"model-number-{place}" for place in range(1_000)))
    command = commands.Command("model", "", str, "NAME", lambda names: names.models)
    typed = {
        "letters": repeat("m", "model "),
        "blanks": repeat(" ", "model "),
        "a near name": repeat("model-number-1", "model "),
    }
    parse = lambda line: commands.parse(line, known, (command,))  # noqa: E731
    yield from cases("command", parse, typed, COMMAND_LINE)
    entries = tuple(commands.entries(known, (command,)))
    palette = {"letters": repeat("m"), "a near name": repeat("model-")}
    yield from cases("palette", lambda text: commands.found(text, entries), palette, COMMAND_LINE)
    keys = {"modifiers": repeat("ctrl+"), "letters": repeat("a")}
    yield from cases("name of a key", textual_key_name, keys, 1_024)
    columns: dict[str, Make] = {"unknown": lambda n: number("m{} ")(n).split()}
    yield from cases("columns", choose_columns, columns, 4 * KIB)


def all_cases() -> Iterator[Case]:
    yield from value_cases()
    yield from matcher_cases()
    yield from filter_cases()
    yield from condition_cases()
    yield from command_cases()
