"""The user's own map: which series, or which value of a JSON page, is which signal.

`requests`, `errors` and `latency` are the short names; any signal's name and `replicas` may be
mapped too. A value is a selector (or, on a JSON page, a path), with `* NUMBER` or `/ NUMBER` behind
it where its unit is not the signal's.
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
from watchdeck.domain.values.json_assertion import ExpectError, read_document, read_path
from watchdeck.domain.values.units import Unit

REPLICAS = "replicas"

_SHORT: dict[str, tuple[str, ...]] = {
    "requests": ("request_rate",),
    "errors": ("error_ratio",),
    "latency": ("latency_p50", "latency_p95", "latency_p99", "latency_mean"),
    REPLICAS: (),
}
_SHARES = {
    "latency_p50": 0.5,
    "latency_p95": 0.95,
    "latency_p99": 0.99,
    "ttft_p95": 0.95,
    "tpot_p95": 0.95,
}
_SCALED = re.compile(r"(.*\S)\s+([*/])\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*", re.DOTALL)

TypeOf = Callable[[str], SeriesType | None]
"""The type that a page declares for a name; None when the page has no such series."""


class MappedSeries(Struct, frozen=True):
    """One value of a map: the selector or path, and the factor to the signal's unit."""

    source: str
    scale: float = 1.0


def read_mapped(text: str) -> MappedSeries:
    """Part `SOURCE * NUMBER` or `SOURCE / NUMBER` into its two halves."""
    match = _SCALED.fullmatch(text)
    if match is None:
        return MappedSeries(text.strip())
    number = float(match[3])
    if match[2] == "*":
        return MappedSeries(match[1].strip(), number)
    return MappedSeries(match[1].strip(), 1 / number if number else math.nan)


def mapped_signals(user_map: Mapping[str, str]) -> tuple[str, ...]:
    """The signals that a map speaks of; names that are none are left out."""
    found = (_SHORT.get(name, (name,)) for name in user_map)
    return tuple(signal for names in found for signal in names if signal in SIGNALS)


def problems(kind: Kind | None, user_map: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with a map, a sentence each; without a kind, selectors are assumed."""
    return tuple(sentence for _, sentence in _problems(kind, user_map))


def valid_entries(kind: Kind, user_map: Mapping[str, str]) -> dict[str, str]:
    """The entries of a map that can be used; of the others the configuration was told."""
    bad = {name for name, _ in _problems(kind, user_map)}
    good = {name: text for name, text in user_map.items() if name not in bad}
    if "errors" in good and "requests" not in good and not _requests(kind):
        del good["errors"]
    return good


def mapped_specs(kind: Kind, good: Mapping[str, str], type_of: TypeOf) -> list[SignalSpec]:
    """The specs that a sound map stands for on a page whose types are known."""
    found: list[SignalSpec] = []
    for name, text in good.items():
        if name != REPLICAS:
            mapped = MappedSeries(name) if kind.json_map else read_mapped(text)
            found += _specs(name, mapped, kind, good, type_of)
    return found


def _problems(kind: Kind | None, user_map: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    json_map = kind is not None and kind.json_map
    for name, text in user_map.items():
        if name not in _SHORT and (name not in SIGNALS or name in PROBE_SIGNALS):
            yield name, f"{name} is not a signal that can be mapped"
            continue
        mapped = read_mapped(text)
        try:
            read_path(mapped.source) if json_map else read_selector(mapped.source)
        except (SelectorError, ExpectError) as error:
            yield name, f"{name}: {error}"
        if math.isnan(mapped.scale):
            yield name, f"{name}: nothing can be divided by 0"
    if json_map and "latency" in user_map:
        wanted = "on a JSON page map latency_p50, latency_p95 or latency_p99"
        yield "latency", f"latency needs a histogram; {wanted}"
    if "errors" in user_map and "requests" not in user_map and not _requests(kind):
        yield "errors", "errors needs requests beside it, to be a share of them"


def _specs(
    name: str, mapped: MappedSeries, kind: Kind, user_map: Mapping[str, str], type_of: TypeOf
) -> list[SignalSpec]:
    source = (mapped.source,)
    if name == "requests":
        return [SignalSpec("request_rate", rate=source, scale=mapped.scale)]
    if name == "errors":
        return [SignalSpec("error_ratio", increase=source, over=_whole(kind, user_map))]
    signals = _SHORT.get(name, (name,))
    return [spec for signal in signals for spec in _spec(signal, mapped, type_of)]


def _whole(kind: Kind, user_map: Mapping[str, str]) -> tuple[str, ...]:
    if "requests" not in user_map:
        return _requests(kind)
    return ("requests",) if kind.json_map else (read_mapped(user_map["requests"]).source,)


def _requests(kind: Kind | None) -> tuple[str, ...]:
    specs = kind.signals if kind else ()
    return next((spec.rate for spec in specs if spec.signal == "request_rate" and spec.rate), ())


def _spec(signal: str, mapped: MappedSeries, type_of: TypeOf) -> list[SignalSpec]:
    """A histogram or summary becomes a quantile or a mean, a counter a rate, the rest a gauge."""
    source = (mapped.source,)
    declared = type_of(read_selector(mapped.source).name)
    if declared in (SeriesType.HISTOGRAM, SeriesType.SUMMARY):
        if signal not in _SHARES:
            return [SignalSpec(signal, mean=source, scale=mapped.scale)]
        share = _SHARES[signal]
        return [
            SignalSpec(signal, histogram=source, quantile=share, scale=mapped.scale),
            SignalSpec(signal, summary=source, quantile=share, scale=mapped.scale, optional=True),
        ]
    if declared is SeriesType.COUNTER and SIGNALS[signal].unit is Unit.PER_SECOND:
        return [SignalSpec(signal, rate=source, scale=mapped.scale)]
    return [SignalSpec(signal, gauge=source, scale=mapped.scale)]


def json_layout(user_map: Mapping[str, str]) -> Layout:
    """The layout of a JSON page: a series for each entry of the map, named like it."""
    counters = ("requests", "errors")
    return Layout(
        tuple(
            Series(name, (), SeriesType.COUNTER if name in counters else SeriesType.GAUGE)
            for name in user_map
        )
    )


def read_json(user_map: Mapping[str, str], body: bytes) -> array[float]:
    """The values of a JSON page in the order of `json_layout`; NaN where a path finds no number.

    Raises ExpectError when the body is no JSON.
    """
    document = read_document(body)
    return array("d", [_number(document, text) for text in user_map.values()])


def _number(document: object, text: str) -> float:
    mapped = read_mapped(text)
    try:
        value = read_path(mapped.source).number(document)
    except ExpectError:
        return math.nan
    return math.nan if value is None else value * mapped.scale
