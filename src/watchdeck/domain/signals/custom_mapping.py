"""The map of an endpoint: which series, or which value of a JSON page, is which signal.

Keys are `requests`, `errors`, `latency`, `replicas`, or the name of a signal. A value is a selector
(on a JSON page a path), followed by `* NUMBER` or `/ NUMBER` when its unit differs from the
signal's.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.selector import SelectorError, read_selector
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.metrics.signal import PROBE_SIGNALS, SIGNALS
from watchdeck.domain.values.json_assertion import JsonAssertionError, read_json, read_path
from watchdeck.domain.values.units import Unit

REPLICAS = "replicas"

_SHORT_NAMES: dict[str, tuple[str, ...]] = {
    "requests": ("request_rate",),
    "errors": ("error_ratio",),
    "latency": ("latency_p50", "latency_p95", "latency_p99", "latency_mean"),
    REPLICAS: (),
}
_QUANTILES = {
    "latency_p50": 0.5,
    "latency_p95": 0.95,
    "latency_p99": 0.99,
    "ttft_p95": 0.95,
    "tpot_p95": 0.95,
}
_SCALED = re.compile(r"(.*\S)\s+([*/])\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*", re.DOTALL)

TypeOf = Callable[[str], SeriesType | None]
"""Returns the type that a page declares for a name; None when the page has no such series."""


class MappedSeries(Struct, frozen=True):
    """A value of an endpoint's map: a selector or JSON path, and its factor to the signal unit."""

    source: str
    scale: float = 1.0


def read_mapped_series(text: str) -> MappedSeries:
    """Read `SOURCE`, `SOURCE * NUMBER` or `SOURCE / NUMBER`; the scale of `/ 0` is NaN."""
    match = _SCALED.fullmatch(text)
    if match is None:
        return MappedSeries(text.strip())
    number = float(match[3])
    if match[2] == "*":
        return MappedSeries(match[1].strip(), number)
    return MappedSeries(match[1].strip(), 1 / number if number else math.nan)


def mapped_signals(user_map: Mapping[str, str]) -> tuple[str, ...]:
    """The signals that the keys of an endpoint's map provide; unknown keys are left out."""
    found = (_SHORT_NAMES.get(name, (name,)) for name in user_map)
    return tuple(signal for names in found for signal in names if signal in SIGNALS)


def mapping_problems(kind: Kind | None, user_map: Mapping[str, str]) -> tuple[str, ...]:
    """The problems of a map, one sentence each; empty when it is valid.

    Without a kind, values are read as selectors.
    """
    return tuple(sentence for _, sentence in _entry_problems(kind, user_map))


def valid_entries(kind: Kind, user_map: Mapping[str, str]) -> dict[str, str]:
    """The usable entries of a map; `mapping_problems` reports the others."""
    bad = {name for name, _ in _entry_problems(kind, user_map)}
    valid = {name: text for name, text in user_map.items() if name not in bad}
    if "errors" in valid and "requests" not in valid and not _kind_requests(kind):
        del valid["errors"]
    return valid


def mapped_specs(kind: Kind, entries: Mapping[str, str], type_of: TypeOf) -> list[SignalSpec]:
    """The signal specs of valid map entries; the declared type of a series decides its form."""
    found: list[SignalSpec] = []
    for name, text in entries.items():
        if name != REPLICAS:
            mapped = MappedSeries(name) if kind.json_map else read_mapped_series(text)
            found += _entry_specs(name, mapped, kind, entries, type_of)
    return found


def _entry_problems(kind: Kind | None, user_map: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    json_map = kind is not None and kind.json_map
    for name, text in user_map.items():
        if name not in _SHORT_NAMES and (name not in SIGNALS or name in PROBE_SIGNALS):
            yield name, f"{name} is not a signal that can be mapped"
            continue
        mapped = read_mapped_series(text)
        try:
            read_path(mapped.source) if json_map else read_selector(mapped.source)
        except (SelectorError, JsonAssertionError) as error:
            yield name, f"{name}: {error}"
        if math.isnan(mapped.scale):
            yield name, f"{name}: a value cannot be divided by 0"
    if json_map and "latency" in user_map:
        hint = "on a JSON page map latency_p50, latency_p95 or latency_p99"
        yield "latency", f"latency needs a histogram; {hint}"
    if "errors" in user_map and "requests" not in user_map and not _kind_requests(kind):
        yield "errors", "errors needs requests beside it, to be a share of them"


def _entry_specs(
    name: str, mapped: MappedSeries, kind: Kind, user_map: Mapping[str, str], type_of: TypeOf
) -> list[SignalSpec]:
    source = (mapped.source,)
    if name == "requests":
        return [SignalSpec("request_rate", rate=source, scale=mapped.scale)]
    if name == "errors":
        return [SignalSpec("error_ratio", increase=source, over=_request_selectors(kind, user_map))]
    signals = _SHORT_NAMES.get(name, (name,))
    return [spec for signal in signals for spec in _signal_specs(signal, mapped, type_of)]


def _request_selectors(kind: Kind, user_map: Mapping[str, str]) -> tuple[str, ...]:
    if "requests" not in user_map:
        return _kind_requests(kind)
    return ("requests",) if kind.json_map else (read_mapped_series(user_map["requests"]).source,)


def _kind_requests(kind: Kind | None) -> tuple[str, ...]:
    specs = kind.signals if kind else ()
    return next((spec.rate for spec in specs if spec.signal == "request_rate" and spec.rate), ())


def _signal_specs(signal: str, mapped: MappedSeries, type_of: TypeOf) -> list[SignalSpec]:
    """A histogram or summary becomes a quantile or mean, a counter a rate, other types a gauge."""
    source = (mapped.source,)
    declared = type_of(read_selector(mapped.source).name)
    if declared in (SeriesType.HISTOGRAM, SeriesType.SUMMARY):
        if signal not in _QUANTILES:
            return [SignalSpec(signal, mean=source, scale=mapped.scale)]
        share = _QUANTILES[signal]
        return [
            SignalSpec(signal, histogram=source, quantile=share, scale=mapped.scale),
            SignalSpec(signal, summary=source, quantile=share, scale=mapped.scale, optional=True),
        ]
    if declared is SeriesType.COUNTER and SIGNALS[signal].unit is Unit.PER_SECOND:
        return [SignalSpec(signal, rate=source, scale=mapped.scale)]
    return [SignalSpec(signal, gauge=source, scale=mapped.scale)]


def json_layout(user_map: Mapping[str, str]) -> Layout:
    """The layout of a JSON page: one series for each entry of the map, named by its key."""
    counters = ("requests", "errors")
    return Layout(
        tuple(
            Series(name, (), SeriesType.COUNTER if name in counters else SeriesType.GAUGE)
            for name in user_map
        )
    )


def read_json_values(user_map: Mapping[str, str], body: bytes) -> array[float]:
    """The values of a JSON page in the order of `json_layout`; NaN where a path finds no number.

    Raises JsonAssertionError when the body is not JSON.
    """
    document = read_json(body)
    return array("d", [_read_number(document, text) for text in user_map.values()])


def _read_number(document: object, text: str) -> float:
    mapped = read_mapped_series(text)
    try:
        value = read_path(mapped.source).number(document)
    except JsonAssertionError:
        return math.nan
    return math.nan if value is None else value * mapped.scale
