"""The filter language: which models or alerts a person wants to see.

`fraud` or `"two words"` is part of a name, owner, kind, service or label; `/^fraud-/` a pattern;
`owner=risk`, `health!=ok` and `p95>200ms` compare; `!` turns round, a blank is and, `|` is or.
Three results, not two: what is not known matches neither a comparison nor its opposite.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from operator import ge, gt, le, lt
from typing import Protocol

from msgspec import Struct

from watchdeck.domain.board.health import Health
from watchdeck.domain.metrics.signal import ALIASES, SIGNALS
from watchdeck.domain.values.pattern import compile_pattern, has_nested_repetition
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio, Unit

Truth = bool | None
"""Whether something matches; None where that cannot be known."""


class Filterable(Protocol):
    """What a filter sees of a model or an alert."""

    def words(self) -> Iterable[str]:
        """The texts that it is found by."""
        ...

    def text(self, key: str) -> str | None:
        """A field or label by its name; None where there is none."""
        ...

    def number(self, name: str) -> float | None:
        """What can be above or below a value; None where that is not known."""
        ...


LONGEST = 500
"""Characters of a filter."""

_LONGEST_PATTERN = 100
_SEARCHED = 200
"""Characters of a text that patterns look at: what a person types must not stop the console."""


class Vocabulary(Struct, frozen=True):
    """What can be above or below a value: short words for it, its units, and some `examples`.

    `choices` are all the texts that a field can have, where they are few.
    """

    aliases: Mapping[str, str]
    units: Mapping[str, Unit]
    what: str
    examples: str
    choices: Mapping[str, tuple[str, ...]]


MODELS = Vocabulary(
    ALIASES,
    {name: signal.unit for name, signal in SIGNALS.items()},
    "signal",
    "p95, errors, rate, saturation",
    {"health": tuple(health.value for health in Health)},
)
"""Models are compared by their signals."""

_ORDERS: dict[str, Callable[[float, float], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}

_TERM = re.compile(
    r"""(?P<blank>\s+)|(?P<or>\|)|(?P<not>!)|(?P<open>")
    |/(?P<pattern>(?:[^/\\]|\\.)*)(?P<closed>/?)
    |(?P<key>[^\s|!"=<>][^\s|"=<>!]*)(?P<order>!=|>=|<=|=|>|<)(?P<value>"[^"]*"|[^\s|"]*)
    |(?P<word>[^\s|!"]+)""",
    re.VERBOSE,
)
_QUOTED = re.compile(r'"([^"]*)"')
_ENDLESS = re.compile(r"(?<!\\)[*+]|\{\d*,\d*\}")


class FilterError(ValueError):
    """A filter that cannot be read: what is wrong, and at which character."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


class Contains(Struct, frozen=True):
    """A part of something that a model is called by, whatever its case."""

    text: str

    def __call__(self, one: Filterable) -> Truth:
        """Whether one matches."""
        return any(self.text.casefold() in said.casefold() for said in one.words())

    def __str__(self) -> str:
        plain = re.fullmatch(r'[^\s|!"/=<>][^\s|!"=<>]*', self.text)
        return self.text if plain else f'"{self.text}"'


class Pattern(Struct, frozen=True):
    """A regular expression over the same texts, whatever their case."""

    text: str

    def __call__(self, one: Filterable) -> Truth:
        """Whether one matches."""
        pattern = compile_pattern(self.text, re.IGNORECASE)
        return any(pattern.search(said[:_SEARCHED]) for said in one.words())

    def __str__(self) -> str:
        return f"/{self.text}/"


class Equals(Struct, frozen=True):
    """A field or label that is exactly this, whatever its case."""

    key: str
    value: str

    def __call__(self, one: Filterable) -> Truth:
        """Whether one matches."""
        text = one.text(self.key)
        return None if text is None else text.casefold() == self.value.casefold()

    def __str__(self) -> str:
        return f'{self.key}="{self.value}"'


class NumericFilter(Struct, frozen=True):
    """A number above or below a value, which is written as `text`."""

    name: str
    order: str
    value: float
    text: str

    def __call__(self, one: Filterable) -> Truth:
        """Whether one matches."""
        found = one.number(self.name)
        return None if found is None else _ORDERS[self.order](found, self.value)

    def __str__(self) -> str:
        return f"{self.name}{self.order}{self.text}"


class Not(Struct, frozen=True):
    """The opposite; of what is not known nothing is."""

    inner: Filter

    def __call__(self, one: Filterable) -> Truth:
        """Whether one matches."""
        answer = self.inner(one)
        return None if answer is None else not answer

    def __str__(self) -> str:
        return f"!{self.inner}"


class All(Struct, frozen=True):
    """Every one of them; none at all is everything."""

    inner: tuple[Filter, ...] = ()

    def __call__(self, one: Filterable) -> Truth:
        """Whether one matches."""
        answers = [part(one) for part in self.inner]
        return False if False in answers else None if None in answers else True

    def __str__(self) -> str:
        return " ".join(map(str, self.inner))


class Any(Struct, frozen=True):
    """At least one of them."""

    inner: tuple[All, ...]

    def __call__(self, one: Filterable) -> Truth:
        """Whether one matches."""
        answers = [part(one) for part in self.inner]
        return True if True in answers else None if None in answers else False

    def __str__(self) -> str:
        return " | ".join(map(str, self.inner))


Filter = Contains | Pattern | Equals | NumericFilter | Not | All | Any

EVERYTHING = All()


def parse(text: str, vocabulary: Vocabulary = MODELS) -> Filter:
    """A filter as a person writes it; empty is everything. Raises FilterError."""
    if len(text) > LONGEST:
        raise FilterError(LONGEST, f"a filter has at most {LONGEST} characters")
    groups: list[list[Filter]] = [[]]
    turned, last = 0, 0
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise FilterError(position, "this is no word")
        if match["not"]:
            turned, last = turned + 1, position
        elif match["or"]:
            _refuse_dangling(turned, last)
            groups.append([])
        elif not match["blank"]:
            term, end = _term(text, match, vocabulary)
            groups[-1].append(Not(term) if turned % 2 else term)
            turned, position = 0, end
            continue
        position = match.end()
    _refuse_dangling(turned, last)
    parts = tuple(All(tuple(group)) for group in groups)
    if len(parts) > 1 and not all(part.inner for part in parts):
        raise FilterError(text.index("|"), "on both sides of | there must be something")
    if len(parts) > 1:
        return Any(parts)
    return parts[0].inner[0] if len(parts[0].inner) == 1 else parts[0]


def matches(wanted: Filter, one: Filterable) -> bool:
    """Whether one is to be shown: only what is known to match is."""
    return wanted(one) is True


def _refuse_dangling(turned: int, position: int) -> None:
    if turned:
        raise FilterError(position, "after ! there must be something to turn round")


def _term(text: str, match: re.Match[str], vocabulary: Vocabulary) -> tuple[Filter, int]:
    start = match.start()
    if match["open"]:
        quoted = _QUOTED.match(text, start)
        if quoted is None:
            raise FilterError(start, 'a second " is missing')
        return Contains(quoted[1]), quoted.end()
    if match["pattern"] is not None:
        if not match["closed"]:
            raise FilterError(start, "a second / is missing")
        return _pattern(match["pattern"], start), match.end()
    if match["key"]:
        value = match["value"].removeprefix('"').removesuffix('"')
        return _comparison(match, value, vocabulary), match.end()
    return Contains(match["word"]), match.end()


def _pattern(text: str, position: int) -> Pattern:
    if len(text) > _LONGEST_PATTERN:
        raise FilterError(position, f"a pattern has at most {_LONGEST_PATTERN} characters")
    if (
        has_nested_repetition(text)
        or len(_ENDLESS.findall(text)) > 2
        or re.search(r"\\\d|\(\?", text)
    ):
        raise FilterError(
            position, "a pattern repeats at most twice, and no group with a repeat in it"
        )
    try:
        compile_pattern(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise FilterError(position, f"the pattern cannot be read: {error}") from None
    return Pattern(text)


def _comparison(match: re.Match[str], value: str, vocabulary: Vocabulary) -> Filter:
    key, order = match["key"], match["order"]
    at = match.start("value")
    if not value:
        raise FilterError(at, f"after {key}{order} a value is missing")
    name = vocabulary.aliases.get(key, key)
    if order in _ORDERS:
        if name not in vocabulary.units:
            raise FilterError(match.start("key"), _unknown(key, vocabulary))
        return NumericFilter(name, order, _number(vocabulary.units[name], value, at), value)
    if name in vocabulary.units:
        said = f"a {vocabulary.what} is compared with > or <: {key}>{value}"
        raise FilterError(match.start("order"), said)
    _refuse_no_choice(key, value, at, vocabulary)
    same = Equals(key, value)
    return Not(same) if order == "!=" else same


def _refuse_no_choice(key: str, value: str, position: int, vocabulary: Vocabulary) -> None:
    """A value that nothing ever has finds nothing, and says so nowhere else."""
    choices = vocabulary.choices.get(key, ())
    if choices and value.casefold() not in {choice.casefold() for choice in choices}:
        said = f"no {key} is {clean(value, 40)!r}. There are {', '.join(choices)}."
        raise FilterError(position, said)


def _unknown(key: str, vocabulary: Vocabulary) -> str:
    names = [*vocabulary.aliases, *vocabulary.units]
    from difflib import get_close_matches

    near = get_close_matches(key, names, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Such as {vocabulary.examples}."
    return f"{clean(key, 40)!r} is no {vocabulary.what}. {hint}"


_READ: dict[Unit, tuple[Callable[[str], float], str]] = {
    Unit.SECONDS: (lambda text: Milliseconds.parse(text).seconds, "200ms"),
    Unit.RATIO: (lambda text: float(Ratio.parse(text)), "1%"),
    Unit.BYTES: (lambda text: float(Bytes.parse(text)), "2GiB"),
    Unit.PER_SECOND: (lambda text: float(text.removesuffix("/s")), "5/s"),
    Unit.DAYS: (lambda text: float(text.removesuffix("d")), "14d"),
}
"""How a value of each unit is read, and an example."""


def _number(unit: Unit, text: str, position: int) -> float:
    read, example = _READ.get(unit, (float, "3"))
    try:
        return read(text)
    except (ValueError, OverflowError):
        problem = f"{clean(text, 40)!r} is no value here. Write {example}."
        raise FilterError(position, problem) from None
