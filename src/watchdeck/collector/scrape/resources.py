"""Resources beside servers: the pages of machines and devices give signals to models."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.collector.scrape.attempt import MetricsPage
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import Frame, Scrape
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.metrics.signal import RESOURCE_SIGNALS, SIGNALS
from watchdeck.domain.settings.endpoint import Endpoint, Resource, to_resource
from watchdeck.domain.signals.counter_window import CounterWindow, window_length
from watchdeck.domain.signals.custom_mapping import mapped_signals
from watchdeck.domain.signals.derive import derive_signals
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.plan_builder import build_plan, kind_signals
from watchdeck.domain.signals.probe_window import ProbeWindow
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.text import clean

STALE_INTERVALS = 3
"""Scrape intervals of a resource after which its signals are unknown."""


class ResourceReading(Struct, frozen=True):
    """The signals of a resource at one time, and why others are unknown, by signal."""

    values: Mapping[str, float] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)


class ResourceReader:
    """Derives the signals of one resource from the pages of its endpoint."""

    def __init__(self, resource: Resource, endpoint: Endpoint) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._match = tuple(sorted(resource.match.items()))
        self._window = CounterWindow(window_length(int(endpoint.every)))
        self._probes = ProbeWindow()
        self._layout: Layout | None = None
        self._unmatched = ""
        self._signals: tuple[str, ...] = RESOURCE_SIGNALS
        self._read_at: int | None = None
        self._newest = ResourceReading()

    def add_page(self, kind: Kind, page: MetricsPage, at: int) -> None:
        """Derive the signals of a page that was read at `at` (ms UTC)."""
        self._read_at = page.at or at
        self._signals = machine_signals(kind, self._endpoint)
        if page.layout is not self._layout:
            self._layout, self._unmatched = page.layout, self._unmatched_label(page.layout)
        plan = build_plan(kind, self._endpoint, page.layout, self._match)
        derived = derive_signals(plan, self._window, self._probes, self._read_at, page.values)
        if self._unmatched:
            self._newest = ResourceReading({}, self._remark_all(self._unmatched))
            return
        values = {name: derived.values[plan.slots[name]] for name in self._signals}
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        self._newest = ResourceReading(known, self._remarks(plan, derived.remarks, known))

    def read(self, now: int) -> ResourceReading:
        """The newest signals; all are unknown when the page is too old at `now` (ms UTC)."""
        if self._read_at is None:
            return ResourceReading({}, self._remark_all("its page was not read yet"))
        age = now - self._read_at
        if age > STALE_INTERVALS * self._endpoint.every:
            text = f"its page is {format_duration(age)} old"
            return ResourceReading({}, self._remark_all(text))
        return self._newest

    def _remarks(
        self, plan: Plan, derived: Mapping[str, str], known: Mapping[str, float]
    ) -> dict[str, str]:
        """Why signals of the page are unknown; one that it cannot have needs no remark."""
        wanted = (name for name in self._signals if name not in (*known, *plan.not_measurable))
        return {name: self._remark(derived.get(name, "its page gives no value")) for name in wanted}

    def _remark_all(self, why: str) -> dict[str, str]:
        return dict.fromkeys(self._signals, self._remark(why))

    def _remark(self, why: str) -> str:
        return clean(f"{self.name}: {why}", 300)

    def _unmatched_label(self, layout: Layout) -> str:
        """The first label of `match` that no series has with its value, in words; else empty.

        Without this test all series would count: those that lack a label belong to the machine.
        """
        for label, value in self._match:
            if all(series.label(label) != value for series in layout.series):
                return f'no series of its page has {label}="{value}"'
        return ""


class ModelResources:
    """The resources of one model, whose signals are added to its scrapes."""

    def __init__(self, readers: Sequence[ResourceReader]) -> None:
        self._readers = readers
        self._layout: Layout | None = None
        self._places: dict[str, int] = {}

    def add_to(self, scrape: Scrape) -> Scrape:
        """The scrape with the signals of the resources that the model's own page never gave.

        Of several resources with a signal, the greatest value counts.
        """
        readings = [(reader.name, reader.read(scrape.at)) for reader in self._readers]
        places, values = self._signal_places(scrape.signals.layout), scrape.signals.values[:]
        sources: dict[str, str] = {}
        remarks = dict(scrape.remarks)
        for signal in RESOURCE_SIGNALS:
            if signal in scrape.expected or not math.isnan(values[places[signal]]):
                continue
            given = [(one.values[signal], name) for name, one in readings if signal in one.values]
            if given:
                values[places[signal]], sources[signal] = max(given)
                remarks.pop(signal, None)
            else:
                texts = [one.remarks[signal] for _, one in readings if signal in one.remarks]
                remarks |= {signal: texts[0]} if texts else {}
        without = {name for name in RESOURCE_SIGNALS if math.isnan(values[places[name]])}
        without |= set(scrape.not_measurable)
        return replace(
            scrape,
            signals=Frame(scrape.signals.layout, values),
            remarks=remarks,
            resources=sources,
            not_measurable=tuple(
                name for name in SIGNALS if name in without - {*sources, *remarks, *scrape.expected}
            ),
        )

    def _signal_places(self, layout: Layout) -> dict[str, int]:
        """The position of each column of a signal frame."""
        if layout is not self._layout:
            self._layout = layout
            self._places = {series.name: place for place, series in enumerate(layout.series)}
        return self._places


class FleetResources:
    """The resources of all models; models with the same resource share its reader."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        by_name = {one.name: one for one in endpoints}
        readers: dict[tuple[str, tuple[tuple[str, str], ...]], ResourceReader] = {}
        self._readers: dict[str, list[ResourceReader]] = defaultdict(list)
        self._models: dict[str, ModelResources] = {}
        for model in by_name.values():
            found = []
            for resource in map(to_resource, model.resources):
                key = (resource.endpoint, tuple(sorted(resource.match.items())))
                if resource.endpoint in by_name and key not in readers:
                    readers[key] = ResourceReader(resource, by_name[resource.endpoint])
                    self._readers[resource.endpoint].append(readers[key])
                if key in readers:
                    found.append(readers[key])
            if found:
                self._models[model.name] = ModelResources(found)

    @property
    def names(self) -> frozenset[str]:
        """The names of the endpoints that are resources of a model."""
        return frozenset(self._readers)

    def add_page(self, endpoint: str, kind: Kind, page: MetricsPage, at: int) -> None:
        """Pass the page of an endpoint, read at `at` (ms UTC), to the readers of its resources."""
        for reader in self._readers.get(endpoint, ()):
            reader.add_page(kind, page, at)

    def add_to(self, scrape: Scrape) -> Scrape:
        """The scrape with the signals of its model's resources; the same one without resources."""
        model = self._models.get(scrape.endpoint)
        return scrape if model is None else model.add_to(scrape)


def machine_signals(kind: Kind, endpoint: Endpoint) -> tuple[str, ...]:
    """The signals of a machine or device on the pages of an endpoint.

    On a page that is not of a machine or device, only those that the endpoint maps: the others are
    figures of the page's own server.
    """
    given = kind_signals(kind, replace(endpoint, resources=()))
    mapped = mapped_signals(endpoint.map)
    return tuple(name for name in RESOURCE_SIGNALS if name in (given if kind.helper else mapped))
