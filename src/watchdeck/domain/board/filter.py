"""The filter language for models and alerts, and its parser.

`fraud` or `"two words"` is a part of a name, owner, kind, service or label; `/^fraud-/` is a
pattern; `owner=risk`, `health!=ok` and `p95>200ms` compare; `!` negates, a blank means and, `|`
means or; `@mine` is a saved filter. An unknown value matches neither a comparison nor its negation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Protocol

from msgspec import Struct

from watchdeck.domain.board.board import Health
from watchdeck.domain.metrics.signal import ALIASES, SIGNALS
from watchdeck.domain.values.pattern import compile_pattern, count_wide_ranges, is_slow
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio, Unit

Truth = bool | None
"""Whether a filter matches; None when unknown."""


class Filterable(Protocol):
    """A model or an alert as filters see it: texts to search, fields and numbers to compare."""

    def texts(self) -> Iterable[str]:
        """The texts in which the words and patterns of a filter are searched."""
        ...

    def text(self, key: str) -> str | None:
        """A field or label by its name; None when there is none."""
        ...

    def number(self, name: str) -> float | None:
        """The number that the row has under this name, such as a signal; None when it has none."""
        ...


MAX_LENGTH = 500
"""The most characters of a filter."""

_MAX_PATTERN = 100
_MAX_RANGES = 4
_MAX_SEARCHED = 150
"""Characters of a text that patterns see, so that a slow pattern cannot block the console."""


class Vocabulary(Struct, frozen=True):
    """The names that a filter can use, for parsing and error texts."""

    aliases: Mapping[str, str]
    """Short names of numbers."""
    units: Mapping[str, Unit]
    """The numbers that can be compared, with their units."""
    meanings: Mapping[str, str]
    """What each of these numbers measures."""
    what: str
    """The noun for a number in error texts."""
    examples: str
    choices: Mapping[str, tuple[str, ...]]
    """All values of fields that have only a few."""
    of: Vocabulary | None = None
    """The names of what a row belongs to, as an alert belongs to a model; they can be used too."""

    def number_name(self, key: str) -> str:
        """The full name of a number, for its short or full name; any other key as it is."""
        if key in self.units or self.of is None:
            return self.aliases.get(key, key)
        return self.aliases.get(key) or self.of.number_name(key)

    def unit(self, name: str) -> Unit | None:
        """The unit of a number by its full name; None when there is no such number."""
        unit = self.units.get(name)
        return self.of.unit(name) if unit is None and self.of is not None else unit

    def choices_of(self, key: str) -> tuple[str, ...]:
        """All values of a field that has only a few; empty for any other field."""
        found = self.choices.get(key, ())
        return self.of.choices_of(key) if not found and self.of is not None else found


MODELS = Vocabulary(
    ALIASES,
    {name: signal.unit for name, signal in SIGNALS.items()},
    {name: signal.means for name, signal in SIGNALS.items()},
    "signal",
    "p95, errors, rate, saturation",
    {"health": tuple(health.value for health in Health)},
)
"""The names for filters of models: their signals as numbers, and the values of `health`."""


class FilterSyntax(Struct, frozen=True):
    """One part of the filter language: an example, and what the part matches."""

    example: str
    means: str


SYNTAX = {
    "word": FilterSyntax("fraud", "Part of a searched text; capitals make no difference."),
    "open": FilterSyntax('"two words"', "The same, for a text with blanks or signs in it."),
    "pattern": FilterSyntax(
        "/^fraud-/", "A regular expression, found anywhere in a searched text."
    ),
    "key": FilterSyntax(
        "owner=risk", "A comparison: a field, a label or a number, an operator and a value."
    ),
    "not": FilterSyntax("!fraud", "Negates the part after it."),
    "blank": FilterSyntax("owner=risk health!=ok", "A blank means and."),
    "or": FilterSyntax("fraud | churn", "Either side; and binds closer than or."),
}
"""The parts of the filter language, by the groups of the parser's expression."""

OPERATORS = {
    "=": "The field, label or whole number equals the value; capitals make no difference.",
    "!=": "The field, label or whole number is known and does not equal the value.",
    ">": "The number is greater.",
    ">=": "The number is greater or equal.",
    "<": "The number is less.",
    "<=": "The number is less or equal.",
}
"""The operators of a comparison, with their meanings."""

COMPARATORS: dict[str, Callable[[float, float], bool]] = {
    ">": gt,
    ">=": ge,
    "<": lt,
    "<=": le,
    "=": eq,
    "!=": ne,
}
"""The operators that compare numbers; the last two compare whole numbers."""

_EQUAL = ("=", "!=")
_WHOLE = (Unit.COUNT, Unit.STATE)
"""Units of whole numbers, of which one can be equal to a value that a person types."""

SAVED = "@"
"""The sign before the name of a saved filter."""

_ORDER = "|".join(sorted(OPERATORS, key=len, reverse=True))

_TERM = re.compile(
    rf"""(?P<blank>\s+)|(?P<or>\|)|(?P<not>!)|(?P<open>")
    |/(?P<pattern>(?:[^/\\]|\\.)*)(?P<closed>/?)
    |(?P<key>[^\s|!"=<>][^\s|"=<>!]*)(?P<order>{_ORDER})(?P<value>"[^"]*"|[^\s|"]*)
    |(?P<word>[^\s|!"]+)""",
    re.VERBOSE,
)
_QUOTED = re.compile(r'"([^"]*)"')


class FilterError(ValueError):
    """A filter that cannot be parsed; `position` is the index of the wrong character."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


class Contains(Struct, frozen=True):
    """Matches when a text of the model or alert contains this text; case is ignored."""

    text: str

    def __call__(self, one: Filterable) -> Truth:
        """Whether a model or an alert matches."""
        return any(self.text.casefold() in text.casefold() for text in one.texts())

    def __str__(self) -> str:
        plain = re.fullmatch(r'[^\s|!"/=<>][^\s|!"=<>]*', self.text)
        return self.text if plain else f'"{self.text}"'


class Pattern(Struct, frozen=True):
    """Matches when a text of the model or alert contains a match of a pattern; case is ignored."""

    text: str

    def __call__(self, one: Filterable) -> Truth:
        """Whether a model or an alert matches."""
        pattern = compile_pattern(self.text, re.IGNORECASE)
        return any(pattern.search(text[:_MAX_SEARCHED]) for text in one.texts())

    def __str__(self) -> str:
        return f"/{self.text}/"


class Equals(Struct, frozen=True):
    """Matches a field or label that equals a value; case is ignored."""

    key: str
    value: str

    def __call__(self, one: Filterable) -> Truth:
        """Whether a model or an alert matches; None when it has no such field."""
        text = one.text(self.key)
        return None if text is None else text.casefold() == self.value.casefold()

    def __str__(self) -> str:
        return f'{self.key}="{self.value}"'


class NumericFilter(Struct, frozen=True):
    """Compares a number with `value` by `order`, an operator; `text` is the value as typed."""

    name: str
    order: str
    value: float
    text: str

    def __call__(self, one: Filterable) -> Truth:
        """Whether a model or an alert matches; None when its number is unknown."""
        found = one.number(self.name)
        return None if found is None else COMPARATORS[self.order](found, self.value)

    def __str__(self) -> str:
        return f"{self.name}{self.order}{self.text}"


class Not(Struct, frozen=True):
    """Matches when the inner filter does not; when that is unknown, so is this."""

    inner: Filter

    def __call__(self, one: Filterable) -> Truth:
        """Whether a model or an alert matches; None when unknown."""
        result = self.inner(one)
        return None if result is None else not result

    def __str__(self) -> str:
        return f"!{self.inner}"


class All(Struct, frozen=True):
    """Matches when all inner filters match; without inner filters, everything."""

    inner: tuple[Filter, ...] = ()

    def __call__(self, one: Filterable) -> Truth:
        """Whether a model or an alert matches; None when unknown."""
        results = [part(one) for part in self.inner]
        return False if False in results else None if None in results else True

    def __str__(self) -> str:
        return " ".join(map(str, self.inner))


class Any(Struct, frozen=True):
    """Matches when at least one inner filter matches."""

    inner: tuple[All, ...]

    def __call__(self, one: Filterable) -> Truth:
        """Whether a model or an alert matches; None when unknown."""
        results = [part(one) for part in self.inner]
        return True if True in results else None if None in results else False

    def __str__(self) -> str:
        return " | ".join(map(str, self.inner))


Filter = Contains | Pattern | Equals | NumericFilter | Not | All | Any

EVERYTHING = All()


def parse(text: str, vocabulary: Vocabulary = MODELS) -> Filter:
    """Parse a filter; empty text matches everything. Raises FilterError."""
    if len(text) > MAX_LENGTH:
        raise FilterError(MAX_LENGTH, f"a filter has at most {MAX_LENGTH} characters")
    groups: list[list[Filter]] = [[]]
    negations, last = 0, 0
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise FilterError(position, "this is not a word")
        if match["not"]:
            negations, last = negations + 1, position
        elif match["or"]:
            _refuse_dangling(negations, last)
            groups.append([])
        elif not match["blank"]:
            term, end = _read_term(text, match, vocabulary)
            groups[-1].append(Not(term) if negations % 2 else term)
            negations, position = 0, end
            continue
        position = match.end()
    _refuse_dangling(negations, last)
    parts = tuple(All(tuple(group)) for group in groups)
    if len(parts) > 1 and not all(part.inner for part in parts):
        raise FilterError(text.index("|"), "on both sides of | there must be something")
    if len(parts) > 1:
        return Any(parts)
    return parts[0].inner[0] if len(parts[0].inner) == 1 else parts[0]


def parse_named(text: str, saved: Mapping[str, str], vocabulary: Vocabulary = MODELS) -> Filter:
    """Parse a filter, or the `saved` one that `@name` calls. Raises FilterError."""
    if not text.startswith(SAVED):
        return parse(text, vocabulary)
    name = text.removeprefix(SAVED)
    if name not in saved:
        names = ", ".join(f"{SAVED}{one}" for one in saved) or "none yet: [console] filters"
        raise FilterError(1, f"there is no filter of this name. Saved are {names}")
    try:
        return parse(saved[name], vocabulary)
    except FilterError as error:
        raise FilterError(0, f"{saved[name]!r} cannot be used here: {error}") from None


def matches(wanted: Filter, one: Filterable) -> bool:
    """Whether a model or an alert matches a filter; False when that is unknown."""
    return wanted(one) is True


def _refuse_dangling(negations: int, position: int) -> None:
    if negations:
        raise FilterError(position, "after ! there must be something to negate")


def _read_term(text: str, match: re.Match[str], vocabulary: Vocabulary) -> tuple[Filter, int]:
    start = match.start()
    if match["open"]:
        quoted = _QUOTED.match(text, start)
        if quoted is None:
            raise FilterError(start, 'a second " is missing')
        return Contains(quoted[1]), quoted.end()
    if match["pattern"] is not None:
        if not match["closed"]:
            raise FilterError(start, "a second / is missing")
        return _read_pattern(match["pattern"], start), match.end()
    if match["key"]:
        value = match["value"].removeprefix('"').removesuffix('"')
        return _read_comparison(match, value, vocabulary), match.end()
    return Contains(match["word"]), match.end()


def _read_pattern(text: str, position: int) -> Pattern:
    if len(text) > _MAX_PATTERN:
        raise FilterError(position, f"a pattern has at most {_MAX_PATTERN} characters")
    if count_wide_ranges(text) > _MAX_RANGES:
        message = f"a pattern has at most {_MAX_RANGES} ranges of other characters than ASCII"
        raise FilterError(position, message)
    try:
        compile_pattern(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise FilterError(position, f"the pattern cannot be read: {error}") from None
    # a search begins at each character, as a repetition before the pattern would
    if re.search(r"\\\d|\(\?", text) or is_slow(f".*{text}", _MAX_SEARCHED):
        raise FilterError(
            position, "a pattern repeats at most twice, and no group with a repeat in it"
        )
    return Pattern(text)


def _read_comparison(match: re.Match[str], value: str, vocabulary: Vocabulary) -> Filter:
    key, order = match["key"], match["order"]
    at = match.start("value")
    if not value:
        raise FilterError(at, f"after {key}{order} a value is missing")
    name = vocabulary.number_name(key)
    unit = vocabulary.unit(name)
    if unit is not None and (order not in _EQUAL or unit in _WHOLE):
        return NumericFilter(name, order, _read_number(unit, value, at), value)
    if order not in _EQUAL:
        raise FilterError(match.start("key"), _unknown_name_text(key, vocabulary))
    if unit is not None:
        text = f"a {vocabulary.what} is compared with > or <: {key}>{value}"
        raise FilterError(match.start("order"), text)
    _refuse_unknown_choice(key, value, at, vocabulary)
    same = Equals(key, value)
    return Not(same) if order == "!=" else same


def _refuse_unknown_choice(key: str, value: str, position: int, vocabulary: Vocabulary) -> None:
    """Refuse a value that no model or alert can have: it would silently match nothing."""
    choices = vocabulary.choices_of(key)
    if choices and value.casefold() not in {choice.casefold() for choice in choices}:
        text = f"no {key} is {clean(value, 40)!r}. There are {', '.join(choices)}."
        raise FilterError(position, text)


def _unknown_name_text(key: str, vocabulary: Vocabulary) -> str:
    names = [*vocabulary.aliases, *vocabulary.units]
    if vocabulary.of is not None:
        names += [*vocabulary.of.aliases, *vocabulary.of.units]
    from difflib import get_close_matches

    near = get_close_matches(key, names, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Such as {vocabulary.examples}."
    return f"{clean(key, 40)!r} is no {vocabulary.what}. {hint}"


VALUE_READERS: dict[Unit, tuple[Callable[[str], float], str]] = {
    Unit.SECONDS: (lambda text: Milliseconds.parse(text).seconds, "200ms"),
    Unit.RATIO: (lambda text: float(Ratio.parse(text)), "1%"),
    Unit.BYTES: (lambda text: float(Bytes.parse(text)), "2GiB"),
    Unit.PER_SECOND: (lambda text: float(text.removesuffix("/s")), "5/s"),
    Unit.DAYS: (lambda text: float(text.removesuffix("d")), "14d"),
    Unit.COUNT: (float, "3"),
    Unit.STATE: (float, "1"),
    Unit.CELSIUS: (lambda text: float(text.removesuffix("C").removesuffix("°")), "85C"),
}
"""The parser of a value by its unit, and an example."""


def _read_number(unit: Unit, text: str, position: int) -> float:
    read, example = VALUE_READERS[unit]
    try:
        return read(text)
    except (ValueError, OverflowError):
        problem = f"{clean(text, 40)!r} is no value here. Write {example}."
        raise FilterError(position, problem) from None
