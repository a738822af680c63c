"""Durations, ratios and sizes: plain numbers that parse from and print back to a person's words."""

from __future__ import annotations

import re
from typing import Self

_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z%]*)\s*", re.ASCII)

_DURATIONS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 7 * 86_400_000,
}
_SIZES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}


def _split(text: str, what: str, example: str) -> tuple[str, str]:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not {what}; write {example}")
    return match[1], match[2]


def _exact(number: str, factor: int, text: str, what: str) -> int:
    whole, _, fraction = number.partition(".")
    scaled = int(whole + fraction) * factor
    value, rest = divmod(scaled, int(10 ** len(fraction)))
    if rest:
        raise ValueError(f"{text!r} is finer than {what} can be")
    return value


def _largest(value: int, table: dict[str, int]) -> str:
    unit = max((u for u in table if value % table[u] == 0), key=table.__getitem__)
    return f"{value // table[unit]}{unit}"


class Milliseconds(int):
    """A duration in whole milliseconds: `10s`, `1.5m`, `30d`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NUMBER UNIT` with ms, s, m, h, d or w. Raises ValueError that names them."""
        number, unit = _split(text, "a duration", "a number and a unit, such as 10s, 5m or 30d")
        if unit not in _DURATIONS:
            raise ValueError(f"{text!r} needs a unit: {', '.join(_DURATIONS)}")
        return cls(_exact(number, _DURATIONS[unit], text, "a millisecond"))

    @property
    def seconds(self) -> float:
        """The same duration in seconds."""
        return self / 1_000

    def __str__(self) -> str:
        return _largest(int(self), _DURATIONS) if self else "0s"


class Ratio(float):
    """A share of one: `99.9%` and `0.999` are the same."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a percentage or a plain share between 0 and 1. Raises ValueError."""
        number, unit = _split(text, "a ratio", "a share such as 99.9% or 0.999")
        if unit not in ("", "%"):
            raise ValueError(f"{text!r} is not a ratio; write a share such as 99.9% or 0.999")
        value = float(f"{number}e-2") if unit else float(number)
        if value > 1:
            raise ValueError(f"{text!r} is more than the whole; write a share such as 99.9%")
        return cls(value)

    def __str__(self) -> str:
        percent = f"{float(self) * 100:.10f}".rstrip("0").rstrip(".")
        return f"{percent}%"


class Bytes(int):
    """A size in bytes: `1MiB`, `512kB`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NUMBER UNIT` with B, kB, MB, GB, KiB, MiB or GiB. Raises ValueError."""
        number, unit = _split(text, "a size", "a number and a unit, such as 1MiB")
        if unit not in _SIZES:
            raise ValueError(f"{text!r} needs a unit: {', '.join(_SIZES)}")
        return cls(_exact(number, _SIZES[unit], text, "a byte"))

    def __str__(self) -> str:
        return _largest(int(self), _SIZES)
