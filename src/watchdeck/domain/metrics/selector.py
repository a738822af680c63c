"""Selectors: which series of a page are meant, in the words of Prometheus."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from watchdeck.domain.metrics.series import Series
from watchdeck.domain.values.pattern import compile_pattern

_LONGEST = 1_000
"""Characters of a selector; longer ones are a mistake, and cost time to match."""

_NAME = re.compile(r"\s*([A-Za-z_:][A-Za-z0-9_:]*)\s*", re.ASCII)
_MATCHER = re.compile(
    r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*', re.ASCII
)
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


class SelectorError(ValueError):
    """A selector that cannot be read; the text says where."""


class LabelMatcher(Struct, frozen=True):
    """One condition on a label; an absent label is the empty text, as in Prometheus."""

    label: str
    wanted: str
    pattern: re.Pattern[str] | None = None
    negated: bool = False

    def holds(self, series: Series) -> bool:
        """Whether the series meets this condition; a pattern must fit the whole value."""
        value = series.label(self.label) or ""
        same = self.pattern.fullmatch(value) is not None if self.pattern else value == self.wanted
        return same is not self.negated


class Selector(Struct, frozen=True):
    """A name and the conditions on its labels."""

    name: str
    matchers: tuple[LabelMatcher, ...] = ()

    def holds(self, series: Series) -> bool:
        """Whether the labels fit; the name is compared by whoever looks it up."""
        return all(matcher.holds(series) for matcher in self.matchers)


@lru_cache(maxsize=1_024)
def read_selector(text: str) -> Selector:
    """Read `name{label="x",other!="y",third=~"re",fourth!~"re"}`. Raises SelectorError."""
    name = _NAME.match(text)
    if name is None or len(text) > _LONGEST:
        raise SelectorError(f'{text[:80]!r} is not a series; write a name, or name{{label="x"}}')
    rest = text[name.end() :]
    if not rest:
        return Selector(name[1])
    if not (rest.startswith("{") and rest.rstrip().endswith("}")):
        raise SelectorError(f'{text!r}: after the name comes {{label="value"}}')
    return Selector(name[1], tuple(_matchers(rest.rstrip()[1:-1], text)))


def _matchers(inside: str, text: str) -> list[LabelMatcher]:
    found: list[LabelMatcher] = []
    at = 0
    while inside[at:].strip():
        match = _MATCHER.match(inside, at)
        if match is None:
            raise SelectorError(f'{text!r}: {inside[at:].strip()!r} is not label="value"')
        found.append(_matcher(match[1], match[2], _unquoted(match[3])))
        at = match.end()
        if at < len(inside) and inside[at] != ",":
            raise SelectorError(f"{text!r}: conditions are parted by commas")
        at += 1
    return found


def _unquoted(value: str) -> str:
    return re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), value)


def _matcher(label: str, sign: str, value: str) -> LabelMatcher:
    if not sign.endswith("~"):
        return LabelMatcher(label, value, negated=sign == "!=")
    try:
        return LabelMatcher(label, value, compile_pattern(value), negated=sign == "!~")
    except re.error as error:
        raise SelectorError(f"{value!r} is not a regular expression: {error}") from error
