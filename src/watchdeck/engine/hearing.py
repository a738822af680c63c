"""Foreign alerts judged: what other systems said becomes episodes, and silence resolves none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace

from watchdeck.domain.alert import Alert, Condition, Data, Episode, Transition, Verb
from watchdeck.domain.board import Facts
from watchdeck.domain.claims import EARLY, cancels, foreign, settled
from watchdeck.domain.foreign import ForeignEvent, Status
from watchdeck.domain.labels import labels_of
from watchdeck.domain.lifecycle import Finding, step, unheard
from watchdeck.domain.rule import Absent, Family, Rule, Severity
from watchdeck.domain.standing import (
    ForeignSource,
    Scene,
    Standing,
    Way,
    again,
    doubt,
    tells_of_no_data,
)
from watchdeck.domain.words import span
from watchdeck.store import hearing
from watchdeck.store.connect import Connection, transaction
from watchdeck.store.episodes import alert_id, read_episodes
from watchdeck.store.hearing import Waits
from watchdeck.store.sources import lose, sources

SILENT = Rule(
    name="source_silent",
    when="a source of alerts is silent",
    test=Absent(),
    severity=Severity.HIGH,
    resolve_for=0,
    family=Family.FAILURE,
)
"""The rule behind the one alert that a silent source is."""

_SILENT = "source silent"
"""Its fingerprint: with a blank, so that no sender can have it too."""

Key = tuple[str, str]
"""Source and fingerprint."""

Labels = Mapping[str, str]


Keep = Callable[[Alert, Episode, tuple[Transition, ...]], Episode | None]
"""Keeps an episode, its steps and what is told of them, in the transaction under way.

It returns the episode with its number and revision; None when somebody else changed it first.
"""


def judge_foreign(
    db: Connection,
    now: int,
    keep: Keep,
    *,
    mute: Iterable[str] = (),
    named: Mapping[str, Labels] | None = None,
    suppressed: MutableMapping[int, tuple[str, ...]] | None = None,
) -> int:
    """Judge what other systems said until `now` (ms UTC), in one transaction; how many events.

    `mute` are the models that give no data, `named` the labels of endpoints by what others call
    them: an alert about one of them has those, too.
    `suppressed` is told who keeps an alert quiet at its source, before the alert is kept.
    """
    if not hearing.anything(db):
        return 0
    with transaction(db):
        quiet = {} if suppressed is None else suppressed
        bench = _Bench(db, now, keep, frozenset(mute), named or {}, quiet)
        events = hearing.unjudged(db)
        for event in events:
            bench.hear(event)
        hearing.judged(db, events, now)
        bench.wait()
        for source in bench.sources.values():
            bench.watch(source)
        hearing.forget(db, now)
    return len(events)


def names(fleet: Collection[Facts]) -> dict[str, Labels]:
    """The labels of endpoints by their own name, and by that of a model that only one serves."""
    known: dict[str, Labels] = {facts.name: labels_of(facts) for facts in fleet}
    served = Counter(facts.model for facts in fleet)
    models = {
        facts.model: known[facts.name]
        for facts in fleet
        if facts.model and served[facts.model] == 1
    }
    return models | known


@dataclass(slots=True)
class _Bench:
    """One sitting: what is open, what is known of its sources, and where decisions go."""

    db: Connection
    now: int
    keep: Keep
    mute: frozenset[str]
    named: Mapping[str, Labels]
    suppressed: MutableMapping[int, tuple[str, ...]]
    sources: dict[str, ForeignSource] = field(init=False)
    open: dict[Key, tuple[Episode, Alert]] = field(init=False)
    early: dict[Key, ForeignEvent] = field(init=False)
    held: dict[Key, ForeignEvent] = field(init=False)
    said: dict[str, dict[str, Standing]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sources = {source.name: source for source in sources(self.db)}
        pairs = hearing.read_open_foreign(self.db)
        self.open = {(alert.source, alert.fingerprint): (one, alert) for one, alert in pairs}
        self.early = {_key(one): one for one in hearing.waiting(self.db, Waits.EARLY)}
        self.held = {_key(one): one for one in hearing.waiting(self.db, Waits.HELD)}

    def hear(self, event: ForeignEvent) -> None:
        """Judge one event."""
        source = self.sources.get(event.source)
        if source is not None and source.deadman and event.rule == source.deadman:
            self._deadman(source, event)
        elif event.status is Status.FIRING:
            self._fires(event)
        else:
            self._resolves(event)

    def _deadman(self, source: ForeignSource, event: ForeignEvent) -> None:
        lost_at = None if event.status is Status.FIRING else event.received_at
        lose(self.db, source, lost_at)
        self.sources[source.name] = replace(source, lost_at=lost_at)

    def _fires(self, event: ForeignEvent) -> None:
        resolve = self.early.get(_key(event))
        if resolve is not None and cancels(resolve, event):
            return
        pair = self.open.get(_key(event))
        alert = self._alert(event)
        if pair is not None:
            self._keep(alert, pair[0], *foreign(pair[0], event))
            return
        previous = self._previous(alert)
        self._begin(alert, *foreign(None, event, previous))

    def _resolves(self, event: ForeignEvent) -> None:
        pair = self.open.get(_key(event))
        if pair is None:
            self.early[_key(event)] = event
            hearing.let_wait(self.db, Waits.EARLY, event)
            return
        episode, alert = pair
        why = self._doubt(event, alert)
        after, steps = foreign(episode, event, doubt=why)
        self._keep(alert, episode, after, steps)
        if after is not None and after.is_open and after.condition is Condition.CLEARING:
            self.held[_key(event)] = event
            hearing.let_wait(self.db, Waits.HELD, event)

    def wait(self) -> None:
        """Look again at the resolves that wait, and at what flaps."""
        for event in self.early.values():
            if self.now - event.received_at > EARLY:
                hearing.wait_no_more(self.db, Waits.EARLY, event)
        for key in list(self.held):
            pair = self.open.get(key)
            if pair is None or pair[0].condition is not Condition.CLEARING:
                hearing.wait_no_more(self.db, Waits.HELD, self.held.pop(key))
        for key, (episode, alert) in list(self.open.items()):
            if episode.flapping or episode.condition is Condition.CLEARING:
                why = self._doubt(self.held[key], alert) if key in self.held else ""
                self._keep(alert, episode, *settled(episode, self.now, doubt=why))

    def watch(self, source: ForeignSource) -> None:
        """Hold what a silent source last said, and tell once that it is silent."""
        mine = [
            (episode, alert)
            for (name, identity), (episode, alert) in list(self.open.items())
            if name == source.name and identity != _SILENT
        ]
        raised = [last for _, alert in mine if (last := self._last(alert))]
        silence = source.silence(self.now, raised)
        for episode, alert in mine:
            if silence:
                self._hold(episode, alert, f"{source.name} is silent for {span(silence)}")
            else:
                self._listen(source, episode, alert)
        self._tell(source, silence)

    def _hold(self, episode: Episode, alert: Alert, why: str, verb: Verb = Verb.HELD) -> None:
        last = self._last(alert)
        seen = replace(episode, seen_at=max(episode.seen_at, last.at if last else 0))
        after, steps = unheard(seen, self.now, why, verb)
        if steps:
            self._keep(alert, episode, after, steps)

    def _listen(self, source: ForeignSource, episode: Episode, alert: Alert) -> None:
        """What its source repeats fires on; what it promised to repeat and does not, is held."""
        last = self._last(alert)
        if last is None:
            return
        sure = episode.condition is Condition.FIRING and episode.data is Data.FRESH
        quiet = self.now - last.at
        if not sure and last.at > episode.seen_at:
            self._keep(alert, episode, *foreign(episode, again(alert, episode, last)))
        elif source.way is Way.POST and quiet > last.promised:
            why = f"{last.sender or source.name} said nothing of it for {span(quiet)}"
            self._hold(episode, alert, why, Verb.NO_DATA)

    def _tell(self, source: ForeignSource, silence: int) -> None:
        """One alert for the whole source, with all that it is about."""
        pair = self.open.get((source.name, _SILENT))
        if bool(silence) is (pair is not None):
            return
        alert = Alert(0, source.name, _SILENT, SILENT.name, "", {"source": source.name})
        alert = replace(alert, id=alert_id(self.db, alert))
        previous = self._previous(alert)
        said = f"{source.name} is silent for {span(silence)}" if silence else "it is heard again"
        why = "; ".join(filter(None, (said, source.problem)))
        finding = Finding(bool(silence), None, None, why, self.now)
        after, steps = step(SILENT, 1_000, pair and pair[0], finding, previous)
        self._begin(alert, after, steps)

    def _previous(self, alert: Alert) -> Episode | None:
        return next(iter(read_episodes(self.db, alert.id, self.now, 1)), None)

    def _begin(self, alert: Alert, after: Episode | None, steps: tuple[Transition, ...]) -> None:
        if after is not None:
            self._keep(alert, None, replace(after, alert=alert.id), steps)

    def _alert(self, event: ForeignEvent) -> Alert:
        known = self.named.get(event.model, {})
        model = known.get("model", event.model)
        labels = {**known, **event.labels, "model": model}
        alert = Alert(0, event.source, event.fingerprint, event.rule, model, labels)
        alert = replace(alert, id=alert_id(self.db, alert))
        self.suppressed[alert.id] = event.suppressed_by
        return alert

    def _doubt(self, event: ForeignEvent, alert: Alert) -> str:
        source = self.sources.get(event.source) or ForeignSource(event.source, Way.EVENTS)
        last = self._last(alert)
        scene = Scene(
            now=self.now,
            source=source,
            last=last,
            alive_at=hearing.sender_alive_at(self.db, event.source, event.sender),
            silence=source.silence(self.now, [last] if last else []),
            absent=tuple(self._absent(alert)),
            mute=alert.model in self.mute,
        )
        return doubt(event, scene)

    def _absent(self, alert: Alert) -> Iterable[str]:
        """The alerts by which the same source says that the target of this one gives no data."""
        for episode, other in self.open.values():
            fires = episode.condition is Condition.FIRING and episode.data is not Data.NONE
            named = tells_of_no_data(other.rule) and other.id != alert.id
            if fires and named and _same_target(alert, other):
                yield other.rule

    def _last(self, alert: Alert) -> Standing | None:
        if alert.source not in self.said:
            self.said[alert.source] = hearing.read_standings(self.db, alert.source)
        return self.said[alert.source].get(alert.fingerprint)

    def _keep(
        self,
        alert: Alert,
        before: Episode | None,
        after: Episode | None,
        steps: tuple[Transition, ...],
    ) -> None:
        if after is None or after == before:
            return
        kept = self.keep(alert, after, steps)
        key = (alert.source, alert.fingerprint)
        self.open.pop(key, None)
        if kept is not None and kept.is_open:
            self.open[key] = (kept, alert)


def _key(event: ForeignEvent) -> Key:
    return event.source, event.fingerprint


def _same_target(one: Alert, other: Alert) -> bool:
    if one.model or other.model:
        return one.model == other.model
    return bool(one.labels.get("instance")) and one.labels["instance"] == other.labels.get(
        "instance"
    )
