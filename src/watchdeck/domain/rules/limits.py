"""Limits of rules: numbers in the unit of their signal, read exactly and printed back the same."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio, Unit

_DAY = 86_400
_PER = {"/s": 1, "/m": 60, "/h": 3_600, "/d": _DAY}


def decimal(value: float) -> str:
    """A number without an exponent: `0.00001`, `14.4`, `3`."""
    return f"{Decimal(repr(value)).normalize():f}"


def _rate(text: str) -> float:
    return float(text[:-2]) / _PER[text[-2:]] if text[-2:] in _PER else float(text)


def _days(text: str) -> float:
    return Milliseconds.parse(text) / Milliseconds.parse("1d")


class _Scale(Struct, frozen=True):
    """How values of one unit are written: what they are, an example, and the units they may have.

    Where a text has one of those `suffixes`, the error of `read` says more than "another unit".
    Beyond `most` a float no longer holds what was written.
    """

    what: str
    example: str
    suffixes: frozenset[str]
    read: Callable[[str], float]
    write: Callable[[float], str]
    most: float = 1e12


_TIMES = frozenset({"", "ms", "s", "m", "h", "d", "w"})
_SIZES = frozenset({"", "B", "kB", "MB", "GB", "KiB", "MiB", "GiB"})

_SCALES = {
    Unit.RATIO: _Scale(
        "a share",
        "5%",
        frozenset({"", "%"}),
        lambda text: float(Ratio.parse(text)),
        lambda value: str(Ratio(value)),
    ),
    Unit.SECONDS: _Scale(
        "a time",
        "200ms",
        _TIMES,
        lambda text: Milliseconds.parse(text).seconds,
        lambda value: str(Milliseconds(round(value * 1_000))),
    ),
    Unit.BYTES: _Scale(
        "a size",
        "2GiB",
        _SIZES,
        lambda text: float(Bytes.parse(text)),
        lambda value: str(Bytes(round(value))),
        1e15,
    ),
    Unit.DAYS: _Scale("days", "14d", frozenset({"", "d", "w"}), _days, lambda v: f"{decimal(v)}d"),
    Unit.PER_SECOND: _Scale(
        "a rate", "5/s", frozenset({"", *_PER}), _rate, lambda value: f"{decimal(value)}/s"
    ),
    Unit.COUNT: _Scale("a number", "20", frozenset({""}), float, decimal),
    Unit.STATE: _Scale("yes (1) or no (0)", "1", frozenset({""}), float, decimal),
}


def read_limit(signal: str, unit: Unit, text: str, suffix: str) -> float:
    """The value that `text`, whose unit is `suffix`, is for a signal.

    Raises ValueError with what is wrong and, after `; `, what would work.
    """
    scale = _SCALES[unit]
    if suffix not in scale.suffixes:
        wrong = f"{signal} is {scale.what}, and {text} is none"
        raise ValueError(f"{wrong}; write it as {scale.example}")
    value = scale.read(text)
    if value > scale.most:
        raise ValueError(f"{text} is too much; write it as {scale.example}")
    return value


def write_limit(unit: Unit, value: float) -> str:
    """The value as it is written in a rule, to the last digit."""
    return _SCALES[unit].write(value)
