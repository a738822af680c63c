"""The check of one endpoint: one scrape, and what follows from its page and answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.collector.scrape.attempt import MetricsPage
from watchdeck.config.generate.hints import map_hint, page_hint
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import ModelState, Outcome, Scrape
from watchdeck.domain.metrics.selector import SeriesIndex
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.metrics.signal import PROBE_SIGNALS, SIGNALS
from watchdeck.domain.rules.rule import Rule, Threshold, labels_of
from watchdeck.domain.settings.endpoint import Endpoint, public_facts
from watchdeck.domain.signals.custom_mapping import unit_questions
from watchdeck.domain.signals.lifetime import PageFigure, page_figures
from watchdeck.domain.signals.map_proposal import json_numbers
from watchdeck.domain.signals.mapped_values import MappedValue, mapped_values
from watchdeck.domain.signals.objectives import (
    Objective,
    SignalLimits,
    histogram_bounds,
    objective,
    objectives,
)
from watchdeck.domain.signals.plan import NO_POSSIBLE_VALUE
from watchdeck.domain.signals.plan_builder import build_plan, kind_signals, reason_not_measurable
from watchdeck.domain.values.format import digits
from watchdeck.domain.values.matcher import matches
from watchdeck.domain.values.text import clean

_MOST_MODELS = 10
"""Names of models in a note."""

_OF_A_KIND = tuple(name for name in SIGNALS if name not in PROBE_SIGNALS)
"""Signals that endpoints have by their kind of server."""

_NO_KIND = "the kind of server is not known"
_NO_SERIES = "its series are not on the page"
_NO_KIND_HINT = (
    "it answers, but not as a server that watchdeck knows: write metrics_url when its metrics page"
    " is at another address, or kind when you know it"
)
_KEY_HINT = (
    'it wants a key for {paths}: write headers = {{ Authorization = {{ env = "KEY",'
    ' prefix = "Bearer " }} }}, and put the key into the variable KEY'
)
_REFUSED = (" 401", " 403")
"""How the text of a request ends whose answer asks for another key or right."""

_ANSWERED = (Outcome.HTTP_STATUS, Outcome.NOT_METRICS)
"""Outcomes of a server that gave an answer, which told no kind."""

_NO_PAGE = "its metrics page was not read"


class EndpointCheck(Struct, frozen=True, dict=True):
    """One endpoint and its one scrape; `url` is without user and password."""

    endpoint: Endpoint
    url: str
    scrape: Scrape
    kind: Kind | None
    page: MetricsPage | None = None
    asked: tuple[str, ...] = ()
    """The requests with their answers, in order, as `/metrics 200`."""
    document: object = None
    """The JSON page that was answered; None when the page is not JSON."""
    rules: tuple[Rule, ...] = ()
    """The rules of the configuration, those of the pack left out."""

    @property
    def is_ok(self) -> bool:
        """Whether the scrape got every response it needs."""
        return self.scrape.outcome is Outcome.OK

    @cached_property
    def figures(self) -> dict[str, PageFigure]:
        """The figures of the page, by signal, and those that responses to probes told."""
        if self.kind is None or not self._is_read:
            return {}
        layout, values = (self.page.layout, self.page.values) if self.page else (Layout(), ())
        plan = build_plan(self.kind, self.endpoint, layout)
        probed = {name: value for name, value in self._scraped.items() if name not in plan.present}
        found = page_figures(plan, self.scrape.at, values, probed)
        return {figure.signal: figure for figure in found}

    @property
    def measurable(self) -> tuple[str, ...]:
        """The signals that this endpoint gives now, or will with traffic."""
        if not self._is_read:
            return ()
        absent = {*self.unknown, *self.not_measurable}
        absent |= set() if self._has_tls() else {"tls_days_left"}
        known = {*self.figures, *PROBE_SIGNALS} - absent
        return tuple(name for name in SIGNALS if name in known)

    @cached_property
    def unknown(self) -> dict[str, str]:
        """The signals that this kind of server has and this page does not give, with reasons."""
        if self.kind is None:
            return {}
        found = {} if self.page else dict.fromkeys(self._signals_of_page(), _NO_PAGE)
        now = (one for one in self.figures.values() if not one.since_start)
        found |= {one.signal: NO_POSSIBLE_VALUE for one in now if math.isnan(one.value)}
        given = self.figures.keys() - found.keys()
        found |= {name: why for name, why in self.scrape.remarks.items() if name not in given}
        if self.scrape.model_state is ModelState.UNKNOWN and self._is_read:
            found["ready"] = self.scrape.model_detail or "nothing tells whether the model is ready"
        return {
            name: found[name]
            for name in SIGNALS
            if name in found and name not in self.not_measurable
        }

    @property
    def not_measurable(self) -> dict[str, str]:
        """The signals that this endpoint cannot give, with reasons; empty for unknown kinds."""
        if self.kind is None:
            return {}
        names = self.scrape.not_measurable
        if self.page is None and not names:
            signals = kind_signals(self.kind, self.endpoint)
            names = tuple(name for name in self.kind.unmeasurable if name not in signals)
        return {name: reason_not_measurable(self.kind, name) for name in names}

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives of the SLO, each with why it cannot be judged."""
        return objectives(self.endpoint.slo, self._limits)

    @cached_property
    def rule_problems(self) -> dict[str, Objective]:
        """The rules that apply to this endpoint and cannot be judged on it, by name."""
        labels = labels_of(public_facts(self.endpoint), self.scrape.kind)
        judged = {
            rule.name: self._rule_objective(rule)
            for rule in self.rules
            if rule.enabled and matches(rule.match, labels)
        }
        return {name: one for name, one in judged.items() if one is not None and one.problem}

    @cached_property
    def mapped(self) -> tuple[MappedValue, ...]:
        """The value that each entry of the endpoint's map reads from the page."""
        if self.kind is None or self.page is None:
            return ()
        return mapped_values(self.kind, self.endpoint.map, self.page.layout, self.page.values)

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The models that the page names."""
        if self.kind is None or self.page is None:
            return ()
        index = SeriesIndex(self.page.layout, None, self.kind.model_labels)
        return tuple(sorted(clean(name, 200) for name in index.models))

    @cached_property
    def questions(self) -> tuple[str, ...]:
        """Questions to the owner: about units that a name tells and the map does not.

        Also about values that are hardly in the unit in which they are read.
        """
        asked = unit_questions(self.kind, self.endpoint.map)
        found = [f"map.{key}: {question}?" for key, question in asked.items()]
        found += [
            f"map.{one.key}: {one.question}?"
            for one in self.mapped
            if one.question and one.key not in asked
        ]
        return tuple(found)

    @cached_property
    def hints(self) -> tuple[str, ...]:
        """What would make more of the endpoint known."""
        return tuple(filter(None, (self._model_hint(), self._page_hint(), *self._map_hints())))

    @property
    def _is_read(self) -> bool:
        return self.is_ok or self.page is not None

    @cached_property
    def _scraped(self) -> dict[str, float]:
        """The values of the scrape that are known, by column."""
        columns = (series.name for series in self.scrape.signals.layout.series)
        pairs = zip(columns, self.scrape.signals.values, strict=True)
        return {name: value for name, value in pairs if not math.isnan(value) and name in SIGNALS}

    def _signals_of_page(self) -> Iterator[str]:
        """The signals that only a page could give, and none of which came without it."""
        if self.kind is not None and (self.kind.places or self.endpoint.metrics_url):
            signals = kind_signals(self.kind, self.endpoint)
            yield from (name for name in signals if name not in self._scraped)

    @cached_property
    def _limits(self) -> SignalLimits:
        """What keeps limits on the signals of this endpoint from being judged."""
        return SignalLimits(
            self.not_measurable,
            {**self._absent(), **self.unknown},
            self.scrape.server_wide,
            self._bounds(),
        )

    def _rule_objective(self, rule: Rule) -> Objective | None:
        """The limit of a rule on one signal; None for other rules, and for signals to come."""
        test = rule.test
        if not isinstance(test, Threshold) or test.limit.promises is not None:
            return None
        if test.signal not in SIGNALS:
            return None
        # a lower limit can be judged below the last bucket, wherever it lies
        limits = self._limits if test.above else replace(self._limits, bounds={})
        return objective(test.signal, test.limit.value, limits, "limit")

    def _absent(self) -> dict[str, str]:
        """The signals that came neither from the page nor from the probes."""
        why = _NO_KIND if self.kind is None else _NO_SERIES if self.page else _NO_PAGE
        return {name: why for name in _OF_A_KIND if name not in self.figures}

    def _bounds(self) -> dict[str, tuple[float, ...]]:
        if self.kind is None or self.page is None:
            return {}
        return histogram_bounds(self.kind, self.endpoint, self.page.layout)

    def _has_tls(self) -> bool:
        urls = (self.endpoint.url, self.endpoint.metrics_url or "")
        return any(url.startswith("https:") for url in urls)

    def _model_hint(self) -> str:
        """The models of the page, when the endpoint's is not one of them, or it names none."""
        model, names = self.endpoint.model, ", ".join(self.models[:_MOST_MODELS])
        more = len(self.models) - _MOST_MODELS
        names += f" and {more} more" if more > 0 else ""
        if model is None and len(self.models) > 1:
            return f"the page tells of {names}: without model, its figures are those of all of them"
        if model is not None and self.models and clean(model, 200) not in self.models:
            wrong = clean(model, 200)
            return f"the page tells of {names}, not of {wrong}: write the name of the page as model"
        return ""

    def _page_hint(self) -> str:
        """Where the metrics page may be, when it was not found."""
        refused = [asked.split()[0] for asked in self.asked if asked.endswith(_REFUSED)]
        if refused and self.page is None:
            return _KEY_HINT.format(paths=", ".join(refused))
        if self.kind is None and self.scrape.outcome in _ANSWERED:
            return _NO_KIND_HINT
        if self.kind is None or self.page is not None or self.endpoint.metrics_url:
            return ""
        return page_hint(self.kind, self.url)

    def _map_hints(self) -> Iterator[str]:
        """A map that the series, or the numbers, of the page suggest."""
        if self.kind is not None and self.page is not None:
            yield map_hint(self.kind, self.endpoint.map, self.page.layout)
        is_missed = any(math.isnan(one.value) for one in self.mapped)
        if self.document is not None and (self.kind is None or is_missed):
            numbers = json_numbers(self.document).items()
            if listed := ", ".join(f"{path} ({digits(value)})" for path, value in numbers):
                yield f'the page is JSON; with kind = "json" a map may read {listed}'
