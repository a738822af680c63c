"""Units of the sources in a map: unit words, the units that names tell, and values out of reason.

A source is a series or a JSON path. Its unit may differ from that of the signal: a latency in ms is
read 1,000 times too large unless the map says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from watchdeck.domain.values.format import format_value
from watchdeck.domain.values.units import BOUNDS, Unit

UNIT_WORDS: dict[Unit, dict[str, float]] = {
    Unit.SECONDS: {
        "ns": 1e-9,
        "us": 1e-6,
        "µs": 1e-6,
        "ms": 1e-3,
        "s": 1.0,
        "m": 60.0,
        "h": 3_600.0,
    },
    Unit.RATIO: {"%": 1e-2, "ratio": 1.0},
    Unit.BYTES: {
        "B": 1.0,
        "kB": 1e3,
        "MB": 1e6,
        "GB": 1e9,
        "TB": 1e12,
        "KiB": 2.0**10,
        "MiB": 2.0**20,
        "GiB": 2.0**30,
        "TiB": 2.0**40,
    },
    Unit.PER_SECOND: {"/s": 1.0, "/m": 1 / 60, "/h": 1 / 3_600},
    Unit.CELSIUS: {"C": 1.0},
}
"""The unit words of a map by the unit of the signal, each with its factor to that unit."""

_FACTORS = {word: factor for words in UNIT_WORDS.values() for word, factor in words.items()}

_NAMED_UNITS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "usec", "usecs", "micros", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nsecs", "nanos", "nanosecond", "nanoseconds"), "ns"),
    **dict.fromkeys(("mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hour", "hours"), "h"),
    **dict.fromkeys(("percent", "percentage", "pct", "perc"), "%"),
    **dict.fromkeys(("kb", "kilobytes"), "kB"),
    **dict.fromkeys(("mb", "megabytes"), "MB"),
    **dict.fromkeys(("gb", "gigabytes"), "GB"),
    **dict.fromkeys(("kib", "kibibytes"), "KiB"),
    **dict.fromkeys(("mib", "mebibytes"), "MiB"),
    **dict.fromkeys(("gib", "gibibytes"), "GiB"),
    **dict.fromkeys(("rpm", "qpm", "tpm"), "/m"),
}
"""Words in names that tell a unit, with the unit word of the map."""

_WORD = re.compile(r"[KMGTkmgt]i?B(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+", re.ASCII)

_STATISTICS = frozenset(
    (
        *("total", "sum", "count", "bucket", "created", "p", "q", "quantile", "percentile"),
        *("avg", "average", "mean", "median", "min", "max", "last", "current", "value", "rate"),
    )
)
"""Words behind a unit that say which statistic it is: `request_ms_sum`, `latency_ms_p95`."""

_LONGEST = 3_600.0
"""Seconds from which a duration of a request is more likely one in another unit."""


def unit_factor(word: str) -> float:
    """The factor from a unit word to the unit of signals; NaN for a word that is no unit."""
    return _FACTORS.get(word, math.nan)


def unit_problem(word: str, unit: Unit) -> str:
    """Why a unit word is not one of this unit, with those that are; empty when it is."""
    known = UNIT_WORDS.get(unit, {})
    if word in known:
        return ""
    if not known:
        return f"a {unit} has no unit, and {word!r} stands behind the source"
    return f"{word!r} is not a unit of it; units are {', '.join(known)}"


def named_unit(names: Iterable[str], unit: Unit) -> str:
    """The unit word that one of the names tells and a signal of this unit could have.

    Empty when none tells one, or the signal's own unit: `latency_ms` tells ms of a signal in s.
    """
    found = (_unit_of_name(name) for name in names)
    known = UNIT_WORDS.get(unit, {})
    return next((word for word in found if known.get(word, 1.0) != 1.0), "")


def _unit_of_name(name: str) -> str:
    """The unit in a name's last word, behind which only the names of statistics may stand."""
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and words[-1] in _STATISTICS:
        words.pop()
    return _NAMED_UNITS.get(words[-1], "") if words else ""


def doubt(value: float, unit: Unit) -> str:
    """Why a value is hardly one in this unit, as words that follow on it; empty when it may be.

    `value` is in the unit of the signal; NaN is never in doubt.
    """
    low, high = BOUNDS[unit]
    if math.isnan(value) or (low <= value <= high and not _is_long(value, unit)):
        return ""
    shown = format_value(value, unit)
    if unit is Unit.RATIO:
        return f"a share of {shown} cannot be"
    if _is_long(value, unit):
        return f"{shown} is long for a request"
    return f"{shown} is outside {format_value(low, unit)} to {format_value(high, unit)}"


def _is_long(value: float, unit: Unit) -> bool:
    return unit is Unit.SECONDS and value > _LONGEST
