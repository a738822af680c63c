"""Proposals of a map: which series of a page may count requests and errors, and time them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.signals.source_units import named_unit
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Unit

MOST_NAMES = 8
"""Names of series in a hint."""

_PLAIN_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]{0,199}", re.ASCII)
"""Names that a selector can have: others are never proposed."""

_SUFFIXES = ("_total", "_bucket", "_sum", "_count", "_created")

_STATUS_LABELS = (
    *("status", "status_code", "code", "http_status", "http_status_code", "http_response_code"),
    *("response_code", "http_response_status_code", "statuscode"),
)
"""Labels whose values are HTTP statuses, or classes of them such as 5xx."""

_RESULT_LABELS = ("outcome", "result", "success", "is_error")
_FAILURES = ("error", "errors", "failure", "failed", "exception", "server_error", "false")

_OF_THE_PROCESS = ("process_", "python_", "go_", "node_", "promhttp_", "scrape_", "jvm_", "nodejs_")
"""Beginnings of names that are of the machine or the runtime, never of predictions."""

_REQUEST_WORDS = ("predict", "infer", "request", "call", "generat", "completion", "quer")
_TIME_WORDS = ("duration", "latency", "seconds", "time", "elapsed", "_ms", "millis")
_ERROR_WORDS = ("error", "fail", "exception")
_PART_WORDS = ("token", "byte", "row", "batch")
"""Words of what a request consists of, which is not counted by requests."""


def propose_map(layout: Layout) -> dict[str, str]:
    """Entries of a map by the counters and histograms on a page: the best candidate of each key.

    Only a person can tell whether they are right. Empty when the page has no candidate.
    """
    series = [
        one
        for one in layout.series
        if _PLAIN_NAME.fullmatch(one.name) and not one.name.startswith(_OF_THE_PROCESS)
    ]
    found = {
        "requests": _requests(series),
        "errors": _errors(series),
        "latency": _latency(series),
    }
    if not found["requests"]:
        del found["errors"]
    return {name: source for name, source in found.items() if source}


def family_names(layout: Layout) -> tuple[str, ...]:
    """The names of the counters, gauges and histograms of a page, without those of the runtime."""
    names = (_family(one) for one in layout.series if not one.name.startswith(_OF_THE_PROCESS))
    return tuple(clean(name, 120) for name in dict.fromkeys(names))


def _requests(series: Iterable[Series]) -> str:
    """The counter that most likely counts predictions; else the observations of a histogram."""
    labels: dict[str, set[str]] = {}
    for one in series:
        if _is_counter(one) and not _has_word(one.name, (*_ERROR_WORDS, *_PART_WORDS)):
            labels.setdefault(one.name, set()).update(label for label, _ in one.labels)
    name = max(labels, key=lambda name: _request_rank(name, labels[name]), default="")
    if name and (_has_word(name, _REQUEST_WORDS) or labels[name] & {*_STATUS_LABELS}):
        return name
    timed = _latency(series).partition(" ")[0]
    return f"{timed}_count" if timed else ""


def _request_rank(name: str, labels: set[str]) -> tuple[bool, bool, bool]:
    has_status = bool(labels & {*_STATUS_LABELS, *_RESULT_LABELS})
    return _has_word(name, _REQUEST_WORDS[:2]), has_status, _has_word(name, _REQUEST_WORDS)


def _errors(series: Iterable[Series]) -> str:
    """The failed part of the requests by their status or result, else a counter of errors."""
    requests = _requests(series)
    own = [one for one in series if one.name == requests]
    for label in _STATUS_LABELS:
        if any(one.label(label) is not None for one in own):
            return f'{requests}{{{label}=~"5.."}}'
    for label in _RESULT_LABELS:
        values = sorted({value for one in own if (value := one.label(label))})
        if failed := [value for value in values if value.lower() in _FAILURES]:
            return f'{requests}{{{label}="{failed[0]}"}}'
    names = (one.name for one in series if _is_counter(one) and _has_word(one.name, _ERROR_WORDS))
    return next(names, "")


def _latency(series: Iterable[Series]) -> str:
    """The histogram or summary of a time, with its unit word when its name tells one."""
    families = dict.fromkeys(
        _family(one)
        for one in series
        if one.type in (SeriesType.HISTOGRAM, SeriesType.SUMMARY)
        and _has_word(one.name, _TIME_WORDS)
    )
    name = max(families, key=lambda name: _has_word(name, _REQUEST_WORDS), default="")
    unit = named_unit([name], Unit.SECONDS)
    return f"{name} {unit}".strip()


def _is_counter(one: Series) -> bool:
    return one.type is SeriesType.COUNTER and not one.name.endswith("_created")


def _has_word(name: str, words: Iterable[str]) -> bool:
    return any(word in name.lower() for word in words)


def _family(one: Series) -> str:
    if one.type in (SeriesType.HISTOGRAM, SeriesType.SUMMARY):
        return next(
            (one.name.removesuffix(end) for end in _SUFFIXES if one.name.endswith(end)), one.name
        )
    return one.name


def json_numbers(document: object, limit: int = 12) -> Mapping[str, float]:
    """The paths of the first numbers in a JSON document, each with its value."""
    found: dict[str, float] = {}
    for path, value in _numbers("$", document, 0):
        found[path] = value
        if len(found) == limit:
            break
    return found


_PLAIN = re.compile(r"[A-Za-z_][\w-]{0,80}", re.ASCII)
_DEEPEST = 6
_MOST_ITEMS = 3
"""Elements of a list that are looked at."""


def _numbers(path: str, value: object, depth: int) -> Iterator[tuple[str, float]]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, float(value)
    elif depth < _DEEPEST and isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(key, str) and _PLAIN.fullmatch(key):
                yield from _numbers(f"{path}.{key}", inner, depth + 1)
    elif depth < _DEEPEST and isinstance(value, list):
        for place, inner in enumerate(value[:_MOST_ITEMS]):
            yield from _numbers(f"{path}[{place}]", inner, depth + 1)
