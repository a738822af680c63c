"""The health of every model, evaluated again only when one of its inputs changes."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import HealthChange, HealthResult, LatestScrape
from watchdeck.domain.board.health import DOWN_FAILURES, evaluate_health, is_stale
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.files.connection import Connection
from watchdeck.store.metrics.latest import LatestRow
from watchdeck.store.state.health import read_health, record_health

AlertsOf = Callable[[EndpointFacts], Sequence[ActiveAlert]]
"""The firing alerts of a model."""


class HealthTracker:
    """The last recorded health of every model, and the inputs of its last evaluation."""

    def __init__(self, state: Connection) -> None:
        self._state = state
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
        verdict = evaluate_health(_latest_scrape(facts, row), previous, now, blind, alerts)
        same = before is not None and before.health is verdict.health
        if before is not None and same and before.cause == verdict.cause:
            return None
        since = before.began_at if before and same else None
        return HealthChange(facts.name, now, verdict.health, verdict.cause, verdict.why, since)


def _latest_scrape(facts: EndpointFacts, row: LatestRow) -> LatestScrape:
    """A scrape without its signals: they affect health through alerts only."""
    outcome, state = Outcome(row.outcome), ModelState(row.model_state)
    return LatestScrape(
        *(facts, row.at, outcome, row.failures, {}, row.detail, row.kind, state, row.model_detail)
    )


def _alert_state(raised: ActiveAlert) -> tuple[str, int, str]:
    episode = raised.episode
    return raised.alert.fingerprint, episode.severity, episode.condition
