"""Loads the kinds of server: one TOML file each, all checked before any is used."""

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from watchdeck.domain.kinds.kind import Kind, ProbeMeaning, ProbeSpec, SignalSpec
from watchdeck.domain.metrics.selector import read_selector
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.signals.functions import AGGREGATES
from watchdeck.domain.values.json_assertion import read_assertion, read_number, read_path
from watchdeck.errors import ConfigError

PACKAGED = Path(__file__).parents[2] / "kinds"

_FORMS = ("rate", "increase", "gauge", "histogram", "summary", "mean")
_SELECTORS = (*_FORMS, "minus", "over", "over_unit")


def load_kinds(folder: Path | None = None) -> tuple[Kind, ...]:
    """Load the kinds in a folder (by default the packaged ones), the most specific first.

    Raises ConfigError that lists every problem of every file, one a line.
    """
    problems: list[str] = []
    kinds: list[Kind] = []
    for path in sorted((folder or PACKAGED).glob("*.toml")):
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
            kind = msgspec.convert({"name": path.stem, **raw}, Kind)
        except (ValueError, OSError) as error:
            problems.append(f"{path.name}: {error}")
            continue
        found = [*_unknown_keys(raw, Kind, ""), *_kind_problems(kind)]
        problems += (f"{path.name}: {problem}" for problem in found)
        kinds.append(kind)
    if problems:
        raise ConfigError("\n".join(problems))
    return tuple(sorted(kinds, key=lambda kind: (kind.order, kind.name)))


def _unknown_keys(raw: object, target: Any, place: str) -> Iterator[str]:
    """Problems of keys that are no settings: a misspelt one would otherwise be ignored silently."""
    if isinstance(raw, list):
        for number, item in enumerate(raw):
            yield from _unknown_keys(item, get_args(target)[0], f"{place}[{number}]")
    elif isinstance(raw, dict) and isinstance(target, type) and issubclass(target, msgspec.Struct):
        yield from _unknown_keys_of_table(raw, target, place)


def _unknown_keys_of_table(table: dict[str, Any], target: Any, place: str) -> Iterator[str]:
    hints = _hints(target)
    for key, value in table.items():
        at = f"{place}.{key}".lstrip(".")
        if key in hints:
            yield from _unknown_keys(value, hints[key], at)
        else:
            yield f"{at} is not a setting of a kind"


@cache
def _hints(target: Any) -> dict[str, Any]:
    """The types of a table's keys; to compute them for every table takes 30 ms."""
    hints = get_type_hints(target)
    return {name: hints[name] for name in target.__struct_fields__}


def _kind_problems(kind: Kind) -> Iterator[str]:
    """Problems beyond the types: selectors, paths and forms that would fail later."""
    for number, spec in enumerate(kind.signals):
        for problem in _signal_problems(spec):
            yield f"signals[{number}] ({spec.signal}): {problem}"
    selectors = (kind.version, kind.started, *kind.replicas, *(s.series for s in kind.states))
    yield from _read_problems(read_selector, [text for text in selectors if text])
    for number, probe in enumerate(kind.probes):
        for problem in _probe_problems(probe):
            yield f"probes[{number}] ({probe.path}): {problem}"
    yield from _read_problems(read_path, [kind.models] if kind.models else [])
    for name in kind.unmeasurable:
        if name not in SIGNALS:
            yield f"unmeasurable.{name} is not a signal"


def _signal_problems(spec: SignalSpec) -> Iterator[str]:
    if spec.signal not in SIGNALS:
        yield "is not a signal"
    used = [form for form in _FORMS if getattr(spec, form)]
    if len(used) != 1:
        yield f"needs exactly one of {', '.join(_FORMS)}, and has {', '.join(used) or 'none'}"
    if spec.increase and not spec.over:
        yield "increase needs over"
    if (spec.histogram or spec.summary) and not 0 < (spec.quantile or 0) < 1:
        yield "needs a quantile between 0 and 1"
    if spec.aggregate not in (("sum", "mean") if spec.rate else AGGREGATES):
        yield f"aggregate is one of {', '.join(AGGREGATES)}; of a rate, sum or mean"
    texts = [text for name in _SELECTORS for text in getattr(spec, name)]
    yield from _read_problems(read_selector, [*texts, *([spec.needs] if spec.needs else [])])


def _probe_problems(probe: ProbeSpec) -> Iterator[str]:
    if probe.about not in ("server", "model", "identity"):
        yield "about is server, model or identity"
    if not probe.path.startswith("/"):
        yield "path begins with /"
    paths = [probe.version] if probe.version and probe.version != "text" else []
    yield from _read_problems(read_path, paths)
    numbers = [probe.replicas] if probe.replicas else []
    yield from _read_problems(read_number, [*numbers, *probe.signals.values()])
    yield from _read_problems(read_assertion, [m.json for m in probe.means if m.json])
    yield from (f"{name} is not a signal" for name in probe.signals if name not in SIGNALS)
    yield from (problem for meaning in probe.means for problem in _meaning_problems(meaning))


def _meaning_problems(meaning: ProbeMeaning) -> Iterator[str]:
    if not (meaning.status or meaning.json or meaning.text or meaning.matches or meaning.header):
        yield "a meaning needs a condition"


def _read_problems(read: Any, texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        try:
            read(text)
        except ValueError as error:
            yield str(error)
