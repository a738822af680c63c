"""One tick of judgement: the newest scrapes in; alerts, changes of health and markers out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import OURS, ActiveAlert, Alert, Episode
from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.engine import self_monitoring as itself
from watchdeck.engine.alerts.repository import BURNING, COLLECTOR, AlertingConfig, AlertRepository
from watchdeck.engine.alerts.timers import Timers
from watchdeck.engine.change_detection import ChangeDetector
from watchdeck.engine.external.evaluator import ExternalSchedule, evaluate_external, label_index
from watchdeck.engine.health import HealthTracker
from watchdeck.engine.restore import warm_windows
from watchdeck.engine.rules.conditions import ScrapeValues
from watchdeck.engine.rules.evaluator import EpisodeChange, RuleEvaluator, merge_changes
from watchdeck.engine.self_monitoring import SelfMonitor
from watchdeck.store.alerts.external_events import shift_heard
from watchdeck.store.alerts.outbox import KEPT, prune
from watchdeck.store.files.connection import Connection, data_version, transaction
from watchdeck.store.metrics.latest import LatestRow, read_newest, read_numbered
from watchdeck.store.metrics.layouts import LayoutTable
from watchdeck.store.state.audit import append
from watchdeck.store.state.deadlines import shift_deadlines
from watchdeck.store.state.rules import save_maintenance, save_rules

EndpointRow = tuple[EndpointFacts, LatestRow]

_A_DAY = 86_400_000


class Engine:
    """Judges every model and remembers what it last wrote; one a collector, on one thread.

    What it remembers is read from the store at the start, so that a restart repeats nothing.
    """

    def __init__(
        self,
        metrics: Connection,
        state: Connection,
        rules: Sequence[Rule] = (),
        terms: AlertingConfig | None = None,
    ) -> None:
        self._metrics = metrics
        self._state = state
        self._layouts = LayoutTable(metrics)
        self._rules = (*rules, *itself.RULES)
        self._itself = SelfMonitor()
        self._alerting = RuleEvaluator(rules)
        self._alerting.fleet[""] = self._itself.watched
        self._ledger = AlertRepository(state, self._rules, terms or AlertingConfig())
        self._timers = Timers(self._ledger, self._told)
        self._healths = HealthTracker(state)
        self._marking = ChangeDetector(state)
        self._turn = ExternalSchedule(state)
        self._facts = read_numbered(metrics)
        self._retired: set[int] = set()
        self._seen: dict[int, int] = {}
        self._foreign: dict[str, list[ActiveAlert]] = {}
        self._version: int | None = None
        self._blind = False
        self._forgot = 0

    def evaluate(self, now: int, blind: str = "") -> int:
        """Judge all models at `now` (ms UTC); returns how many changes were written.

        All changes of a tick are one transaction: a tick is seen whole or not at all. While the
        collector is `blind`, no rule is judged: what fires is held, and nothing begins.
        """
        self._read_state(now)
        rows = self._rows()
        changes = [*self._of_itself(now, blind), *self._seeing(rows, now, blind)]
        self._ledger.begin()
        tasks = self._timers.due(now)
        health = list(self._healths.changes(rows, self._alerts_of, now, blind))
        moved = [(facts.name, row) for facts, row in rows if self._marking.moved(facts.name, row)]
        written = len(changes) + len(tasks) + len(health) + len(moved)
        if written:
            with transaction(self._state):
                self._healths.record(health)
                for name, row in moved:
                    self._marking.mark(name, row)
                self._keep_all(changes, now)
                for task in tasks:
                    task()
        self._forget(now)
        written += self._hear(now)
        warm_windows(self._metrics, self._alerting.fleet.values())
        return written

    def _forget(self, now: int) -> None:
        """Once a day let go of what was told long ago."""
        if now - self._forgot >= _A_DAY:
            self._forgot = now
            with transaction(self._state):
                prune(self._state, now - KEPT)

    def publish(self, now: int) -> None:
        """Let readers of the store know the rules and the planned work that are in force."""
        with transaction(self._state):
            save_rules(self._state, self._rules, now)
            save_maintenance(self._state, self._ledger.terms.maintenance, now)

    def jump(self, jump: int, now: int) -> None:
        """Go on after the wall clock was set to `now` (ms UTC) by a jump (ms).

        What waits for its time waits as long as before, and nothing is taken for silent.
        """
        self._read_state(now)
        self._alerting.shift(jump)
        self._itself.wake(now)
        with transaction(self._state):
            moved = shift_deadlines(self._state, jump, now)
            shift_heard(self._state, jump, now)
            after = {"now": now, "by": jump, "deadlines": moved}
            append(self._state, now, COLLECTOR, "clock.jump", "clock", {"was": now - jump}, after)
        self._ledger.read(now)

    def wake(self, now: int) -> None:
        """Go on after nobody collected for a while: as after a restart, all is stale."""
        self._read_state(now)
        self._alerting.wake(now)
        self._itself.wake(now)

    def _read_state(self, now: int) -> None:
        """Read what is open, at the start and whenever somebody else has written."""
        version = data_version(self._state)
        if version == self._version:
            return
        anew, self._version = self._version is None, version
        self._ledger.read(now)
        self._alerting.adopt(self._ledger.opened.values(), self._ledger.ended, now, anew=anew)
        self._know_foreign()

    def _rows(self) -> list[EndpointRow]:
        """The newest scrapes of all who are watched."""
        rows, facts = read_newest(self._metrics), self._facts
        unknown = {row.endpoint for row in rows} - facts.keys() - self._retired
        if unknown:
            facts = self._facts = read_numbered(self._metrics)
            self._retired |= unknown - facts.keys()
        return [(facts[row.endpoint], row) for row in rows if row.endpoint in facts]

    def _seeing(self, rows: Sequence[EndpointRow], now: int, blind: str) -> Iterator[EpisodeChange]:
        """What changes, unless the collector is blind: what it scraped meanwhile tells nothing."""
        if blind:
            self._seen |= {row.endpoint: row.at for _, row in rows}
        elif self._blind:
            self._alerting.wake(now)
        self._blind = bool(blind)
        if not blind:
            yield from self._changes(rows, now)

    def _changes(self, rows: Sequence[EndpointRow], now: int) -> Iterator[EpisodeChange]:
        """What rules make of the new scrapes, of silence, and of what is watched no more."""
        for facts in self._facts.values():
            if facts.name not in self._alerting.fleet:
                self._alerting.watch(facts, None, now)
        for facts, row in rows:
            if self._seen.get(row.endpoint) != row.at:
                self._seen[row.endpoint] = row.at
                yield from self._judged(facts, row, now)
        yield from self._alerting.late(now)
        yield from self._alerting.withdrawn(now)
        yield from self._alerting.unsaved(now)

    def _judged(self, facts: EndpointFacts, row: LatestRow, now: int) -> Sequence[EpisodeChange]:
        """What a new scrape changes; one from before the collector was away begins nothing."""
        watched = self._alerting.watch(facts, row.kind, now)
        sample = ScrapeValues(
            row.at,
            row.values,
            self._layouts.places(row.layout),
            row.outcome,
            row.failures,
            row.model_state,
            row.detail,
            row.model_detail,
        )
        watched.take(sample)
        old = now - row.at > watched.patience
        return () if old else self._alerting.judge(watched, sample, now)

    def _of_itself(self, now: int, blind: str) -> Iterator[EpisodeChange]:
        """What is wrong with the collector, and what is no longer."""
        sample = self._itself.look(self._metrics, self._state, now, blind)
        if sample is not None:
            yield from self._alerting.judge(self._itself.watched, sample, now)

    def _keep_all(self, changes: Sequence[EpisodeChange], now: int) -> None:
        numbered = [
            replace(one, alert=self._ledger.numbered(one.alert)) for one in merge_changes(changes)
        ]
        self._ledger.begin((one.episode, one.alert) for one in numbered)
        for one in numbered:
            self._keep(one, now)

    def _keep(self, change: EpisodeChange, now: int) -> bool:
        """Keep a change; of what somebody else changed meanwhile, all is read again."""
        kept = self._ledger.keep(change.alert, change.episode, change.steps, now)
        if kept is None:
            self._version = -1
            self._seen.clear()
            return False
        if change.judged is not None:
            change.judged.alert, change.judged.saved_at = change.alert, now
            change.judged.keep(kept)
        return True

    def _told(self, alert: Alert, episode: Episode) -> bool:
        """Keep that somebody was told of an episode, beside what is known of it here."""
        judged = self._alerting.find(alert)
        current = judged.episode if judged and judged.episode else episode
        told = replace(current, paged_at=episode.paged_at, escalated=episode.escalated)
        return self._keep(EpisodeChange(alert, told, judged=judged), episode.paged_at or 0)

    def _hear(self, now: int) -> int:
        """Judge what other systems said."""
        if not self._turn.due(now):
            return 0
        self._ledger.begin()
        heard = evaluate_external(
            self._state,
            now,
            lambda alert, episode, steps: self._ledger.keep(alert, episode, steps, now),
            mute=self._ledger.troubled,
            named=label_index(self._facts.values()),
            suppressed=self._ledger.suppressed,
        )
        if heard:
            self._know_foreign()
        return heard

    def _know_foreign(self) -> None:
        found: defaultdict[str, list[ActiveAlert]] = defaultdict(list)
        for episode, alert in self._ledger.opened.values():
            if alert.source != OURS and episode.condition in BURNING:
                found[alert.model].append(ActiveAlert(alert, episode))
        self._foreign = dict(found)

    def _alerts_of(self, facts: EndpointFacts) -> list[ActiveAlert]:
        """What fires of a model, ours and that of others."""
        watched, others = self._alerting.fleet.get(facts.name), self._foreign.get(facts.name, [])
        if watched is None or not watched.live:
            return others
        own = [
            ActiveAlert(one.alert, one.episode)
            for one in watched.live.values()
            if one.episode is not None and one.episode.condition in BURNING
        ]
        return own + others
