"""Matchers: which alerts a rule, a silence or a route means, by their labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import Struct

from watchdeck.domain.values.pattern import compile_pattern, has_nested_repetition
from watchdeck.domain.values.text import clean

LONGEST = 300
"""Characters of a matcher; longer ones are a mistake, and cost time to match."""

SEARCHED = 400
"""Characters of a label that a pattern looks at: a label from outside must not cost a second."""

_MATCHER = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.ASCII | re.DOTALL)


class MatcherError(ValueError):
    """A matcher that cannot be read; the text says why, and what would work."""


class Matcher(Struct, frozen=True):
    """One condition on a label; an absent label is the empty text.

    `pattern` tells that `wanted` is a regular expression, which must fit the whole value.
    """

    label: str
    wanted: str
    pattern: bool = False
    negated: bool = False

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet this condition."""
        value = labels.get(self.label, "")
        if not self.pattern:
            return (value == self.wanted) is not self.negated
        fits = compile_pattern(self.wanted).fullmatch(value[:SEARCHED]) is not None
        return fits is not self.negated

    @property
    def everything(self) -> bool:
        """Whether every alert meets it, which is hardly ever what was meant."""
        return not self.negated and self.pattern and self.wanted in (".*", "")

    def __str__(self) -> str:
        sign = ("!" if self.negated else "") + ("=~" if self.pattern else "=")
        return f"{self.label}{'!~' if sign == '!=~' else sign}{self.wanted}"


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether labels meet every condition."""
    return all(matcher.holds(labels) for matcher in matchers)


@lru_cache(maxsize=1_024)
def read_matcher(text: str) -> Matcher:
    """Read `owner=risk`, `model=~"fraud-.*"`, `severity!=4` or `!~`. Raises MatcherError."""
    match = _MATCHER.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        shown = clean(text, 80)
        raise MatcherError(f"{shown!r} is not a matcher; write label=value, or label=~pattern")
    label, sign, value = match[1], match[2], match[3]
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if sign.endswith("~"):
        _refuse_bad(value)
    return Matcher(label, value, sign.endswith("~"), sign.startswith("!"))


def _refuse_bad(pattern: str) -> None:
    if has_nested_repetition(pattern):
        raise MatcherError(f"{clean(pattern, 80)!r} repeats a repetition; write it without")
    try:
        compile_pattern(pattern)
    except re.error as error:
        said = clean(str(error), 120)
        raise MatcherError(f"{clean(pattern, 80)!r} is not a pattern: {said}") from None
