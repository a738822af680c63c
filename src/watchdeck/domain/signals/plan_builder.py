"""The builder of plans, from a kind and the layout of a page, and the sources of signals."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from msgspec import Struct

from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.scrape import ModelState
from watchdeck.domain.metrics.selector import SeriesIndex, read_selector
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.metrics.signal import (
    PROBE_SIGNALS,
    RESOURCE_SIGNALS,
    SIGNALS,
    signal_layout,
)
from watchdeck.domain.settings.endpoint import Endpoint, EndpointFacts, Keep
from watchdeck.domain.signals.custom_mapping import (
    REPLICAS,
    mapped_signals,
    mapped_specs,
    read_mapped_series,
    valid_entries,
)
from watchdeck.domain.signals.formula import FormulaBuilder
from watchdeck.domain.signals.plan import (
    NOT_ON_PAGE,
    WAITS_FOR_REQUEST,
    Fallback,
    PageState,
    Plan,
    column_slots,
)
from watchdeck.domain.values.text import clean

_SPECIAL = (
    *("ttft_p95", "tpot_p95", "tokens_in_rate", "tokens_out_rate", "kv_cache_usage"),
    *("truncated_ratio", "cache_hit_ratio", "preemptions", "quota_left_ratio"),
    *("client_error_ratio", "batch_size", "replicas_ready", "replicas_wanted"),
    *("memory_ratio", "gpu_temperature", "gpu_throttle_ratio", "gpu_xid", "gpu_ecc_errors"),
)
"""Signals of some servers only; where a kind does not name them they are not listed as missing."""

_TOKENS = _SPECIAL[:5]
"""Signals of language models."""

_NO_VERSION = {"", "none", "null", "not available", "n/a", "unknown", "default"}
"""Values of a version label, in lower case, that mean no version."""

_PROCESS_LABELS = ("pid", "worker", "worker_id", "hostname", "pod", "instance")
"""Labels by which a process that answers in turn with others is told from them."""

_MOST_NAMES = 5
"""Names of models in a remark."""

_T = TypeVar("_T")


class _PlanOptions(Struct, frozen=True):
    """The settings of an endpoint that a plan depends on; endpoints with equal ones share plans."""

    model: str | None
    exclude_paths: tuple[str, ...]
    user_map: tuple[tuple[str, str], ...]
    keep: str | tuple[str, ...]
    canary: str | None
    has_resources: bool = False
    match: tuple[tuple[str, str], ...] = ()


class _IdentityKey(Generic[_T]):
    """A key that compares an object by identity, so that a long layout is never hashed."""

    __slots__ = ("value",)

    def __init__(self, value: _T) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _IdentityKey) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def build_plan(
    kind: Kind, endpoint: Endpoint, layout: Layout, match: tuple[tuple[str, str], ...] = ()
) -> Plan:
    """Build the formulas that make an endpoint's signals from its pages of this layout.

    Plans are cached while in use. An empty layout stands for a page without series, or a kind
    without a page. Only series with the labels in `match` count, and those without such labels.
    """
    options = _PlanOptions(
        endpoint.model,
        endpoint.exclude_paths,
        tuple(endpoint.map.items()),
        endpoint.keep,
        endpoint.canary.path if endpoint.canary else None,
        bool(endpoint.resources),
        match,
    )
    key = (_IdentityKey(kind), _IdentityKey(layout), options)
    plan = _PLANS.get(key)
    if plan is None:
        plan = _PLANS[key] = _PlanBuilder(kind, layout, options).build()
    return plan


def kind_signals(kind: Kind | None, endpoint: Endpoint | EndpointFacts) -> tuple[str, ...]:
    """The signals in every frame of an endpoint, whatever its page shows, in order of SIGNALS.

    Those of a machine or device are among them when the endpoint names a resource.
    """
    names = _signal_names(kind, endpoint.map)
    return _with_resource_signals(names) if endpoint.resources else names


def _with_resource_signals(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in SIGNALS if name in names or name in RESOURCE_SIGNALS)


def _family_names(kind: Kind, selector: str) -> tuple[str, ...]:
    name = read_selector(selector).name
    return (name, *kind.older_names(name))


def reason_not_measurable(kind: Kind, signal: str) -> str:
    """The reason, for people, why servers of a kind do not have a signal."""
    return kind.unmeasurable.get(signal, f"{kind.title} does not expose it here")


def _signal_names(kind: Kind | None, user_map: dict[str, str]) -> tuple[str, ...]:
    named = set(mapped_signals(user_map))
    if kind is not None:
        named |= {spec.signal for spec in kind.signals}
        named |= {signal for probe in kind.probes for signal in probe.signals}
    return tuple(name for name in SIGNALS if name in named and name not in PROBE_SIGNALS)


_PLANS: WeakValueDictionary[tuple[_IdentityKey[Kind], _IdentityKey[Layout], _PlanOptions], Plan] = (
    WeakValueDictionary()
)
"""The plans in use; weak, so that a page whose series keep changing leaves none behind."""


class _PlanBuilder:
    """Builds the plan of one layout for a kind and the options of an endpoint."""

    def __init__(self, kind: Kind, layout: Layout, options: _PlanOptions) -> None:
        self._kind = kind
        self._keep = options.keep
        self._map = valid_entries(kind, dict(options.user_map))
        excluded = (*kind.probe_paths, *options.exclude_paths)
        self._index = SeriesIndex(
            layout,
            options.model,
            kind.model_labels,
            excluded,
            kind.probe_labels,
            kind.same_labels,
            options.match,
            kind.older_names,
        )
        self._own_signals = _signal_names(kind, dict(options.user_map))
        self._signals = (
            _with_resource_signals(self._own_signals)
            if options.has_resources
            else self._own_signals
        )
        own = options.canary is None or not self._index.is_excluded(options.canary)
        self._formulas = FormulaBuilder(self._index, column_slots(self._signals), own)
        self._mapped = mapped_specs(kind, self._map, self._index.type_of)

    def build(self) -> Plan:
        missing = [name for name in self._own_signals if not self._add_formula(name)]
        fallbacks = tuple(self._fallbacks())
        blocks, counters = self._formulas.blocks()
        states, replicas = tuple(self._states()), self._replicas()
        started = self._index.find(self._kind.started) if self._kind.started else ()
        version, pending = self._version()
        not_measurable = tuple(self._unmeasurable(missing))
        shown = {place for state in states for place in state.positions}
        stored = self._stored_positions(
            {*counters, *self._formulas.gauges, *started, *replicas, *shown}
        )
        return Plan(
            kind=self._kind.name,
            layout=self._index.layout,
            signals=self._signals,
            signal_layout=signal_layout(self._signals),
            not_measurable=not_measurable,
            stored=stored,
            stored_layout=self._stored_layout(stored),
            counters=counters,
            operands=tuple(self._formulas.operands),
            event_operands=frozenset(
                self._formulas.operands[number] for number in self._formulas.event_operands
            ),
            blocks=blocks,
            increase_formulas=tuple(self._formulas.increase_formulas()),
            gauge_formulas=tuple(self._formulas.gauge_formulas),
            rate_share_formulas=tuple(self._formulas.rate_share_formulas),
            gauge_signals=tuple(self._formulas.gauge_signals),
            increase_signals=tuple(self._formulas.increase_signals),
            fallbacks=fallbacks,
            process_labels=self._process_labels(counters),
            remarks={
                **self._formulas.remarks,
                **self._remarks([name for name in missing if name not in not_measurable]),
            },
            server_wide=tuple(self._formulas.server_wide),
            names_model=self._index.model in self._index.models,
            started=started,
            replicas=replicas,
            states=states,
            version=version,
            version_pending=pending,
        )

    def _specs(self, signal: str) -> list[SignalSpec]:
        """The specs of a signal; those of the endpoint's map replace the kind's."""
        mapped = [spec for spec in self._mapped if spec.signal == signal]
        return mapped or [spec for spec in self._kind.signals if spec.signal == signal]

    def _add_formula(self, signal: str) -> bool:
        return any(self._formulas.add(spec) for spec in self._specs(signal))

    def _unmeasurable(self, missing: list[str]) -> Iterator[str]:
        """The signals that this server cannot have, without those that may still appear."""
        probed = {signal for probe in self._kind.probes for signal in probe.signals}
        language = any(name in self._own_signals for name in _TOKENS)
        states = {meaning.state for probe in self._kind.probes for meaning in probe.means}
        if ModelState.READY not in states | {spec.state for spec in self._kind.states}:
            yield "ready"
        for name in SIGNALS:
            if name in missing and name not in probed:
                if all(self._is_optional(spec) for spec in self._specs(name)):
                    yield name
            elif name not in (*self._own_signals, *PROBE_SIGNALS) and (
                name in self._kind.unmeasurable
                or name not in _SPECIAL
                or (language and name in _TOKENS)
            ):
                yield name

    def _fallbacks(self) -> Iterator[Fallback]:
        """What counts for the rate of requests when its counter stands at 0.

        These are the further specs of the kind, then the observations of the latency.
        """
        specs = self._specs("request_rate")
        others = [*specs[1:], *self._specs("latency_p95"), *self._specs("latency_mean")]
        found = (self._formulas.fallback(specs[0], other) for other in others if specs)
        yield from (one for one in found if one is not None)

    def _process_labels(self, counters: tuple[int, ...]) -> tuple[str, ...]:
        """The labels that name one process, and have one value on all counters of the page."""
        series = [self._index.layout.series[place] for place in counters]
        values = [{one.label(name) for one in series} for name in _PROCESS_LABELS]
        return tuple(value for found in values if len(found) == 1 for value in found if value)

    def _remarks(self, missing: list[str]) -> dict[str, str]:
        """Why the page does not give signals that it could give."""
        if not missing:
            return {}
        index, why = self._index, ""
        if index.model is not None and index.models and index.model not in index.models:
            names = ", ".join(sorted(index.models)[:_MOST_NAMES])
            more = len(index.models) - _MOST_NAMES
            others = f" and {more} more" if more > 0 else ""
            why = f"the page tells of {names}{others}, not of {index.model}"
            if not self._kind.names_idle_models:
                why = f"the page tells of {names}{others}; of {index.model} {WAITS_FOR_REQUEST}"
        elif len(index.layout) and not self._has_own_series():
            why = f"the page has no series of {self._kind.title}"
        return dict.fromkeys(missing, clean(why or NOT_ON_PAGE, 300))

    def _has_own_series(self) -> bool:
        """Whether the page has a series that a signal or a detection rule of the kind names."""
        index, specs = self._index, self._kind.signals
        texts = [text for spec in specs for text in (*spec.rate, *spec.increase, *spec.gauge)]
        texts += [text for spec in specs for text in (*spec.histogram, *spec.summary, *spec.mean)]
        return any(
            index.type_of(name) for text in texts for name in _family_names(self._kind, text)
        )

    def _is_optional(self, spec: SignalSpec) -> bool:
        return spec.optional

    def _states(self) -> Iterator[PageState]:
        for spec in self._kind.states:
            found = self._index.find(spec.series)
            if found:
                yield PageState(found, frozenset(spec.values), spec.state, spec.why, spec.every)
        mapped = self._mapped_replicas()
        if mapped:
            none = frozenset({0.0})
            yield PageState(mapped, none, ModelState.SCALED_TO_ZERO, "0 replicas", every=True)

    def _replicas(self) -> tuple[int, ...]:
        own = (place for text in self._kind.replicas for place in self._index.find(text))
        return self._mapped_replicas() or tuple(own)

    def _mapped_replicas(self) -> tuple[int, ...]:
        if REPLICAS not in self._map:
            return ()
        if self._kind.json_map:
            return self._index.find(REPLICAS)
        return self._index.find(read_mapped_series(self._map[REPLICAS]).source)

    def _version(self) -> tuple[str | None, bool]:
        """The version on the page, and whether it may still appear with the first prediction."""
        if self._kind.version is None or self._kind.version_label is None:
            return None, False
        places = self._index.find(self._kind.version)
        label = self._kind.version_label
        values = {self._index.layout.series[place].label(label) or "" for place in places}
        known = {text for text in values if text.strip().lower() not in _NO_VERSION}
        return ", ".join(sorted(clean(text, 80) for text in known)[:4]) or None, not places

    def _stored_positions(self, needed: set[int]) -> tuple[int, ...] | None:
        if self._keep == Keep.ALL:
            return None
        patterns = () if self._keep == Keep.NEEDED else self._keep
        patterns = (patterns,) if isinstance(patterns, str) else patterns
        chosen = {
            place
            for name, places in self._index.by_name.items()
            if any(fnmatchcase(name, pattern) for pattern in patterns)
            for place in places
        }
        stored = tuple(sorted(needed | chosen))
        return None if len(stored) == len(self._index.layout) else stored

    def _stored_layout(self, stored: tuple[int, ...] | None) -> Layout:
        if stored is None:
            return self._index.layout
        return Layout(tuple(self._index.layout.series[place] for place in stored))


_SCRAPE_SOURCES = {
    "up": "the scrape itself",
    "ready": "what the server answers when it is asked whether it is ready",
    "availability": "up and ready, scrape by scrape",
    "restarts": "start times on the page, and counters that began again from 0",
    "signals_missing": "the series of the page, compared with those of its earlier pages",
    "tls_days_left": "the certificate that the server showed",
    "scrape_duration": "the scrape itself",
}


def signal_sources(kind: Kind, user_map: Mapping[str, str]) -> dict[str, str]:
    """The source of each signal, as text for people; the endpoint's map wins over the kind.

    Of several sources in a kind, the first that is on the page is read.
    """
    mapped = {
        signal: f"map.{name} = {text}"
        for name, text in user_map.items()
        for signal in mapped_signals({name: text})
    }
    probed = {
        signal: f"{path} of GET {probe.path}"
        for probe in kind.probes
        for signal, path in probe.signals.items()
    }
    known = {name: text for name in SIGNALS if (text := _kind_source(kind, name))}
    return {**_SCRAPE_SOURCES, **probed, **known, **mapped}


def _kind_source(kind: Kind, signal: str) -> str:
    return ", or ".join(_spec_source(spec) for spec in kind.signals if spec.signal == signal)


def _spec_source(spec: SignalSpec) -> str:
    if spec.histogram or spec.summary:
        what = "histogram" if spec.histogram else "summary"
        share = f"{100 * (spec.quantile or 0):g} % quantile"
        return f"{share} of {what} {_join_selectors(spec.histogram or spec.summary)}"
    if spec.mean:
        return f"mean of {_join_selectors(spec.mean)} (its sum over its count)"
    if spec.rate:
        return f"rate of {_join_selectors(spec.rate)}"
    top = _join_selectors(spec.increase or spec.gauge)
    less = f" - {_join_selectors(spec.minus)}" if spec.minus else ""
    over = f" / {_join_selectors(spec.over)}" if spec.over else ""
    how = "increase of " if spec.increase else f"{spec.aggregate} of "
    return f"{how}{top}{less}{over}"


def _join_selectors(selectors: tuple[str, ...]) -> str:
    joined = " + ".join(selectors)
    return f"({joined})" if len(selectors) > 1 else joined
