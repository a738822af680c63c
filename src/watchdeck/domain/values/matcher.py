"""Matchers: label conditions that select the alerts of a rule, a silence or a route."""

import re
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import Struct

from watchdeck.domain.values.text import clean

LONGEST = 300
"""The most characters of a matcher; longer ones are a mistake, and slow to match."""

LONGEST_VALUE = 400
"""Characters of a label value that a pattern sees: a long one must not take a second to match."""

_MATCHER = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.ASCII | re.DOTALL)


class MatcherError(ValueError):
    """A matcher that cannot be parsed; the text says why, and what would work."""


class Matcher(Struct, frozen=True):
    """One condition on a label; a missing label counts as the empty text.

    With `pattern`, `wanted` is a regular expression that must match the whole value.
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
        fits = compile_pattern(self.wanted).fullmatch(value[:LONGEST_VALUE]) is not None
        return fits is not self.negated

    @property
    def matches_everything(self) -> bool:
        """Whether the pattern is empty or `.*`, which is almost always a mistake."""
        return not self.negated and self.pattern and self.wanted in (".*", "")

    def __str__(self) -> str:
        sign = ("!" if self.negated else "") + ("=~" if self.pattern else "=")
        return f"{self.label}{'!~' if sign == '!=~' else sign}{self.wanted}"


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether labels meet every matcher; True without matchers."""
    return all(matcher.holds(labels) for matcher in matchers)


@lru_cache(maxsize=1_024)
def read_matcher(text: str) -> Matcher:
    """Read a matcher such as `owner=risk` or `model=~"fraud-.*"`. Raises MatcherError.

    The signs are `=`, `!=`, `=~` and `!~`.
    """
    match = _MATCHER.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        shown = clean(text, 80)
        raise MatcherError(f"{shown!r} is not a matcher; write label=value, or label=~pattern")
    label, sign, value = match[1], match[2], match[3]
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if sign.endswith("~"):
        _check_pattern(value)
    return Matcher(label, value, sign.endswith("~"), sign.startswith("!"))


def _check_pattern(pattern: str) -> None:
    if has_nested_repetition(pattern):
        raise MatcherError(f"{clean(pattern, 80)!r} repeats a repeated group; write it without")
    try:
        compile_pattern(pattern)
    except re.error as error:
        reason = clean(str(error), 120)
        raise MatcherError(f"{clean(pattern, 80)!r} is not a pattern: {reason}") from None


_NESTED_REPETITION = re.compile(r"\([^()]*[*+{|][^()]*\)[*+{?]")


def has_nested_repetition(text: str) -> bool:
    """Whether a repeated group contains a repetition, which can take exponential time to match."""
    return _NESTED_REPETITION.search(text) is not None


@lru_cache(maxsize=1_024)
def compile_pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a regular expression. Raises re.error, OverflowError and RecursionError.

    Warnings of syntax that a later Python may read differently, such as `[[`, are suppressed: they
    would be printed over the console's screen.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(text, flags)
