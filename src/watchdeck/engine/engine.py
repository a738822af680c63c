"""The engine: from the newest scrapes to alerts, health changes and change markers."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import partial

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import OURS, ActiveAlert, Alert, Episode
from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.engine.alerts.repository import COLLECTOR, AlertingConfig, AlertRepository
from watchdeck.engine.alerts.timers import Timers
from watchdeck.engine.change_detection import ChangeDetector
from watchdeck.engine.external import (
    SILENCES,
    ExternalEvaluation,
    ExternalSchedule,
    label_index,
)
from watchdeck.engine.health import HealthTracker
from watchdeck.engine.restore import restore_targets
from watchdeck.engine.rules.conditions import ScrapeValues
from watchdeck.engine.rules.evaluator import EpisodeChange, RuleEvaluator, merge_changes
from watchdeck.engine.self_monitoring import SELF_RULES, SelfMonitor
from watchdeck.logs import FailureLog, fields
from watchdeck.store.alerts.acknowledgements import shift_deadlines
from watchdeck.store.alerts.external import shift_external_times
from watchdeck.store.alerts.outbox import OUTBOX_RETENTION, prune, read_backlog
from watchdeck.store.files.connection import Connection, data_version, transaction
from watchdeck.store.metrics.frames import LayoutTable
from watchdeck.store.metrics.latest import LatestRow, read_facts_by_id, read_latest_rows
from watchdeck.store.state.audit import append_audit
from watchdeck.store.state.budgets import (
    SavedBudget,
    delete_budgets,
    read_budgets,
    save_budgets,
)
from watchdeck.store.state.rules import save_maintenance, save_rules

_log = logging.getLogger(__name__)

EndpointRow = tuple[EndpointFacts, LatestRow]

_DAY = 86_400_000

BUDGET_SAVE_INTERVAL = 30_000
"""Milliseconds between two saves of budgets, each of one part of the fleet."""

BUDGET_PARTS = 10
"""Parts of a fleet whose budgets are saved one after the other."""


class Engine:
    """Evaluates the rules on all models at each tick, and writes every change to the store.

    A collector has one engine, on one thread. It starts with the state that the store holds, so
    that a restart writes nothing twice.
    """

    def __init__(
        self,
        metrics: Connection,
        state: Connection,
        rules: Sequence[Rule] = (),
        config: AlertingConfig | None = None,
    ) -> None:
        self._metrics = metrics
        self._state = state
        self._layouts = LayoutTable(metrics)
        self._rules = (*rules, *SELF_RULES)
        self._self_monitor = SelfMonitor()
        self._evaluator = RuleEvaluator(rules)
        self._evaluator.targets[""] = self._self_monitor.target
        self._repository = AlertRepository(state, self._rules, config or AlertingConfig())
        self._timers = Timers(self._repository, self._save_notified)
        self._health = HealthTracker(state, self._layouts)
        self._change_detector = ChangeDetector(state)
        self._external_schedule = ExternalSchedule(state)
        self._silence_log = FailureLog(_log, SILENCES)
        self._facts = read_facts_by_id(metrics)
        self._retired: set[int] = set()
        self._evaluated_at: dict[int, int] = {}
        self._external_alerts: dict[str, list[ActiveAlert]] = {}
        self._version: int | None = None
        self._was_blind = False
        self._pruned_at = 0
        self._budgets_saved_at = 0
        self._budgets_part = 0

    def evaluate(self, now: int, blind: str = "") -> int:
        """Evaluate all rules on all models at `now` (ms UTC); returns how many changes it wrote.

        Readers see all changes by our own rules in a tick, or none: they are one transaction.
        `blind` is the reason why the collector reaches no endpoint, empty when it reaches some.
        While it is blind, no rule on models is evaluated: alerts keep firing, and none begins.
        """
        self._read_state(now)
        rows = self._latest_rows()
        changes = [*self._evaluate_self(now, blind), *self._evaluate_rules(rows, now, blind)]
        self._repository.refresh_mutes()
        tasks = self._timers.due_tasks(now)
        health = list(self._health.changes(rows, self._alerts_of, now, blind))
        has_changed = self._change_detector.has_changed
        changed = [
            (facts.name, row) for facts, row in rows if has_changed(facts.name, facts.every, row)
        ]
        written = len(changes) + len(tasks) + len(health) + len(changed)
        if written:
            with transaction(self._state):
                self._health.record(health)
                for name, row in changed:
                    self._change_detector.record(name, row)
                self._save_all(changes, now)
                for task in tasks:
                    task()
        self._prune_outbox(now)
        written += self._evaluate_external(now)
        restore_targets(
            *(self._metrics, self._evaluator.targets.values()),
            saved=partial(read_budgets, self._state),
        )
        self._save_some_budgets(now)
        return written

    def _save_some_budgets(self, now: int) -> None:
        """Save the budgets of a tenth of the fleet, every half minute: each is saved in five."""
        if now - self._budgets_saved_at < BUDGET_SAVE_INTERVAL:
            return
        self._budgets_saved_at = now
        self._budgets_part = (self._budgets_part + 1) % BUDGET_PARTS
        self.save_budgets(self._budgets_part)

    def save_budgets(self, part: int | None = None) -> None:
        """Save the budgets of one part of the fleet, or of all of it, for the next restart.

        A budget whose history is not counted yet is left out.
        """
        targets = list(self._evaluator.targets.values())
        chosen = targets if part is None else targets[part::BUDGET_PARTS]
        found = [
            SavedBudget(target.facts.name, signal, budget.newest, budget.dump())
            for target in chosen
            if target.windows_restored
            for signal, budget in target.budgets.items()
            if budget.complete and budget.newest > 0
        ]
        if found:
            with transaction(self._state):
                save_budgets(self._state, found)

    def _prune_outbox(self, now: int) -> None:
        """Delete old rows of the outbox, once a day."""
        if now - self._pruned_at >= _DAY:
            self._pruned_at = now
            with transaction(self._state):
                prune(self._state, now - OUTBOX_RETENTION)

    def publish(self, now: int) -> None:
        """Store the rules and the maintenance in force, so that other processes can read them."""
        with transaction(self._state):
            save_rules(self._state, self._rules, now)
            save_maintenance(self._state, self._repository.config.maintenance, now)

    def apply_clock_jump(self, jump: int, now: int) -> None:
        """Shift all times in memory and in the store: the wall clock jumped by `jump` ms to `now`.

        Every deadline stays as far away as before, and no source or target counts as silent.
        """
        self._read_state(now)
        self._evaluator.shift_times(jump, now)
        self._self_monitor.resume(now)
        with transaction(self._state):
            delete_budgets(self._state)
            shifted = shift_deadlines(self._state, jump, now)
            shift_external_times(self._state, jump, now)
            before, after = {"was": now - jump}, {"now": now, "by": jump, "deadlines": shifted}
            append_audit(self._state, now, COLLECTOR, "clock.jump", "clock", before, after)
        self._repository.load(now)

    def resume(self, now: int) -> None:
        """Continue after a pause of the collector: mark open episodes stale, as after a restart."""
        self._read_state(now)
        self._evaluator.resume(now)
        self._self_monitor.resume(now)

    def _read_state(self, now: int) -> None:
        """Load the alerts of the store, unless no other process wrote to it since the last read."""
        version = data_version(self._state)
        if version == self._version:
            return
        restarted, self._version = self._version is None, version
        self._repository.load(now)
        open_alerts, ended = self._repository.open_alerts.values(), self._repository.ended_alerts
        self._evaluator.load_open(open_alerts, ended, now, restarted=restarted)
        self._index_external()
        if restarted:
            self._log_restored(now)

    def _log_restored(self, now: int) -> None:
        episodes = [episode for episode, _ in self._repository.open_alerts.values()]
        counts = Counter(str(episode.condition) for episode in episodes)
        acknowledged = len(self._repository.acknowledgements)
        waiting = read_backlog(self._state, now).waiting
        found = {"open": len(episodes), **counts, "acknowledged": acknowledged}
        _log.info("alerts restored from the store", extra=fields(**found, messages_waiting=waiting))

    def _latest_rows(self) -> list[EndpointRow]:
        """The newest scrape of every configured endpoint."""
        rows, facts = read_latest_rows(self._metrics), self._facts
        unknown = {row.endpoint for row in rows} - facts.keys() - self._retired
        if unknown:
            facts = self._facts = read_facts_by_id(self._metrics)
            self._retired |= unknown - facts.keys()
        return [(facts[row.endpoint], row) for row in rows if row.endpoint in facts]

    def _evaluate_rules(
        self, rows: Sequence[EndpointRow], now: int, blind: str
    ) -> Iterator[EpisodeChange]:
        """Episode changes by all rules on models; none while the collector is blind."""
        if blind:
            self._evaluated_at |= {row.endpoint: row.at for _, row in rows}
        elif self._was_blind:
            self._evaluator.resume(now)
        self._was_blind = bool(blind)
        if blind:
            return
        for facts in self._facts.values():
            if facts.name not in self._evaluator.targets:
                self._evaluator.update_target(facts, None, now)
        for facts, row in rows:
            if self._evaluated_at.get(row.endpoint) != row.at:
                self._evaluated_at[row.endpoint] = row.at
                yield from self._evaluate_scrape(facts, row, now)
        yield from self._evaluator.evaluate_silent(now)
        yield from self._evaluator.end_withdrawn(now)
        yield from self._evaluator.unsaved_changes(now)

    def _evaluate_scrape(
        self, facts: EndpointFacts, row: LatestRow, now: int
    ) -> Sequence[EpisodeChange]:
        """Episode changes by a new scrape; none when the scrape is older than the silence limit."""
        target = self._evaluator.update_target(facts, row.kind, now)
        sample = ScrapeValues(
            row.at,
            row.values,
            self._layouts.positions(row.layout),
            row.outcome,
            row.failures,
            row.model_state,
            row.detail,
            row.model_detail,
            row.kind,
            frozenset(row.server_wide.split()) if row.server_wide else frozenset(),
        )
        target.add_sample(sample)
        is_old = now - row.at > target.silence_limit
        return () if is_old else self._evaluator.evaluate(target, sample, now)

    def _evaluate_self(self, now: int, blind: str) -> Iterator[EpisodeChange]:
        sample = self._self_monitor.check(self._metrics, self._state, now, blind)
        if sample is not None:
            yield from self._evaluator.evaluate(self._self_monitor.target, sample, now)

    def _save_all(self, changes: Sequence[EpisodeChange], now: int) -> None:
        with_ids = [
            replace(one, alert=self._repository.with_id(one.alert))
            for one in merge_changes(changes)
        ]
        self._repository.refresh_mutes((one.episode, one.alert) for one in with_ids)
        for one in with_ids:
            self._save(one, now)

    def _save(self, change: EpisodeChange, now: int) -> bool:
        """Save a change; returns False when another process changed the episode first.

        The next tick then loads all alerts from the store again.
        """
        saved = self._repository.save(change.alert, change.episode, change.steps, now)
        if saved is None:
            self._version = -1
            self._evaluated_at.clear()
            return False
        if change.state is not None:
            change.state.alert, change.state.saved_at = change.alert, now
            change.state.update_episode(saved)
        return True

    def _save_notified(self, alert: Alert, episode: Episode, now: int) -> bool:
        """Save an episode that was paged, muted or escalated; False when another was first."""
        state = self._evaluator.find_state(alert)
        current = state.episode if state and state.episode else episode
        notified = replace(
            current,
            paged_at=episode.paged_at,
            escalated=episode.escalated,
            muted_at=episode.muted_at,
        )
        return self._save(EpisodeChange(alert, notified, state=state), now)

    def _evaluate_external(self, now: int) -> int:
        """Evaluate external alerts when it is time; returns the number of events processed."""
        if not self._external_schedule.is_due(now):
            return 0
        self._repository.refresh_mutes()
        with transaction(self._state):
            processed = ExternalEvaluation(
                self._state,
                now,
                lambda alert, episode, steps: self._repository.save(alert, episode, steps, now),
                down_models=self._repository.down_models,
                labels=label_index(self._facts.values()),
                suppressed=self._repository.suppressed,
                silence_log=self._silence_log,
            ).run()
        if processed:
            self._index_external()
        return processed

    def _index_external(self) -> None:
        found: defaultdict[str, list[ActiveAlert]] = defaultdict(list)
        for episode, alert in self._repository.open_alerts.values():
            if alert.source != OURS and episode.is_firing:
                found[alert.model].append(ActiveAlert(alert, episode))
        self._external_alerts = dict(found)

    def _alerts_of(self, facts: EndpointFacts) -> list[ActiveAlert]:
        """The firing alerts of a model, our own and external ones."""
        target = self._evaluator.targets.get(facts.name)
        external = self._external_alerts.get(facts.name, [])
        if target is None or not target.open_states:
            return external
        own = [
            ActiveAlert(one.alert, one.episode)
            for one in target.open_states.values()
            if one.episode is not None and one.episode.is_firing
        ]
        return own + external
