"""Binding: from a kind and the layout of a page to the Plan that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from msgspec import Struct

from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.scrape import ModelState
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.metrics.signal import PROBE_SIGNALS, SIGNALS, signal_layout
from watchdeck.domain.settings.endpoint import Endpoint, Keep
from watchdeck.domain.signals.custom_mapping import (
    REPLICAS,
    mapped_signals,
    mapped_specs,
    read_mapped,
    valid_entries,
)
from watchdeck.domain.signals.formula import FormulaBuilder
from watchdeck.domain.signals.page_view import SeriesIndex
from watchdeck.domain.signals.plan import PageState, Plan, slots
from watchdeck.domain.values.text import clean

_TOKENS = ("ttft_p95", "tpot_p95", "tokens_in_rate", "tokens_out_rate", "kv_cache_usage")
"""Signals of language models: nobody misses them on servers of other models."""

_NO_VERSION = {"", "none", "null", "not available", "n/a", "unknown", "default"}
"""What servers write into a version label when they know none."""

_It = TypeVar("_It")


class _Wishes(Struct, frozen=True):
    """What of an endpoint a plan depends on: endpoints with the same wishes share it."""

    model: str | None
    exclude_paths: tuple[str, ...]
    user_map: tuple[tuple[str, str], ...]
    keep: str | tuple[str, ...]
    canary: str | None


class _Same(Generic[_It]):
    """An object compared by identity, so that a long layout is never hashed."""

    __slots__ = ("it",)

    def __init__(self, it: _It) -> None:
        self.it = it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.it is self.it

    def __hash__(self) -> int:
        return id(self.it)


def build_plan(kind: Kind, endpoint: Endpoint, layout: Layout) -> Plan:
    """The plan for an endpoint whose page has this layout; the same Plan for the same page.

    An empty layout is a page without series, or a kind without a page.
    """
    wishes = _Wishes(
        endpoint.model,
        endpoint.exclude_paths,
        tuple(endpoint.map.items()),
        endpoint.keep,
        endpoint.canary.path if endpoint.canary else None,
    )
    key = (_Same(kind), _Same(layout), wishes)
    plan = _PLANS.get(key)
    if plan is None:
        plan = _PLANS[key] = _Binding(kind, layout, wishes).plan()
    return plan


def kind_signals(kind: Kind | None, endpoint: Endpoint) -> tuple[str, ...]:
    """The signals that frames of this endpoint have, whatever page comes, in the table's order."""
    return _signals(kind, endpoint.map)


def reason_not_measurable(kind: Kind, signal: str) -> str:
    """The reason why a signal is not measurable, in words."""
    return kind.unmeasurable.get(signal, f"{kind.title} does not expose it here")


def _signals(kind: Kind | None, user_map: dict[str, str]) -> tuple[str, ...]:
    named = set(mapped_signals(user_map))
    if kind is not None:
        named |= {spec.signal for spec in kind.signals}
        named |= {signal for probe in kind.probes for signal in probe.signals}
    return tuple(name for name in SIGNALS if name in named and name not in PROBE_SIGNALS)


_PLANS: WeakValueDictionary[tuple[_Same[Kind], _Same[Layout], _Wishes], Plan] = (
    WeakValueDictionary()
)
"""The plans in use; a page whose names never stay the same leaves none behind."""


class _Binding:
    """One binding while it is worked out."""

    def __init__(self, kind: Kind, layout: Layout, wishes: _Wishes) -> None:
        self._kind = kind
        self._keep = wishes.keep
        self._map = valid_entries(kind, dict(wishes.user_map))
        excluded = (*kind.probe_paths, *wishes.exclude_paths)
        self._view = SeriesIndex(
            layout, wishes.model, kind.model_label, excluded, kind.probe_labels
        )
        self._signals = _signals(kind, dict(wishes.user_map))
        own = wishes.canary is None or not self._view.is_excluded(wishes.canary)
        self._formulas = FormulaBuilder(self._view, slots(self._signals), own)
        self._mapped = mapped_specs(kind, self._map, self._view.type_of)

    def plan(self) -> Plan:
        missing = [name for name in self._signals if not self._found(name)]
        blocks, counters = self._formulas.blocks()
        states, replicas = tuple(self._states()), self._replicas()
        started = self._view.find(self._kind.started) if self._kind.started else ()
        version, pending = self._version()
        told = {place for state in states for place in state.positions}
        keep = self._kept({*counters, *self._formulas.gauges, *started, *replicas, *told})
        return Plan(
            kind=self._kind.name,
            layout=self._view.layout,
            signals=self._signals,
            signal_layout=signal_layout(self._signals),
            not_measurable=tuple(self._not_measurable(missing)),
            keep=keep,
            kept_layout=self._kept_layout(keep),
            counters=counters,
            operands=tuple(self._formulas.operands),
            blocks=blocks,
            flows=tuple(self._formulas.flows()),
            levels=tuple(self._formulas.levels),
            started=started,
            replicas=replicas,
            states=states,
            version=version,
            version_pending=pending,
        )

    def _specs(self, signal: str) -> list[SignalSpec]:
        """The specs of a signal; what the user mapped stands in for the kind's own."""
        mapped = [spec for spec in self._mapped if spec.signal == signal]
        return mapped or [spec for spec in self._kind.signals if spec.signal == signal]

    def _found(self, signal: str) -> bool:
        return any(self._formulas.read(spec) for spec in self._specs(signal))

    def _not_measurable(self, missing: list[str]) -> Iterator[str]:
        """What cannot be had here; what the server merely has not shown yet is not in it."""
        asked = {signal for probe in self._kind.probes for signal in probe.signals}
        language = any(name in self._signals for name in _TOKENS)
        told = {meaning.state for probe in self._kind.probes for meaning in probe.means}
        if ModelState.READY not in told | {spec.state for spec in self._kind.states}:
            yield "ready"
        for name in SIGNALS:
            if name in missing and name not in asked:
                if all(self._is_optional(spec) for spec in self._specs(name)):
                    yield name
            elif name not in (*self._signals, *PROBE_SIGNALS) and (
                language or name not in _TOKENS or name in self._kind.unmeasurable
            ):
                yield name

    def _is_optional(self, spec: SignalSpec) -> bool:
        return spec.optional or (spec.whole_server and self._view.crowded)

    def _states(self) -> Iterator[PageState]:
        for spec in self._kind.states:
            found = self._view.find(spec.series)
            if found:
                yield PageState(found, frozenset(spec.values), spec.state, spec.why, spec.every)
        mapped = self._mapped_replicas()
        if mapped:
            none = frozenset({0.0})
            yield PageState(mapped, none, ModelState.SCALED_TO_ZERO, "0 replicas", every=True)

    def _replicas(self) -> tuple[int, ...]:
        own = (place for text in self._kind.replicas for place in self._view.find(text))
        return self._mapped_replicas() or tuple(own)

    def _mapped_replicas(self) -> tuple[int, ...]:
        if REPLICAS not in self._map:
            return ()
        if self._kind.json_map:
            return self._view.find(REPLICAS)
        return self._view.find(read_mapped(self._map[REPLICAS]).source)

    def _version(self) -> tuple[str | None, bool]:
        """The version the page tells, and whether none is told because nothing was served yet."""
        if self._kind.version is None or self._kind.version_label is None:
            return None, False
        places = self._view.find(self._kind.version)
        label = self._kind.version_label
        said = {self._view.layout.series[place].label(label) or "" for place in places}
        known = sorted(clean(text, 80) for text in said if text.strip().lower() not in _NO_VERSION)
        return ", ".join(known[:4]) or None, not places

    def _kept(self, needed: set[int]) -> tuple[int, ...] | None:
        if self._keep == Keep.ALL:
            return None
        patterns = () if self._keep == Keep.NEEDED else self._keep
        patterns = (patterns,) if isinstance(patterns, str) else patterns
        wanted = {
            place
            for name, places in self._view.by_name.items()
            if any(fnmatchcase(name, pattern) for pattern in patterns)
            for place in places
        }
        kept = tuple(sorted(needed | wanted))
        return None if len(kept) == len(self._view.layout) else kept

    def _kept_layout(self, keep: tuple[int, ...] | None) -> Layout:
        if keep is None:
            return self._view.layout
        return Layout(tuple(self._view.layout.series[place] for place in keep))
