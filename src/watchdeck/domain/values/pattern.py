"""Regular expressions that people write: compilation, and a bound on the steps of a match."""

import math
import re
import warnings
from functools import lru_cache
from itertools import zip_longest

from msgspec import Struct

MAX_STEPS = 600_000
"""The most steps of a match, about 20 ms: `re` tries every way to split a text."""

_MOST_REPETITIONS = 8
"""Repetitions that are counted; any pattern with as many is slow."""

_TOKEN = re.compile(
    r"""(?P<open>\((?:\?P?<?[=!<:>])?) | (?P<or>\|)
    |(?:(?P<close>\)) | (?P<class>\[\^?\]?(?:\\.|[^\]\\])*+\]|\\[dDsSwW]|\.) | (?P<letter>\\.|.))
     (?:(?P<repeat>[*+?]|\{\d*,\d*\}|\{\d+\})[?+]?)?""",
    re.VERBOSE | re.DOTALL,
)
_VERBOSE = re.compile(r"\(\?[A-Za-z]*x")
_LITERAL = re.compile(r"\\?([^\w\\^$])|(\w)")
_OPTIONAL = re.compile(r"[*?]|\{0*,.*")


class _Cost(Struct):
    """The ways to match a part of a pattern, and how many repetitions may share out one text."""

    ways: float = 1.0
    repetitions: int = 0
    alternatives: float = 0.0
    """The sum of `ways` over the alternatives that have ended."""
    most: int = 0
    """The most `repetitions` of the alternatives that have ended."""
    peak: int = 0
    """The most repetitions up to one that ends at a certain place, which is searched each time."""

    def end_alternative(self) -> None:
        """Begin the next alternative."""
        self.alternatives += self.ways
        self.most = max(self.most, self.repetitions)
        self.ways, self.repetitions = 1.0, 0

    def add_repetition(self, repeat: str, *, ends: bool) -> None:
        """Add a repeated character; `ends` when only one length of it can be right."""
        if ends:
            self.peak = max(self.peak, self.repetitions + 1)
            return
        self.ways *= 1 + (repeat == "?")
        self.repetitions += _is_unbounded(repeat)

    def add_group(self, group: "_Cost", repeat: str) -> None:
        """Add a group that has ended, with its quantifier."""
        varies = group.alternatives > 1 or group.most > 0
        if repeat and repeat != "?" and varies:
            self.ways = math.inf
            return
        self.ways *= group.alternatives + (repeat == "?")
        self.peak = max(self.peak, self.repetitions + group.peak)
        self.repetitions += group.most + _is_unbounded(repeat)


@lru_cache(maxsize=1_024)
def compile_pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a regular expression. Raises re.error, OverflowError and RecursionError.

    Warnings of syntax that a later Python may read differently, such as `[[`, are suppressed: they
    would be printed over the console's screen.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(text, flags)


def is_slow(pattern: str, length: int) -> bool:
    """Whether a valid pattern may need over MAX_STEPS to match a text of `length` characters.

    Two repetitions that can take the same characters share out a text in many ways: `.*a.*b` has
    two of them, `[a-z]+-[0-9]+` only its last. A repeated group that can match one text in several
    ways, as in `(a+)+`, takes exponential time.
    """
    if _VERBOSE.search(pattern):  # its blanks and comments would hide what is repeated
        return True
    groups = [_Cost()]
    tokens = list(_TOKEN.finditer(pattern))
    for token, following in zip_longest(tokens, tokens[1:]):
        repeat = token["repeat"] or ""
        if token["open"]:
            groups.append(_Cost())
        elif token["or"]:
            groups[-1].end_alternative()
        elif token["close"] and len(groups) > 1:
            group = groups.pop()
            group.end_alternative()
            groups[-1].add_group(group, repeat)
        elif repeat and (following or token[0] != ".*"):  # a last `.*` takes all that is left
            groups[-1].add_repetition(repeat, ends=_ends_before(token, following))
    groups[0].end_alternative()
    most = min(max(groups[0].most, groups[0].peak), _MOST_REPETITIONS)
    return groups[0].alternatives * math.comb(length + most, most) > MAX_STEPS


def count_wide_ranges(pattern: str) -> int:
    """The ranges of a pattern's classes that may go beyond ASCII.

    `re` needs 9 ms to compile each of them with IGNORECASE.
    """
    classes = (token["class"] or "" for token in _TOKEN.finditer(pattern))
    return sum(one.count("-") for one in classes if not one.isascii() or "\\" in one)


def _is_unbounded(repeat: str) -> bool:
    """Whether a quantifier allows several lengths; `?`, which allows two, is counted apart."""
    return repeat in ("*", "+") or "," in repeat


def _ends_before(token: re.Match[str], following: re.Match[str] | None) -> bool:
    """Whether a repeated character must end where the next token, a literal, first occurs."""
    letter = _LITERAL.fullmatch(following["letter"] or "") if following else None
    if following is None or letter is None or _OPTIONAL.fullmatch(following["repeat"] or ""):
        return False
    text = letter[1] or letter[2]
    return re.fullmatch(token["class"] or token["letter"], text, re.IGNORECASE) is None
