"""Numbers for people: three significant digits, and the unit."""

import math
from collections.abc import Callable

from watchdeck.domain.values.units import Unit

_STEPS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"))
_SIZES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_EXPONENT_FROM = 1e15
"""Numbers this large are written with an exponent."""

_COUNTS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def format_duration(milliseconds: int) -> str:
    """A duration in its two largest units: `45s`, `3m 20s`, `2h 5m`, `12d`; `0s` below a second."""
    for size, unit in _STEPS:
        whole, rest = divmod(max(0, milliseconds), size)
        if whole:
            return f"{whole}{unit}{_smaller_part(rest, size, whole)}"
    return "0s"


def _smaller_part(rest: int, size: int, whole: int) -> str:
    finer = next((step for step in _STEPS if step[0] < size), None)
    if finer is None or whole >= 10 or rest < finer[0]:
        return ""
    return f" {rest // finer[0]}{finer[1]}"


def digits(value: float) -> str:
    """A number with three significant digits: `0.0123`, `4.12`, `412`; an exponent from 1e15 on."""
    if value == 0:
        return "0"
    if abs(value) >= _EXPONENT_FROM:
        return f"{value:.2e}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(places, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _format_scaled(value: float, steps: tuple[tuple[float, str], ...], plain: str) -> str:
    for size, unit in steps:
        if abs(value) >= size:
            return f"{digits(value / size)} {unit}"
    return f"{digits(value)}{plain}"


def _format_seconds(value: float) -> str:
    if 120 <= value < _EXPONENT_FROM:
        return format_duration(round(value * 1_000))
    return f"{digits(value * 1_000)} ms" if value < 1 else f"{digits(value)} s"


def _format_percent(value: float) -> str:
    """A share in percent; less than 1 is never rounded up to 100 %: 99.96 % stays 99.96 %."""
    text = digits(min(value, _EXPONENT_FROM) * 100)
    nearly = text == "100" and value < 1
    return f"{f'{value * 100:.6f}'.rstrip('0').rstrip('.') if nearly else text} %"


def _format_days(value: float) -> str:
    return f"{math.floor(value)} d"


def _format_state(value: float) -> str:
    return "yes" if value else "no"


def _format_celsius(value: float) -> str:
    return f"{digits(value)} °C"


_FORMATTERS = {
    Unit.RATIO: _format_percent,
    Unit.SECONDS: _format_seconds,
    Unit.PER_SECOND: lambda value: f"{_format_scaled(value, _COUNTS, '')}/s",
    Unit.COUNT: lambda value: _format_scaled(value, _COUNTS, ""),
    Unit.BYTES: lambda value: _format_scaled(value, _SIZES, " B"),
    Unit.DAYS: _format_days,
    Unit.STATE: _format_state,
    Unit.CELSIUS: _format_celsius,
}


def format_value(value: float | None, unit: Unit) -> str:
    """A value with its unit: `412 ms`, `0.4 %`, `1.2 GiB`; `unknown` for None and NaN."""
    if value is None or math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return _FORMATTERS[unit](value)


def format_comparison(
    signal: str, value: float | None, limit: float, unit: Unit, *, above: bool
) -> str:
    """A value beside its limit: `latency_p95 412 ms > 200 ms`; a yes/no signal alone: `up no`.

    Where both would read the same, they have as many digits as it takes to tell them apart.
    """
    if unit is Unit.STATE:
        return f"{signal} {format_value(value, unit)}"
    one, other = format_value(value, unit), format_value(limit, unit)
    if one == other and value is not None and value != limit:
        factor, name = _plain_unit(unit, limit)
        one, other = distinct_texts(factor * value, factor * limit, f"{{}}{name}".format)
    sign = "=" if value == limit else ">" if above else "<"
    return f"{signal} {one} {sign} {other}"


def distinct_texts(
    value: float, limit: float, write: Callable[[str], str] = str
) -> tuple[str, str]:
    """Two different numbers with the fewest digits, of at least four, that tell them apart."""
    for places in range(4, 17):
        one, other = f"{value:.{places}g}", f"{limit:.{places}g}"
        if one != other:
            return write(one), write(other)
    return write(repr(value)), write(repr(limit))


def _plain_unit(unit: Unit, limit: float) -> tuple[float, str]:
    """The factor and the name of a unit that has no steps, fit for a number like `limit`."""
    if unit is Unit.SECONDS and limit < 1:
        return 1_000.0, " ms"
    return _PLAIN_UNITS[unit]


_PLAIN_UNITS = {
    Unit.RATIO: (100.0, " %"),
    Unit.SECONDS: (1.0, " s"),
    Unit.PER_SECOND: (1.0, "/s"),
    Unit.COUNT: (1.0, ""),
    Unit.BYTES: (1.0, " B"),
    Unit.DAYS: (1.0, " d"),
    Unit.CELSIUS: (1.0, " °C"),
}
