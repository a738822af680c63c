"""Evaluation of the rules on all endpoints: at each new scrape, and when scrapes are missing."""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    OURS,
    Alert,
    EndReason,
    Episode,
    EpisodeOfAlert,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import (
    advance,
    apply_no_data_policy,
    end_episode,
    mark_no_data_if_due,
    mark_stale,
    shift_times,
)
from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.wall_clock import shift_earlier_time
from watchdeck.engine.rules.conditions import AbsentCondition, ScrapeValues, evaluate
from watchdeck.engine.rules.target import RuleState, Target, target_for

SAVE_INTERVAL = 30_000
"""Milliseconds between two saves of an open episode that has no transition."""

MAX_SAVES = 100
"""Limit of episodes without a transition that one tick saves; the rest wait for the next."""

_NO_SCRAPE = ScrapeValues(0, array("d"), {}, outcome="")
"""Stands for the sample of an endpoint that was never scraped."""


class EpisodeChange(Struct, frozen=True):
    """A changed episode of one alert, to be saved."""

    alert: Alert
    episode: Episode
    steps: tuple[Transition, ...] = ()
    """The transitions; none when only values such as the peak changed."""
    state: RuleState | None = None
    """The rule state of the episode; None when its rule or endpoint is not configured any more."""


def merge_changes(changes: Iterable[EpisodeChange]) -> list[EpisodeChange]:
    """Merge the changes of a tick into one for each episode, with all its transitions."""
    found: dict[tuple[str, int], EpisodeChange] = {}
    for one in changes:
        key = (one.alert.fingerprint, one.episode.id)
        before = found.get(key)
        found[key] = one if before is None else replace(one, steps=before.steps + one.steps)
    return list(found.values())


class RuleEvaluator:
    """Evaluates the rules on all targets, and holds their open episodes; it uses no store."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._names = {rule.name for rule in rules if rule.enabled}
        self._open: dict[str, EpisodeOfAlert] = {}
        self._ended: dict[str, Episode] = {}
        self.targets: dict[str, Target] = {}

    def load_open(
        self,
        opened: Iterable[EpisodeOfAlert],
        ended: Iterable[EpisodeOfAlert],
        now: int,
        *,
        restarted: bool = False,
    ) -> None:
        """Load the open and the newly ended episodes; `restarted` marks the open ones as stale.

        An episode that no other process changed keeps its state in memory, which may be newer.
        """
        self._open = {
            alert.fingerprint: (mark_stale(episode, now) if restarted else episode, alert)
            for episode, alert in opened
            if alert.source == OURS
        }
        self._ended = {
            alert.fingerprint: episode for episode, alert in ended if alert.source == OURS
        }
        for target in self.targets.values():
            for one in target.rule_states:
                self._assign_episodes(one)

    def update_target(self, facts: EndpointFacts, kind: str | None, now: int) -> Target:
        """Return the target of an endpoint; a new one when its facts or its kind changed."""
        target = self.targets.get(facts.name)
        if target is not None and target.facts is facts and (not kind or kind == target.kind):
            return target
        labels = (alert.labels for _, alert in self._open.values() if alert.model == facts.name)
        kind = kind or next((found["kind"] for found in labels if "kind" in found), None)
        for one in target.open_states.values() if target else ():
            if one.episode is not None:
                self._open[one.alert.fingerprint] = (one.episode, one.alert)
        target = target_for(facts, kind, self._rules, now)
        for budget in target.budgets.values():
            budget.awaits_history = True
        for one in target.rule_states:
            self._assign_episodes(one)
        self.targets[facts.name] = target
        return target

    def _assign_episodes(self, one: RuleState) -> None:
        """Set the open and the last ended episode of a rule state, as loaded from the store."""
        found = self._open.pop(one.alert.fingerprint, None)
        if found is None:
            one.set_episode(None)
        elif one.episode is None or one.episode.rev != found[0].rev:
            one.set_episode(found[0])
        one.last_ended = self._ended.get(one.alert.fingerprint, one.last_ended)
        if found is not None:
            one.alert = replace(one.alert, id=found[1].id)

    def evaluate(self, target: Target, sample: ScrapeValues, now: int) -> Sequence[EpisodeChange]:
        """Evaluate the rules of a target on a new scrape; returns changed episodes, mostly none."""
        found: list[EpisodeChange] = []
        at, before = sample.at, False
        for one in target.rule_states:
            episode, when = one.episode, now if one.depends_on_time else at
            truth = one.truth(sample, when, before if episode is None else episode.truth)
            if episode is None and not truth and (truth is False or not one.fires_on_no_data):
                continue
            found += self._advance(target, one, sample, truth, when)
        return found

    def evaluate_silent(self, now: int) -> Iterator[EpisodeChange]:
        """Yield the changed episodes of targets without a scrape for longer than their limit."""
        for target in self.targets.values():
            sample = target.sample or _NO_SCRAPE
            if now - max(sample.at, target.last_good_at) > target.silence_limit:
                yield from self._evaluate_rules_on_silence(target, sample, now)

    def _evaluate_rules_on_silence(
        self, target: Target, sample: ScrapeValues, now: int
    ) -> Iterator[EpisodeChange]:
        for one in target.rule_states:
            episode = one.episode
            if one.fires_on_no_data:
                truth = (
                    one.condition.truth(sample, now, held=False) if one.depends_on_time else None
                )
                if truth is not False or episode is not None:
                    yield from self._advance(target, one, sample, truth, now)
            elif episode is not None:
                yield from self._update(one, mark_no_data_if_due(one.rule, one.every, episode, now))

    def _advance(
        self,
        target: Target,
        one: RuleState,
        sample: ScrapeValues,
        truth: bool | None,  # noqa: FBT001
        at: int,
    ) -> Iterator[EpisodeChange]:
        found = apply_no_data_policy(
            one.rule, one.every, evaluate(one.condition, truth, sample, at), target.last_good_at
        )
        yield from self._update(
            one, advance(one.rule, one.every, one.episode, found, one.last_ended)
        )

    def _update(
        self, one: RuleState, result: tuple[Episode | None, tuple[Transition, ...]]
    ) -> Iterator[EpisodeChange]:
        after, steps = result
        if after is None or after is one.episode:
            return
        one.update_episode(after)
        if steps:
            one.saved_at = max(one.saved_at, steps[-1].at)
            yield EpisodeChange(one.alert, after, steps, one)

    def unsaved_changes(self, now: int) -> list[EpisodeChange]:
        """The open episodes that were not saved for SAVE_INTERVAL, at most MAX_SAVES of them."""
        due = [
            EpisodeChange(one.alert, one.episode, (), one)
            for target in self.targets.values()
            for one in target.open_states.values()
            if one.episode is not None and now - one.saved_at >= SAVE_INTERVAL
        ]
        return due[:MAX_SAVES]

    def find_state(self, alert: Alert) -> RuleState | None:
        """The rule state that raised an alert; None when its rule or endpoint is gone."""
        target = self.targets.get(alert.model)
        states = target.rule_states if target else ()
        return next((one for one in states if one.alert.fingerprint == alert.fingerprint), None)

    def end_withdrawn(self, now: int) -> Iterator[EpisodeChange]:
        """End the episodes whose rule or model is not configured any more; yields these changes.

        A model of unknown kind is left alone: the rule may apply once its kind is known.
        """
        for fingerprint, (episode, alert) in tuple(self._open.items()):
            target = self.targets.get(alert.model)
            gone = "model" if target is None else "rule"
            if target is None or target.kind or alert.rule not in self._names:
                del self._open[fingerprint]
                ended, steps = end_episode(
                    episode, now, EndReason.WITHDRAWN, f"its {gone} is not watched any more"
                )
                yield EpisodeChange(alert, ended, steps)

    def shift_times(self, jump: int, now: int) -> None:
        """Shift all times in memory, after the wall clock jumped by `jump` ms to `now`."""
        for target in self.targets.values():
            target.last_good_at = shift_earlier_time(target.last_good_at, jump, now)
            target.windows_restored = target.baselines_restored = target is self.targets.get("")
            for one in target.rule_states:
                if isinstance(one.condition, AbsentCondition):
                    seen_at = one.condition.seen_at
                    one.condition.seen_at = shift_earlier_time(seen_at, jump, now)
                one.set_episode(one.episode and shift_times(one.episode, jump, now))
                one.last_ended = one.last_ended and shift_times(one.last_ended, jump, now)

    def resume(self, now: int) -> None:
        """Continue after a pause: mark open episodes stale, restart each no-data timer at `now`."""
        for target in self.targets.values():
            target.last_good_at = now
            for one in target.rule_states:
                if isinstance(one.condition, AbsentCondition):
                    one.condition.seen_at = now
                one.set_episode(one.episode and mark_stale(one.episode, now))
