"""The health of every model: judged when something about it is another than the last time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import LatestScrape
from watchdeck.domain.board.health import HealthChange, HealthResult
from watchdeck.domain.board.health_evaluation import evaluate_health, is_stale
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.store.files.connection import Connection
from watchdeck.store.metrics.latest import LatestRow
from watchdeck.store.state.health import read_health, record_health

_MANY = 2
"""From so many failures in a row on, more make no other health."""

AlertsOf = Callable[[EndpointFacts], Sequence[ActiveAlert]]
"""The alerts of a model that its health rests on."""


class HealthTracker:
    """What was last recorded of every model, and by what it was judged."""

    def __init__(self, state: Connection) -> None:
        self._state = state
        self._recorded = read_health(state)
        self._grounds: dict[str, tuple[object, ...]] = {}

    def changes(
        self,
        rows: Iterable[tuple[EndpointFacts, LatestRow]],
        alerts: AlertsOf,
        now: int,
        blind: str,
    ) -> Iterator[HealthChange]:
        """The healths that are others at `now` (ms UTC) than those recorded."""
        for facts, row in rows:
            found = alerts(facts)
            grounds = (
                *(row.outcome, min(row.failures, _MANY), row.model_state, bool(blind)),
                *(
                    is_stale(row.at, facts.every, now),
                    tuple(_weight(one) for one in found) if found else (),
                ),
            )
            if self._grounds.get(facts.name) != grounds:
                self._grounds[facts.name] = grounds
                change = self._judged(facts, row, found, now, blind)
                if change is not None:
                    yield change

    def record(self, changes: Sequence[HealthChange]) -> None:
        """Keep changes, inside the transaction of the caller."""
        record_health(self._state, changes)
        self._recorded |= {change.endpoint: change for change in changes}

    def _judged(
        self,
        facts: EndpointFacts,
        row: LatestRow,
        alerts: Sequence[ActiveAlert],
        now: int,
        blind: str,
    ) -> HealthChange | None:
        before = self._recorded.get(facts.name)
        previous = HealthResult(before.health, before.cause, before.why) if before else None
        verdict = evaluate_health(_latest(facts, row), previous, now, blind, alerts)
        same = before is not None and before.health is verdict.health
        if before is not None and same and before.cause == verdict.cause:
            return None
        since = before.began if before and same else None
        return HealthChange(facts.name, now, verdict.health, verdict.cause, verdict.why, since)


def _latest(facts: EndpointFacts, row: LatestRow) -> LatestScrape:
    """A scrape without its signals: no health rests on them but through alerts."""
    outcome, state = Outcome(row.outcome), ModelState(row.model_state)
    return LatestScrape(
        *(facts, row.at, outcome, row.failures, {}, row.detail, row.kind, state, row.model_detail)
    )


def _weight(raised: ActiveAlert) -> tuple[str, int, str]:
    episode = raised.episode
    return raised.alert.fingerprint, episode.severity, episode.condition
