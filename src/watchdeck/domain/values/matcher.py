"""Matchers: label conditions that select the alerts of a rule, a silence or a route."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import Struct

from watchdeck.domain.values.pattern import compile_pattern, is_slow
from watchdeck.domain.values.text import clean

LONGEST = 300
"""The most characters of a matcher; longer ones are a mistake, and slow to match."""

LONGEST_VALUE = 400
"""Characters of a label value that a pattern sees: a long one must not take a second to match."""

SIGNS = {
    "=": "The label equals the value.",
    "!=": "The label does not equal the value; a missing label is the empty text.",
    "=~": "A regular expression matches the whole value.",
    "!~": "A regular expression does not match the whole value.",
}
"""The signs of a matcher, with their meanings."""

_PROBES = (
    "",
    "a",
    "0",
    " ",
    "-",
    "ß",
    "検索",
    "A long-name_2.b/c:d@e ~!#$%^&*()+=`'\"?<>[]{}|;,\\" * 4,
)
"""Values that have little in common: a pattern that matches them all matches whatever there is."""

_MATCHER = re.compile(
    rf"\s*([A-Za-z_][\w.-]*)\s*({'|'.join(sorted(SIGNS, key=len, reverse=True))})\s*(.*?)\s*",
    re.ASCII | re.DOTALL,
)


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
        """Whether the pattern matches any value, as `.*` does: almost always a mistake."""
        if self.negated or not self.pattern:
            return False
        return all(self.holds({self.label: value}) for value in _PROBES)

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
    try:
        compile_pattern(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        reason = clean(str(error), 120)
        raise MatcherError(f"{clean(pattern, 80)!r} is not a pattern: {reason}") from None
    if is_slow(pattern, LONGEST_VALUE):
        advice = "write at most two repeats such as .*, and none inside a repeated group"
        raise MatcherError(f"{clean(pattern, 80)!r} can take too long to match; {advice}")
