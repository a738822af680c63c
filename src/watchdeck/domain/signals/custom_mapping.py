"""The map of an endpoint: which series, or which value of a JSON page, is which signal.

Keys are `requests`, `errors`, `latency`, `replicas`, or the name of a signal. A value is a selector
(on a JSON page a path), followed by its unit (`ms`, `%`, `MiB`), or by `* NUMBER` or `/ NUMBER`,
when its unit differs from the signal's.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.selector import SelectorError, read_selector
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.metrics.signal import PROBE_SIGNALS, SIGNALS
from watchdeck.domain.signals.source_units import (
    UNIT_WORDS,
    named_unit,
    unit_factor,
    unit_problem,
)
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
_COUNTS = ("requests", "errors", REPLICAS)
_WITH_UNIT = re.compile(r"(.*\S)(?:\s+([A-Za-zµ/]{1,20})|\s*(%))\s*", re.DOTALL)
_SCALED = re.compile(r"(.*\S)\s+([*/])\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*", re.DOTALL)

TypeOf = Callable[[str], SeriesType | None]
"""Returns the type that a page declares for a name; None when the page has no such series."""


class MappedSeries(Struct, frozen=True):
    """A value of an endpoint's map: a selector or JSON path, and its factor to the signal unit."""

    source: str
    scale: float = 1.0
    """NaN when the map divides by 0, or writes a unit that does not exist."""
    unit: str = ""
    """The unit word behind the source; empty without one."""
    has_scale: bool = False
    """Whether the map says how the source becomes the unit of the signal: by unit or number."""


def read_mapped_series(text: str) -> MappedSeries:
    """Read `SOURCE`, `SOURCE UNIT`, `SOURCE * NUMBER` or `SOURCE / NUMBER`."""
    match = _SCALED.fullmatch(text)
    if match is not None:
        number = float(match[3])
        divisor = 1 / number if number else math.nan
        scale = number if match[2] == "*" else divisor
        return MappedSeries(match[1].strip(), scale, has_scale=True)
    match = _WITH_UNIT.fullmatch(text)
    if match is None:
        return MappedSeries(text.strip())
    word = match[2] or match[3]
    return MappedSeries(match[1].strip(), unit_factor(word), word, has_scale=True)


def mapped_unit(name: str) -> Unit:
    """The unit of what a key of the map stands for."""
    if name in _COUNTS:
        return Unit.COUNT
    return SIGNALS[_SHORT_NAMES.get(name, (name,))[0]].unit


def unit_questions(kind: Kind | None, user_map: Mapping[str, str]) -> dict[str, str]:
    """A question, by key, about each entry whose name tells another unit than the map says.

    `$.p95_ms` without unit or number is read as seconds, although its name tells ms.
    """
    found = ((name, _unit_question(kind, name, text)) for name, text in user_map.items())
    return {name: question for name, question in found if question}


def _unit_question(kind: Kind | None, name: str, text: str) -> str:
    """The question about one entry; empty without one, and for an entry with a problem."""
    if any(_one_entry_problems(kind, name, text)):
        return ""
    mapped, unit = read_mapped_series(text), mapped_unit(name)
    word = named_unit(_source_names(kind, mapped.source), unit)
    if not word or mapped.unit:
        return ""
    shown = _shorten(mapped.source)
    if not mapped.has_scale:
        own = next(one for one, factor in UNIT_WORDS[unit].items() if factor == 1.0)
        told = f"{shown} is read in {own}, and its name says {word}"
        return f'{told}: write "{shown} {word}", or "{shown} {own}" when it is in {own}'
    if math.isclose(mapped.scale * unit_factor(word), 1.0):
        told = f"{shown} is multiplied by {mapped.scale:g}, and its name says {word}"
        return f'{told}: write "{shown} {word}"'
    return ""


def _source_names(kind: Kind | None, source: str) -> list[str]:
    """The names in a source that can tell its unit: those of a path, or that of a series."""
    if kind is not None and kind.json_map:
        return [part for part in read_path(source).parts if isinstance(part, str)]
    return [read_selector(source).name]


def _shorten(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


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
    """The signal specs of valid map entries; the declared type of a series decides its form.

    A value whose name tells another unit than its entry is in doubt.
    """
    found: list[SignalSpec] = []
    for name, text in entries.items():
        if name != REPLICAS:
            mapped = MappedSeries(name) if kind.json_map else read_mapped_series(text)
            doubt = _unit_question(kind, name, text)
            specs = _entry_specs(name, mapped, kind, entries, type_of)
            found += [replace(spec, remark=doubt) for spec in specs] if doubt else specs
    return found


def _entry_problems(kind: Kind | None, user_map: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in user_map.items():
        yield from ((name, problem) for problem in _one_entry_problems(kind, name, text))
    if kind is not None and kind.json_map and "latency" in user_map:
        hint = "on a JSON page map latency_p50, latency_p95 or latency_p99"
        yield "latency", f"latency needs a histogram; {hint}"
    if "errors" in user_map and "requests" not in user_map and not _kind_requests(kind):
        yield "errors", "errors needs requests beside it, to be a share of them"


def _one_entry_problems(kind: Kind | None, name: str, text: str) -> Iterator[str]:
    if name not in _SHORT_NAMES and (name not in SIGNALS or name in PROBE_SIGNALS):
        yield f"{name} is not a signal that can be mapped"
        return
    mapped = read_mapped_series(text)
    try:
        is_path = kind is not None and kind.json_map
        read_path(mapped.source) if is_path else read_selector(mapped.source)
    except (SelectorError, JsonAssertionError) as error:
        yield f"{name}: {error}"
    if mapped.unit and (problem := unit_problem(mapped.unit, mapped_unit(name))):
        yield f"{name}: {problem}"
    elif math.isnan(mapped.scale):
        yield f"{name}: a value cannot be divided by 0"


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
