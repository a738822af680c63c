"""Durations, ratios and sizes: numbers that parse from text such as `10s` and print back to it."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from msgspec import Struct

_NUMBER = re.compile(r"\s*+(\d{1,400}(?:\.\d{1,400})?)\s*+([A-Za-z%]{0,20})\s*+", re.ASCII)

_LARGEST = (1 << 63) - 1
"""The largest integer that SQLite stores."""

DURATIONS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 7 * 86_400_000,
}
"""The units of a duration, each with its length in ms."""

SIZES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}
"""The units of a size, each with its bytes."""


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def _split(text: str, what: str, example: str) -> tuple[str, str]:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{_excerpt(text)} is not {what}; write {example}")
    return match[1], match[2]


def _parse_whole(text: str, what: str, example: str, table: dict[str, int]) -> int:
    """The number in the table's smallest unit. Raises ValueError where rounding would be needed."""
    number, unit = _split(text, what, example)
    if unit not in table:
        problem = f"has an unknown unit ({unit})" if unit else "has no unit"
        raise ValueError(f"{_excerpt(text)} {problem}; units are {', '.join(table)}")
    whole, _, fraction = number.partition(".")
    value, rest = divmod(int(whole + fraction) * table[unit], int(10 ** len(fraction)))
    if rest:
        raise ValueError(
            f"{_excerpt(text)} is finer than 1{next(iter(table))}; write a whole number"
        )
    if value > _LARGEST:
        raise ValueError(f"{_excerpt(text)} is too much; write {example}")
    return value


def _format_whole(value: int, table: dict[str, int]) -> str:
    unit = max((u for u in table if value % table[u] == 0), key=table.__getitem__)
    return f"{value // table[unit]}{unit}"


class Milliseconds(int):
    """A duration in whole milliseconds: `10s`, `1.5m`, `30d`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NUMBER UNIT` with ms, s, m, h, d or w. Raises ValueError that names the units."""
        example = "a number and a unit, such as 10s, 5m or 30d"
        return cls(_parse_whole(text, "a duration", example, DURATIONS))

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        return self / 1_000

    def __str__(self) -> str:
        return _format_whole(int(self), DURATIONS) if self else "0s"


class Ratio(float):
    """A share between 0 and 1; reads `99.9%` and `0.999` alike."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a percentage, or a number between 0 and 1. Raises ValueError."""
        example = "a share such as 99.9% or 0.999"
        number, unit = _split(text, "a ratio", example)
        if unit not in ("", "%"):
            raise ValueError(f"{_excerpt(text)} is not a ratio; write {example}")
        value = float(f"{number}e-2") if unit else float(number)
        if value > 1:
            raise ValueError(f"{_excerpt(text)} is more than the whole; write {example}")
        return cls(value)

    def __str__(self) -> str:
        from decimal import Decimal  # binary arithmetic would not print back what was read

        return f"{Decimal(float.__repr__(self)).scaleb(2):f}%"


class Bytes(int):
    """A size in bytes: `1MiB`, `512kB`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NUMBER UNIT` with B, kB, MB, GB, KiB, MiB or GiB. Raises ValueError."""
        return cls(_parse_whole(text, "a size", "a number and a unit, such as 1MiB", SIZES))

    def __str__(self) -> str:
        return _format_whole(int(self), SIZES) if self else "0B"


class Unit(StrEnum):
    """The unit in which a signal is stored, compared and exported."""

    RATIO = "ratio"
    SECONDS = "s"
    PER_SECOND = "1/s"
    COUNT = "count"
    BYTES = "bytes"
    DAYS = "days"
    STATE = "0/1"
    CELSIUS = "celsius"


BOUNDS: dict[Unit, tuple[float, float]] = {
    Unit.RATIO: (0.0, 1.0),
    Unit.SECONDS: (0.0, 1e10),
    Unit.PER_SECOND: (0.0, 1e12),
    Unit.COUNT: (0.0, 1e12),
    Unit.BYTES: (0.0, 2.0**53),
    Unit.DAYS: (-1e6, 1e6),
    Unit.STATE: (0.0, 1.0),
    Unit.CELSIUS: (-60.0, 200.0),
}
"""The least and the greatest value that a measurement in each unit can have.

A value outside is not a measurement: exporters write such values for a sensor that gave none.
"""


Clock = Callable[[], int]
"""Returns the time in ms, UTC unless stated otherwise."""


def to_plain(value: "Struct") -> dict[str, Any]:
    """The fields of a struct as JSON types: nested structs as dicts, units as plain numbers."""
    from msgspec import to_builtins  # 13 ms, which no `--help` should pay

    plain: dict[str, Any] = to_builtins(value, enc_hook=_to_number)
    return plain


def _to_number(value: Any) -> int | float:
    """Convert a subclass of int or float, such as Milliseconds, which msgspec does not know."""
    return float(value) if isinstance(value, float) else int(value)
