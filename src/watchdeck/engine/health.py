"""The health of every model, evaluated again only when one of its inputs changes."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import HealthChange, HealthResult, LatestScrape
from watchdeck.domain.board.health import (
    DOWN_FAILURES,
    evaluate_health,
    good_result,
    is_stale,
)
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.files.connection import Connection
from watchdeck.store.metrics.frames import LayoutTable
from watchdeck.store.metrics.latest import LatestRow, parse_remarks, signal_values
from watchdeck.store.state.health import read_health, record_health

AlertsOf = Callable[[EndpointFacts], Sequence[ActiveAlert]]
"""The firing alerts of a model."""


class HealthTracker:
    """The last recorded health of every model, and the inputs of its last evaluation."""

    def __init__(self, state: Connection, layouts: LayoutTable) -> None:
        self._state = state
        self._layouts = layouts
        self._good: dict[str, tuple[int, tuple[str, str]]] = {}
        self._recorded = read_health(state)
        self._inputs: dict[str, tuple[object, ...]] = {}

    def changes(
        self,
        rows: Iterable[tuple[EndpointFacts, LatestRow]],
        alerts: AlertsOf,
        now: int,
        blind: str,
    ) -> Iterator[HealthChange]:
        """Yield the health, at `now` (ms UTC), of each model whose recorded health differs.

        `blind` is the reason why the collector reaches no endpoint, empty when it reaches some.
        """
        for facts, row in rows:
            found = alerts(facts)
            inputs = (
                *(row.outcome, min(row.failures, DOWN_FAILURES), row.model_state, bool(blind)),
                *(
                    is_stale(row.at, facts.every, now),
                    tuple(_alert_state(one) for one in found) if found else (),
                ),
                self._good_cause(facts, row),
            )
            if self._inputs.get(facts.name) != inputs:
                self._inputs[facts.name] = inputs
                change = self._evaluate(facts, row, found, now, blind)
                if change is not None:
                    yield change

    def record(self, changes: Sequence[HealthChange]) -> None:
        """Store changed healths, in the caller's transaction."""
        record_health(self._state, changes)
        self._recorded |= {change.endpoint: change for change in changes}

    def _evaluate(
        self,
        facts: EndpointFacts,
        row: LatestRow,
        alerts: Sequence[ActiveAlert],
        now: int,
        blind: str,
    ) -> HealthChange | None:
        before = self._recorded.get(facts.name)
        previous = HealthResult(before.health, before.cause, before.why) if before else None
        verdict = evaluate_health(self._latest_scrape(facts, row), previous, now, blind, alerts)
        same = before is not None and before.health is verdict.health
        if before is not None and same and before.cause == verdict.cause:
            return None
        since = before.began_at if before and same else None
        return HealthChange(facts.name, now, verdict.health, verdict.cause, verdict.why, since)

    def _good_cause(self, facts: EndpointFacts, row: LatestRow) -> tuple[str, str]:
        """The health and cause that the model has without alerts, by its newest scrape.

        Computed once for each scrape: it reads the signals that the SLO promises.
        """
        known = self._good.get(facts.name)
        if known is not None and known[0] == row.at:
            return known[1]
        result = good_result(self._latest_scrape(facts, row))
        self._good[facts.name] = row.at, (result.health.value, result.cause)
        return self._good[facts.name][1]

    def _latest_scrape(self, facts: EndpointFacts, row: LatestRow) -> LatestScrape:
        columns, server_wide = self._layouts.columns(row.layout), frozenset(row.server_wide.split())
        return LatestScrape(
            *(facts, row.at, Outcome(row.outcome), row.failures),
            signal_values(columns, row.values, server_wide),
            *(row.detail, row.kind, ModelState(row.model_state), row.model_detail),
            not_measurable=tuple(row.not_measurable.split()),
            remarks=parse_remarks(row.remarks),
        )


def _alert_state(raised: ActiveAlert) -> tuple[str, int, str]:
    episode = raised.episode
    return raised.alert.fingerprint, episode.severity, episode.condition
