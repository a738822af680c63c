"""Which alerts change in a tick: every rule asked of every new scrape, and of silence."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import OURS, Alert, EndReason, Episode, Transition
from watchdeck.domain.alerts.lifecycle import (
    advance,
    apply_no_data_policy,
    end_episode,
    mark_no_data_if_due,
    mark_stale,
    shift_times,
)
from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.engine.rules.conditions import AbsentCondition, ScrapeValues, evaluate
from watchdeck.engine.rules.target import RuleState, Target, target_for

Opened = tuple[Episode, Alert]

SAVED_EVERY = 30_000
"""Milliseconds between two savings of an episode that only moves on."""

MOST_SAVED = 100
"""Episodes that are saved in a tick though nothing happened to them: the rest wait for the next."""

_NOTHING = ScrapeValues(0, array("d"), {}, outcome="")
"""What an endpoint without any scrape is judged by."""


class EpisodeChange(Struct, frozen=True):
    """What a tick made of one alert; without steps only its figures moved on.

    `rule` is None of an alert that no rule of ours raised, or whose rule is gone.
    """

    alert: Alert
    episode: Episode
    steps: tuple[Transition, ...] = ()
    rule: Rule | None = None
    judged: RuleState | None = None


def merge_changes(changes: Iterable[EpisodeChange]) -> list[EpisodeChange]:
    """One change of each episode: what happened to it twice in a tick is kept together."""
    found: dict[tuple[str, int], EpisodeChange] = {}
    for one in changes:
        key = (one.alert.fingerprint, one.episode.id)
        before = found.get(key)
        found[key] = one if before is None else replace(one, steps=before.steps + one.steps)
    return list(found.values())


class RuleEvaluator:
    """The rules on the whole fleet, and what is open of them; it reads and writes nothing."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._names = {rule.name for rule in rules if rule.enabled}
        self._open: dict[str, Opened] = {}
        self._ended: dict[str, Episode] = {}
        self.fleet: dict[str, Target] = {}

    def adopt(
        self, opened: Iterable[Opened], ended: Iterable[Opened], now: int, *, anew: bool = False
    ) -> None:
        """Take over what the store holds; `anew` after a restart, when all of it is stale.

        What nobody else changed goes on with what is known of it here.
        """
        self._open = {
            alert.fingerprint: (mark_stale(episode, now) if anew else episode, alert)
            for episode, alert in opened
            if alert.source == OURS
        }
        self._ended = {
            alert.fingerprint: episode for episode, alert in ended if alert.source == OURS
        }
        for watched in self.fleet.values():
            for one in watched.judged:
                self._claim(one)

    def watch(self, facts: EndpointFacts, kind: str | None, now: int) -> Target:
        """An endpoint with its rules, as it is from now on; its kind may become known later."""
        watched = self.fleet.get(facts.name)
        if watched is not None and watched.facts is facts and (not kind or kind == watched.kind):
            return watched
        labels = (alert.labels for _, alert in self._open.values() if alert.model == facts.name)
        kind = kind or next((found["kind"] for found in labels if "kind" in found), None)
        for one in watched.live.values() if watched else ():
            if one.episode is not None:
                self._open[one.alert.fingerprint] = (one.episode, one.alert)
        watched = target_for(facts, kind, self._rules, now)
        for one in watched.judged:
            self._claim(one)
        self.fleet[facts.name] = watched
        return watched

    def _claim(self, one: RuleState) -> None:
        """Give a rule on an endpoint the episode that is open of it, and the one before."""
        found = self._open.pop(one.alert.fingerprint, None)
        if found is None:
            one.hold(None)
        elif one.episode is None or one.episode.rev != found[0].rev:
            one.hold(found[0])
        one.ended = self._ended.get(one.alert.fingerprint, one.ended)
        if found is not None:
            one.alert = replace(one.alert, id=found[1].id)

    def judge(self, watched: Target, sample: ScrapeValues, now: int) -> Sequence[EpisodeChange]:
        """What a new scrape changes: mostly nothing, which makes nothing."""
        found: list[EpisodeChange] = []
        at, before = sample.at, False
        for one in watched.judged:
            episode, when = one.episode, now if one.timed else at
            truth = one.truth(sample, when, before if episode is None else episode.truth)
            if episode is None and not truth and (truth is False or not one.fires_on_silence):
                continue
            found += self._stepped(watched, one, sample, truth, when)
        return found

    def late(self, now: int) -> Iterator[EpisodeChange]:
        """What it changes that no scrape came for too long."""
        for watched in self.fleet.values():
            sample = watched.sample or _NOTHING
            if now - max(sample.at, watched.good_at) > watched.patience:
                yield from self._silent(watched, sample, now)

    def _silent(self, watched: Target, sample: ScrapeValues, now: int) -> Iterator[EpisodeChange]:
        for one in watched.judged:
            episode = one.episode
            if one.fires_on_silence:
                truth = one.check.truth(sample, now, held=False) if one.timed else None
                if truth is not False or episode is not None:
                    yield from self._stepped(watched, one, sample, truth, now)
            elif episode is not None:
                yield from self._moved(one, mark_no_data_if_due(one.rule, one.every, episode, now))

    def _stepped(
        self,
        watched: Target,
        one: RuleState,
        sample: ScrapeValues,
        truth: bool | None,  # noqa: FBT001
        at: int,
    ) -> Iterator[EpisodeChange]:
        found = apply_no_data_policy(
            one.rule, one.every, evaluate(one.check, truth, sample, at), watched.good_at
        )
        yield from self._moved(one, advance(one.rule, one.every, one.episode, found, one.ended))

    def _moved(
        self, one: RuleState, moved: tuple[Episode | None, tuple[Transition, ...]]
    ) -> Iterator[EpisodeChange]:
        after, steps = moved
        if after is None or after is one.episode:
            return
        one.keep(after)
        if steps:
            one.saved_at = max(one.saved_at, steps[-1].at)
            yield EpisodeChange(one.alert, after, steps, one.rule, one)

    def unsaved(self, now: int) -> list[EpisodeChange]:
        """Open episodes that were not saved for a while, a few at a time."""
        due = [
            EpisodeChange(one.alert, one.episode, (), one.rule, one)
            for watched in self.fleet.values()
            for one in watched.live.values()
            if one.episode is not None and now - one.saved_at >= SAVED_EVERY
        ]
        return due[:MOST_SAVED]

    def find(self, alert: Alert) -> RuleState | None:
        """The rule on an endpoint that an alert is of; None when it is of none any more."""
        watched = self.fleet.get(alert.model)
        every = watched.judged if watched else ()
        return next((one for one in every if one.alert.fingerprint == alert.fingerprint), None)

    def withdrawn(self, now: int) -> Iterator[EpisodeChange]:
        """The ends of episodes whose rule or model is not watched any more.

        A model whose kind is not known yet may still get the rule that raised it.
        """
        for fingerprint, (episode, alert) in tuple(self._open.items()):
            watched = self.fleet.get(alert.model)
            gone = "model" if watched is None else "rule"
            if watched is None or watched.kind or alert.rule not in self._names:
                del self._open[fingerprint]
                ended, steps = end_episode(
                    episode, now, EndReason.WITHDRAWN, f"its {gone} is not watched any more"
                )
                yield EpisodeChange(alert, ended, steps)

    def shift(self, jump: int) -> None:
        """Go on after the wall clock jumped by `jump` (ms): what was waited for is as far off."""
        for watched in self.fleet.values():
            watched.good_at += jump
            watched.restored = watched.recalled = watched is self.fleet.get("")
            for one in watched.judged:
                if isinstance(one.check, AbsentCondition):
                    one.check.seen_at += jump
                one.hold(one.episode and shift_times(one.episode, jump))
                one.ended = one.ended and shift_times(one.ended, jump)

    def wake(self, now: int) -> None:
        """Go on after nobody collected: what is open is stale, and nothing is silent yet."""
        for watched in self.fleet.values():
            watched.good_at = now
            for one in watched.judged:
                if isinstance(one.check, AbsentCondition):
                    one.check.seen_at = now
                one.hold(one.episode and mark_stale(one.episode, now))
