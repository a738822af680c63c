"""Matchers: label conditions that select the alerts of a rule, a silence or a route."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import Struct

from watchdeck.domain.values.pattern import compile_pattern, is_slow
from watchdeck.domain.values.quotes import QUOTED, quote, unescape
from watchdeck.domain.values.text import clean

LONGEST = 300
"""The most characters of a matcher; longer ones are a mistake, and slow to match."""

_LONGEST_TEXT = 2 * LONGEST + 4
"""The most characters of a matcher as it is written: each may have a backslash before it."""

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

_NAME = r"[^\W\d][^\x00-,/:-@\[-^`{-\x7f\s]*+"
"""A label name without quotes: letters of any language, digits, `_`, `-` and `.`."""

_SIGN = "|".join(sorted(SIGNS, key=len, reverse=True))
_START = re.compile(rf"\s*+(?:({_NAME})|({QUOTED}))\s*+({_SIGN})\s*+", re.DOTALL)
_PLAIN_NAME = re.compile(_NAME)
_PLAIN_VALUE = re.compile(r'(?!~)[^\s"]*+')
_QUOTED_VALUE = re.compile(QUOTED, re.DOTALL)


WORD = re.compile(
    rf"""\s*+((?:[^\s"=!~]++|{QUOTED})(?:{_SIGN})(?:{QUOTED}(?!\S)|(?!")\S*+)|\S++)""", re.DOTALL
)
"""The next word of a longer text; a matcher with blanks between quotes is one word."""


class MatcherError(ValueError):
    """A matcher that cannot be parsed; the text says why, and what would work."""


_SIGNS = {(False, False): "=", (False, True): "!=", (True, False): "=~", (True, True): "!~"}
"""The sign of a matcher, by whether it has a pattern and whether it is negated."""


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
        label = self.label if _PLAIN_NAME.fullmatch(self.label) else quote(self.label)
        wanted = self.wanted if _PLAIN_VALUE.fullmatch(self.wanted) else quote(self.wanted)
        return f"{label}{_SIGNS[self.pattern, self.negated]}{wanted}"


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether labels meet every matcher; True without matchers."""
    return all(matcher.holds(labels) for matcher in matchers)


@lru_cache(maxsize=1_024)
def read_matcher(text: str) -> Matcher:
    r"""Read a matcher such as `owner=risk` or `model=~"fraud-.*"`. Raises MatcherError.

    The signs are `=`, `!=`, `=~` and `!~`. A name or value may stand between double quotes, in
    which `\"`, `\\` and `\n` are one character; without quotes, each character is itself.
    """
    match = _START.match(text) if len(text) <= _LONGEST_TEXT else None
    if match is None:
        raise _not_a_matcher(text)
    label = match[1] or unescape(match[2][1:-1])
    sign, value = match[3], _read_value(text[match.end() :].rstrip())
    if not label or len(label) + len(sign) + len(value) > LONGEST:
        raise _not_a_matcher(text)
    if sign.endswith("~"):
        _check_pattern(value)
    return Matcher(label, value, sign.endswith("~"), sign.startswith("!"))


def _not_a_matcher(text: str) -> MatcherError:
    shown = clean(text, 80)
    return MatcherError(f"{shown!r} is not a matcher; write label=value, or label=~pattern")


def _read_value(text: str) -> str:
    if not text.startswith('"'):
        return text
    if _QUOTED_VALUE.fullmatch(text) is None:
        advice = 'a value in quotes ends with one, and has \\" for a quote in it'
        raise MatcherError(f"{clean(text, 80)} cannot be read: {advice}")
    return unescape(text[1:-1])


def _check_pattern(pattern: str) -> None:
    try:
        compile_pattern(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        reason = clean(str(error), 120)
        raise MatcherError(f"{clean(pattern, 80)!r} is not a pattern: {reason}") from None
    if is_slow(pattern, LONGEST_VALUE):
        advice = "write at most two repeats such as .*, and none inside a repeated group"
        raise MatcherError(f"{clean(pattern, 80)!r} can take too long to match; {advice}")
