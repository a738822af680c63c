"""The values that a map reads from one page, each in its unit, and those that cannot be right."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.selector import SeriesIndex, read_selector
from watchdeck.domain.metrics.series import Layout, SeriesType
from watchdeck.domain.signals.custom_mapping import (
    MappedSeries,
    mapped_unit,
    read_mapped_series,
    valid_entries,
)
from watchdeck.domain.signals.source_units import UNIT_WORDS, doubt
from watchdeck.domain.values.format import digits, format_value
from watchdeck.domain.values.units import Unit

_COUNTERS = ("requests", "errors")
_HISTOGRAMS = (SeriesType.HISTOGRAM, SeriesType.SUMMARY)


class MappedValue(Struct, frozen=True):
    """What one entry of a map reads: its value in `unit`, and words for people.

    `value` is NaN when the page has no number there. For a histogram it is the mean of all that was
    observed, for a counter the number of all that was counted.
    """

    key: str
    source: str
    value: float
    unit: Unit
    text: str
    """The value with its unit, or why there is none."""
    question: str = ""
    """Why the value can hardly be in this unit; empty when it can."""


def mapped_values(
    kind: Kind, user_map: Mapping[str, str], layout: Layout, values: Sequence[float]
) -> tuple[MappedValue, ...]:
    """The value that each entry of a map reads from a page, in the order of the map.

    A wrong entry is left out: `mapping_problems` says why.
    """
    index, valid = SeriesIndex(layout), valid_entries(kind, user_map)
    return tuple(_mapped_value(kind, index, key, text, values) for key, text in valid.items())


def _mapped_value(
    kind: Kind, index: SeriesIndex, key: str, text: str, values: Sequence[float]
) -> MappedValue:
    mapped = read_mapped_series(text)
    if kind.json_map:
        places = index.by_name.get(key, [])
        return _number(key, MappedSeries(mapped.source), [values[place] for place in places])
    if index.type_of(read_selector(mapped.source).name) in _HISTOGRAMS:
        return _observations(key, mapped, index, values)
    places = [*index.find_counters((mapped.source,))]
    return _number(key, mapped, [values[place] for place in places])


def _number(key: str, mapped: MappedSeries, found: Sequence[float]) -> MappedValue:
    """The sum of gauges or counters in the unit of the signal."""
    unit = mapped_unit(key)
    known = [value for value in found if not math.isnan(value)]
    value = sum(known) * mapped.scale if known else math.nan
    if not known:
        text = "the page has no number there" if found else "the page has nothing of this name"
        return MappedValue(key, mapped.source, math.nan, unit, text)
    shown = f"{digits(value)} counted so far" if key in _COUNTERS else format_value(value, unit)
    return MappedValue(key, mapped.source, value, unit, shown, _question(value, unit))


def _observations(
    key: str, mapped: MappedSeries, index: SeriesIndex, values: Sequence[float]
) -> MappedValue:
    """The mean and the largest bound of a histogram or summary."""
    count, total = (
        sum(values[place] for place in index.find(mapped.source, suffix))
        for suffix in ("_count", "_sum")
    )
    unit, top = mapped_unit(key), max(_bounds(index, mapped), default=math.nan)
    mean = total / count * mapped.scale if count > 0 else math.nan
    words = [f"{digits(count)} observed"]
    words += [f"mean {format_value(mean, unit)}"] if count > 0 else []
    words += [f"buckets up to {format_value(top, unit)}"] if top == top else []  # noqa: PLR0124
    question = _question(mean, unit) or _question(top, unit)
    return MappedValue(key, mapped.source, mean, unit, ", ".join(words), question)


def _bounds(index: SeriesIndex, mapped: MappedSeries) -> Iterator[float]:
    """The finite upper bounds of the buckets, in the unit of the signal."""
    for place in index.find(mapped.source, "_bucket"):
        try:
            bound = float(index.layout.series[place].label("le") or "")
        except ValueError:
            continue
        if math.isfinite(bound):
            yield bound * mapped.scale


def _question(value: float, unit: Unit) -> str:
    why, words = doubt(value, unit), ", ".join(UNIT_WORDS.get(unit, ()))
    return f"{why}: write its unit behind it ({words})" if why and words else why
