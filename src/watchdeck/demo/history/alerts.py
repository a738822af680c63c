"""Past alerts and health of the demo, evaluated by the engine's own code scrape by scrape."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.demo.scenario import SCRAPE_INTERVALS
from watchdeck.domain.alerts.alert import ActiveAlert, Alert, Episode, Transition
from watchdeck.domain.board.board import HealthChange, HealthResult, LatestScrape
from watchdeck.domain.board.health import evaluate_health
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.rules.rule import Anomaly, Burn, Rule, WeekBefore
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.engine.rules.applicability import signals_of
from watchdeck.engine.rules.conditions import ScrapeValues
from watchdeck.engine.rules.evaluator import EpisodeChange, RuleEvaluator
from watchdeck.engine.rules.target import Target
from watchdeck.store.metrics.latest import signal_values


class PastEpisode(Struct, frozen=True):
    """One past episode of an alert in its final state, with all its transitions in order."""

    alert: Alert
    episode: Episode
    transitions: tuple[Transition, ...]


def is_evaluated(rule: Rule, columns: Collection[str]) -> bool:
    """Whether a rule is evaluated over the past of an endpoint with these signals.

    Rules on baselines and error budgets are left out: they would double the time of the evaluation,
    and no incident is long enough to burn a budget.
    """
    has_memory = isinstance(rule.test, (Anomaly, Burn, WeekBefore))
    return not has_memory and {*signals_of(rule)} <= {*columns}


class PastEvaluation(Struct):
    """Evaluates rules and health over one endpoint's past; `health` lists changes of health."""

    facts: EndpointFacts
    kind: str
    rules: Sequence[Rule]
    health: list[HealthChange] = field(default_factory=list)
    _episodes: dict[tuple[str, int], PastEpisode] = field(default_factory=dict)

    def run(self, samples: Iterable[ScrapeValues]) -> None:
        """Evaluate the values of all scrapes, oldest first; fills `health` and `episodes`."""
        evaluator = RuleEvaluator(self.rules)
        # with a shorter interval, the oldest scrapes would count as gaps
        facts = replace(self.facts, every=SCRAPE_INTERVALS[-1].every)
        target = evaluator.update_target(facts, self.kind, 0)
        inputs = None
        for sample in samples:
            target.add_sample(sample)
            changes = evaluator.evaluate(target, sample, sample.at)
            for change in changes:
                self._record(change)
            before, inputs = inputs, (sample.state, sample.failures)
            if changes or inputs != before:
                self._evaluate_health(sample, target)

    def episodes(self) -> Iterator[PastEpisode]:
        """The episodes that fired, in the order of their first transition."""
        return (one for one in self._episodes.values() if one.episode.fired_at is not None)

    def _record(self, change: EpisodeChange) -> None:
        key = (change.alert.fingerprint, change.episode.started_at)
        before = self._episodes[key].transitions if key in self._episodes else ()
        self._episodes[key] = PastEpisode(change.alert, change.episode, before + change.steps)

    def _evaluate_health(self, sample: ScrapeValues, target: Target) -> None:
        before = self.health[-1] if self.health else None
        previous = HealthResult(before.health, before.cause, before.why) if before else None
        live = target.open_states.values()
        alerts = [ActiveAlert(one.alert, one.episode) for one in live if one.episode]
        result = evaluate_health(self._latest(sample), previous, sample.at, alerts=alerts)
        if before is None or (before.health, before.cause) != (result.health, result.cause):
            since = before.began_at if before and before.health is result.health else None
            change = (result.health, result.cause, result.why, since)
            self.health.append(HealthChange(self.facts.name, sample.at, *change))

    def _latest(self, sample: ScrapeValues) -> LatestScrape:
        signals = signal_values(sample.places, sample.values)
        return LatestScrape(
            *(self.facts, sample.at, Outcome(sample.outcome), sample.failures, signals),
            *(sample.detail, self.kind, ModelState(sample.state), sample.state_detail),
        )
