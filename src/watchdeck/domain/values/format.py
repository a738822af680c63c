"""Numbers as a person says them: three digits at most, and the unit."""

from __future__ import annotations

import math

from watchdeck.domain.values.units import Unit

_STEPS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"))
_SIZES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_VAST = 1e15
"""From here on a number is no longer read but only named."""

_COUNTS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def format_duration(milliseconds: int) -> str:
    """A length of time in its two largest parts: `45s`, `3m 20s`, `2h 5m`, `12d`.

    Less than a second is `0s`: no age on a screen is finer than that.
    """
    for size, unit in _STEPS:
        whole, rest = divmod(max(0, milliseconds), size)
        if whole:
            return f"{whole}{unit}{_rest(rest, size, whole)}"
    return "0s"


def _rest(rest: int, size: int, whole: int) -> str:
    finer = next((step for step in _STEPS if step[0] < size), None)
    if finer is None or whole >= 10 or rest < finer[0]:
        return ""
    return f" {rest // finer[0]}{finer[1]}"


def digits(value: float) -> str:
    """Three significant digits, `0.0123`, `4.12`, `412`; without an exponent below 1e15."""
    if value == 0:
        return "0"
    if abs(value) >= _VAST:
        return f"{value:.2e}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(places, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scaled(value: float, steps: tuple[tuple[float, str], ...], plain: str) -> str:
    for size, unit in steps:
        if abs(value) >= size:
            return f"{digits(value / size)} {unit}"
    return f"{digits(value)}{plain}"


def _seconds(value: float) -> str:
    if 120 <= value < _VAST:
        return format_duration(round(value * 1_000))
    return f"{digits(value * 1_000)} ms" if value < 1 else f"{digits(value)} s"


def _percent(value: float) -> str:
    """Not quite all is never rounded to all: 99.96 % stays that."""
    text = digits(min(value, _VAST) * 100)
    nearly = text == "100" and value < 1
    return f"{f'{value * 100:.6f}'.rstrip('0').rstrip('.') if nearly else text} %"


def _days(value: float) -> str:
    return f"{math.floor(value)} d"


def _state(value: float) -> str:
    return "yes" if value else "no"


_SAY = {
    Unit.RATIO: _percent,
    Unit.SECONDS: _seconds,
    Unit.PER_SECOND: lambda value: f"{_scaled(value, _COUNTS, '')}/s",
    Unit.COUNT: lambda value: _scaled(value, _COUNTS, ""),
    Unit.BYTES: lambda value: _scaled(value, _SIZES, " B"),
    Unit.DAYS: _days,
    Unit.STATE: _state,
}


def format_value(value: float | None, unit: Unit) -> str:
    """A value with its unit: `412 ms`, `0.4 %`, `1.2 GiB`; `unknown` for None and NaN."""
    if value is None or math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return _SAY[unit](value)


def format_comparison(
    signal: str, value: float | None, limit: float, unit: Unit, *, above: bool
) -> str:
    """A value against a limit: `latency_p95 412 ms > 200 ms`; of a state just that: `up no`."""
    if unit is Unit.STATE:
        return f"{signal} {format_value(value, unit)}"
    return (
        f"{signal} {format_value(value, unit)} {'>' if above else '<'} {format_value(limit, unit)}"
    )
