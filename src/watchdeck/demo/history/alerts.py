"""The alerts and the health of the past, as the engine's own code finds them scrape by scrape."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.demo.history.timeline import PACES
from watchdeck.domain.alerts.alert import ActiveAlert, Alert, Episode, Transition
from watchdeck.domain.board.board import LatestScrape
from watchdeck.domain.board.health import HealthChange, HealthResult
from watchdeck.domain.board.health_evaluation import evaluate_health
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.rules.rule import Anomaly, Burn, Rule, WeekBefore
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.engine.rules.applicability import signals_of
from watchdeck.engine.rules.conditions import ScrapeValues
from watchdeck.engine.rules.evaluator import EpisodeChange, RuleEvaluator
from watchdeck.engine.rules.target import Target


class PastEpisode(Struct, frozen=True):
    """One episode of an alert as it was at its end, with all its transitions in order."""

    alert: Alert
    episode: Episode
    steps: tuple[Transition, ...]


def is_evaluated(rule: Rule, columns: Collection[str]) -> bool:
    """Whether a rule is evaluated over the past of an endpoint with these signals.

    Baselines and error budgets are left out: they would double the time of the evaluation, and no
    incident is long enough to burn a budget.
    """
    remembers = isinstance(rule.test, (Anomaly, Burn, WeekBefore))
    return not remembers and {*signals_of(rule)} <= {*columns}


class Evaluation(Struct):
    """The rules and the health of one endpoint over its past; `health` has the changes."""

    facts: EndpointFacts
    kind: str
    rules: Sequence[Rule]
    health: list[HealthChange] = field(default_factory=list)
    _episodes: dict[tuple[str, int], PastEpisode] = field(default_factory=dict)

    def run(self, samples: Iterable[ScrapeValues]) -> None:
        """Evaluate all samples, oldest first."""
        alerting = RuleEvaluator(self.rules)
        # with a shorter interval, the scrapes of long ago would count as gaps
        watched = alerting.watch(replace(self.facts, every=PACES[-1].every), self.kind, 0)
        grounds = None
        for sample in samples:
            watched.take(sample)
            changes = alerting.judge(watched, sample, sample.at)
            for change in changes:
                self._record(change)
            before, grounds = grounds, (sample.state, sample.failures)
            if changes or grounds != before:
                self._judge(sample, watched)

    def episodes(self) -> Iterator[PastEpisode]:
        """The episodes that fired, in the order of their first transition."""
        return (one for one in self._episodes.values() if one.episode.fired_at is not None)

    def _record(self, change: EpisodeChange) -> None:
        key = (change.alert.fingerprint, change.episode.started_at)
        steps = self._episodes[key].steps if key in self._episodes else ()
        self._episodes[key] = PastEpisode(change.alert, change.episode, steps + change.steps)

    def _judge(self, sample: ScrapeValues, watched: Target) -> None:
        before = self.health[-1] if self.health else None
        previous = HealthResult(before.health, before.cause, before.why) if before else None
        alerts = [
            ActiveAlert(one.alert, one.episode) for one in watched.live.values() if one.episode
        ]
        verdict = evaluate_health(self._latest(sample), previous, sample.at, alerts=alerts)
        if before is None or (before.health, before.cause) != (verdict.health, verdict.cause):
            since = before.began if before and before.health is verdict.health else None
            found = (verdict.health, verdict.cause, verdict.why, since)
            self.health.append(HealthChange(self.facts.name, sample.at, *found))

    def _latest(self, sample: ScrapeValues) -> LatestScrape:
        """A scrape without its signals: health depends on them through alerts alone."""
        return LatestScrape(
            *(self.facts, sample.at, Outcome(sample.outcome), sample.failures, {}, sample.detail),
            *(self.kind, ModelState(sample.state), sample.state_detail),
        )
