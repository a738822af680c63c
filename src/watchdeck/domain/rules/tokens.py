"""Tokens of a rule's `when`: the reader that parses them, and limits in the unit of a signal."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio, Unit

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<number>\d{1,15}(?:\.\d{1,40})?)
     (?P<unit>[A-Za-z%/]{1,10}|\s{1,4}(?:ms|[smhdwBx%]|[kMG]B|[KMG]iB|/[smhd])(?![\w%/]))?
    |(?P<word>[A-Za-z_][A-Za-z0-9_/]{0,79})
    |(?P<sign>[<>]=?|[()])""",
    re.VERBOSE | re.ASCII,
)
_MONEY = re.compile(r"[A-Z]{3}(?:/[hd])?", re.ASCII)
_LONGEST_TIME = Milliseconds.parse("31d")


class ConditionError(ValueError):
    """A rule's `when` that cannot be parsed: at which character, why, and a hint at what works."""

    def __init__(self, position: int, text: str, hint: str = "") -> None:
        super().__init__(f"{text}; {hint}" if hint else text)
        self.position = position
        self.text = text
        self.hint = hint


class Token(Struct, frozen=True):
    """A number with its unit, a word, a sign, or the end (empty text); `at` is its position."""

    text: str
    at: int
    number: str = ""
    unit: str = ""


def _tokenize(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConditionError(position, f"{clean(text[position], 9)!r} has no place here")
        number, unit = match["number"] or "", (match["unit"] or "").strip()
        if not match["blank"]:
            yield Token(f"{number}{unit}" if number else match[0], position, number, unit)
        position = match.end()
    yield Token("", len(text))


class TokenReader:
    """Reads a rule's `when` token by token; its readers raise ConditionError at a wrong token."""

    def __init__(self, text: str) -> None:
        self._tokens = tuple(_tokenize(text))
        self._next = 0
        self._hold = slice(0)

    @property
    def current(self) -> Token:
        """The next token to read; the end token when all are read."""
        return self._tokens[self._next]

    @property
    def lookahead(self) -> Token:
        """The token after the next one."""
        return self._tokens[min(self._next + 1, len(self._tokens) - 1)]

    def advance(self) -> Token:
        """Return the next token and move past it."""
        token = self.current
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def accept(self, *words: str) -> str:
        """Consume and return the next word when it is one of these; else return an empty text."""
        return self.advance().text if self.current.text in words else ""

    def expect(self, *words: str) -> str:
        """Consume and return the next word. Raises ConditionError unless it is one of these."""
        found = self.accept(*words)
        if not found:
            text = f"{' or '.join(map(repr, words))} is missing before {token_words(self.current)}"
            raise self.error_at(text, did_you_mean(self.current, words))
        return found

    def error_at(self, text: str, hint: str = "", at: Token | None = None) -> ConditionError:
        """Make an error for the caller to raise, at the token `at`, by default the next one."""
        return ConditionError((at or self.current).at, text, hint)

    def expect_end(self, *words: str) -> None:
        """Raise ConditionError, with a hint at one of `words`, unless all tokens are read."""
        if self.current.text:
            raise self.error_at(
                f"{token_words(self.current)} is too much", did_you_mean(self.current, words)
            )

    def read_clauses(self, read: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        """Read optional clauses in any order, each at most once: the values by first word.

        `read` maps the first word of each clause to the parser of its value.
        """
        found: dict[str, Any] = {}
        while word := self.accept(*read):
            if word in found:
                raise self.error_at(f"{word!r} stands here twice")
            found[word] = read[word]()
        return found

    def read_duration(self) -> int:
        """Read a duration between 1 s and 31 days, in ms."""
        token = self.advance()
        try:
            found = int(Milliseconds.parse(token.text))
        except ValueError as error:
            raise self._convert_error(error, token) from None
        if not 1_000 <= found <= _LONGEST_TIME:
            raise self.error_at(f"{token.text} is not between 1s and {_LONGEST_TIME}", at=token)
        return found

    def read_hold(self) -> int:
        """Read the duration of a `for` clause, in ms; `text_without_hold` leaves the clause out."""
        start = self._next - 1
        found = self.read_duration()
        self._hold = slice(start, self._next)
        return found

    def text_without_hold(self) -> str:
        """The text read so far, without its `for` clause."""
        read = list(self._tokens[: self._next])
        del read[self._hold]
        text = " ".join(token.text for token in read)
        return text.replace(" ( ", "(").replace(" )", ")")

    def read_number(self, least: float, most: float, unit: str = "") -> float:
        """Read a number between `least` and `most` that has exactly this unit."""
        token = self.advance()
        if not token.number or token.unit != unit:
            raise self.error_at(
                f"{token_words(token)} is not a number{f' with {unit}' * bool(unit)}", at=token
            )
        value = float(token.number)
        if not least <= value <= most:
            text = f"{token.text} is not between {decimal(least)} and {decimal(most)}"
            raise self.error_at(text, at=token)
        return value

    def read_value(self, signal: str, unit: Unit | None) -> float:
        """Read a number in the unit of a signal; where `unit` is None, a plain number or money."""
        token = self.advance()
        if not token.number:
            raise self.error_at(
                f"{token_words(token)} is no value", "Write a number with its unit.", token
            )
        if unit is None:
            return self._read_money(token)
        try:
            return read_limit(signal, unit, token.text, token.unit)
        except ValueError as error:
            raise self._convert_error(error, token) from None

    def _read_money(self, token: Token) -> float:
        if _MONEY.fullmatch(self.current.text) and not token.unit:
            self.advance()
        elif token.unit not in ("", "%", "x") and not _MONEY.fullmatch(token.unit):
            hint = "Write a number, or money such as 5 USD/h."
            raise self.error_at(f"{token_words(token)} is no value", hint, token)
        return float(token.number)

    def _convert_error(self, error: ValueError, token: Token) -> ConditionError:
        text, _, hint = str(error).partition("; ")
        return self.error_at(text, f"{hint[:1].upper()}{hint[1:]}.".lstrip("."), token)


def token_words(token: Token) -> str:
    """The token as an error text names it."""
    return repr(clean(token.text, 40)) if token.text else "the end"


def did_you_mean(token: Token, words: Iterable[str], otherwise: str = "") -> str:
    """A hint with the word of `words` nearest to the token; `otherwise` when none is near."""
    from difflib import get_close_matches

    found = get_close_matches(token.text, [*map(str, words)], 1)
    return f"Did you mean {found[0]!r}?" if found else otherwise


_PER = {"/s": 1, "/m": 60, "/h": 3_600, "/d": 86_400}


def decimal(value: float) -> str:
    """A number as text without an exponent: `0.00001`, `14.4`, `3`."""
    return f"{Decimal(repr(value)).normalize():f}"


def _read_rate(text: str) -> float:
    return float(text[:-2]) / _PER[text[-2:]] if text[-2:] in _PER else float(text)


def _read_days(text: str) -> float:
    return Milliseconds.parse(text) / Milliseconds.parse("1d")


class LimitScale(Struct, frozen=True):
    """How limits in one unit are written.

    `suffixes` has also some that `read` refuses, because the error of `read` says more.
    """

    noun: str
    example: str
    suffixes: tuple[str, ...]
    read: Callable[[str], float]
    write: Callable[[float], str]
    most: float = 1e12
    """The largest limit: above it, a float does not hold every digit as written."""


_TIMES = ("", "ms", "s", "m", "h", "d", "w")
_SIZES = ("", "B", "kB", "MB", "GB", "KiB", "MiB", "GiB")
SCALES = {
    Unit.RATIO: LimitScale(
        "a share",
        "5%",
        ("", "%"),
        lambda text: float(Ratio.parse(text)),
        lambda value: str(Ratio(value)),
    ),
    Unit.SECONDS: LimitScale(
        "a time",
        "200ms",
        _TIMES,
        lambda text: Milliseconds.parse(text).seconds,
        lambda value: str(Milliseconds(round(value * 1_000))),
    ),
    Unit.BYTES: LimitScale(
        "a size",
        "2GiB",
        _SIZES,
        lambda text: float(Bytes.parse(text)),
        lambda value: str(Bytes(round(value))),
        1e15,
    ),
    Unit.DAYS: LimitScale("days", "14d", ("", "d", "w"), _read_days, lambda v: f"{decimal(v)}d"),
    Unit.PER_SECOND: LimitScale(
        "a rate", "5/s", ("", *_PER), _read_rate, lambda value: f"{decimal(value)}/s"
    ),
    Unit.COUNT: LimitScale("a number", "20", ("",), float, decimal),
    Unit.STATE: LimitScale("yes (1) or no (0)", "1", ("",), float, decimal),
    Unit.CELSIUS: LimitScale(
        "a temperature",
        "85C",
        ("", "C"),
        lambda text: float(text.removesuffix("C")),
        lambda value: f"{decimal(value)}C",
    ),
}
"""How limits are written, by the unit of the signal."""


def read_limit(signal: str, unit: Unit, text: str, suffix: str) -> float:
    """The value of a limit `text`, which ends in the unit `suffix`, for a signal in `unit`.

    Raises ValueError with what is wrong and, after `; `, what would work.
    """
    scale = SCALES[unit]
    if suffix not in scale.suffixes:
        wrong = f"{signal} is {scale.noun}, and {text} is none"
        raise ValueError(f"{wrong}; write it as {scale.example}")
    value = scale.read(text)
    if value > scale.most:
        raise ValueError(f"{text} is too much; write it as {scale.example}")
    return value


def write_limit(unit: Unit, value: float) -> str:
    """The text of a limit in a rule, with its unit suffix, exact to the last digit."""
    return SCALES[unit].write(value)
