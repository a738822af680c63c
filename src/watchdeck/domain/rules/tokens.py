"""The words of a rule's sentence, and a reader that goes over them and says where it stumbles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from watchdeck.domain.rules.limits import decimal, read_limit
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Milliseconds, Unit

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
    """A `when` that cannot be read: at which character, what is wrong, and what would work."""

    def __init__(self, position: int, text: str, hint: str = "") -> None:
        super().__init__(f"{text}; {hint}" if hint else text)
        self.position = position
        self.text = text
        self.hint = hint


class Token(Struct, frozen=True):
    """A number with its unit, a word, a sign, or (without text) the end."""

    text: str
    at: int
    number: str = ""
    unit: str = ""


def _tokens(text: str) -> Iterator[Token]:
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
    """A sentence as it is read, one token after the other; all that is wrong is a WhenError."""

    def __init__(self, text: str) -> None:
        self._tokens = tuple(_tokens(text))
        self._next = 0
        self._held = slice(0)

    @property
    def here(self) -> Token:
        """The token that is next."""
        return self._tokens[self._next]

    @property
    def after(self) -> Token:
        """The token behind that."""
        return self._tokens[min(self._next + 1, len(self._tokens) - 1)]

    def step(self) -> Token:
        """The next token, which is then behind."""
        token = self.here
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def take(self, *words: str) -> str:
        """One of these words when it is next, else the empty text."""
        return self.step().text if self.here.text in words else ""

    def need(self, *words: str) -> str:
        """One of these words, which must be next."""
        found = self.take(*words)
        if not found:
            text = f"{' or '.join(map(repr, words))} is missing before {token_words(self.here)}"
            raise self.wrong(text, did_you_mean(self.here, words))
        return found

    def wrong(self, text: str, hint: str = "", at: Token | None = None) -> ConditionError:
        """The error at a token, by default the one that is next."""
        return ConditionError((at or self.here).at, text, hint)

    def end(self, *words: str) -> None:
        """Nothing more comes; one of these words might have been meant."""
        if self.here.text:
            raise self.wrong(
                f"{token_words(self.here)} is too much", did_you_mean(self.here, words)
            )

    def clauses(self, read: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        """What these words lead to, in any order, each once at most."""
        found: dict[str, Any] = {}
        while word := self.take(*read):
            if word in found:
                raise self.wrong(f"{word!r} stands here twice")
            found[word] = read[word]()
        return found

    def duration(self) -> int:
        """A time (ms) that is neither nothing nor endless."""
        token = self.step()
        try:
            found = int(Milliseconds.parse(token.text))
        except ValueError as error:
            raise self._from(error, token) from None
        if not 1_000 <= found <= _LONGEST_TIME:
            raise self.wrong(f"{token.text} is not between 1s and {_LONGEST_TIME}", at=token)
        return found

    def hold(self) -> int:
        """How long something must have been true; `spoken` leaves it out."""
        start = self._next - 1
        found = self.duration()
        self._held = slice(start, self._next)
        return found

    def spoken(self) -> str:
        """All that was read, but for how long it must hold."""
        read = list(self._tokens[: self._next])
        del read[self._held]
        text = " ".join(token.text for token in read)
        return text.replace(" ( ", "(").replace(" )", ")")

    def number(self, least: float, most: float, unit: str = "") -> float:
        """A number between two others that has exactly this unit."""
        token = self.step()
        if not token.number or token.unit != unit:
            raise self.wrong(
                f"{token_words(token)} is not a number{f' with {unit}' * bool(unit)}", at=token
            )
        value = float(token.number)
        if not least <= value <= most:
            text = f"{token.text} is not between {decimal(least)} and {decimal(most)}"
            raise self.wrong(text, at=token)
        return value

    def value(self, signal: str, unit: Unit | None) -> float:
        """A number in the unit of a signal; where that has none, a plain number or money."""
        token = self.step()
        if not token.number:
            raise self.wrong(
                f"{token_words(token)} is no value", "Write a number with its unit.", token
            )
        if unit is None:
            return self._money(token)
        try:
            return read_limit(signal, unit, token.text, token.unit)
        except ValueError as error:
            raise self._from(error, token) from None

    def _money(self, token: Token) -> float:
        if _MONEY.fullmatch(self.here.text) and not token.unit:
            self.step()
        elif token.unit not in ("", "%", "x") and not _MONEY.fullmatch(token.unit):
            hint = "Write a number, or money such as 5 USD/h."
            raise self.wrong(f"{token_words(token)} is no value", hint, token)
        return float(token.number)

    def _from(self, error: ValueError, token: Token) -> ConditionError:
        text, _, hint = str(error).partition("; ")
        return self.wrong(text, f"{hint[:1].upper()}{hint[1:]}.".lstrip("."), token)


def token_words(token: Token) -> str:
    """A token as an error names it."""
    return repr(clean(token.text, 40)) if token.text else "the end"


def did_you_mean(token: Token, words: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the word which was probably meant."""
    from difflib import get_close_matches

    found = get_close_matches(token.text, [*map(str, words)], 1)
    return f"Did you mean {found[0]!r}?" if found else otherwise
