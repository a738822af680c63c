"""The open alerts in memory; each change is saved with its audit rows and messages."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.domain.alerts.acknowledgement import expired_acknowledgement, renewed_acknowledgement
from watchdeck.domain.alerts.alert import (
    OURS,
    AckEnd,
    Acknowledgement,
    ActiveAlert,
    Alert,
    AlertEvent,
    Episode,
    EpisodeOfAlert,
    KnownIssue,
    Transition,
)
from watchdeck.domain.alerts.maintenance import Maintenance
from watchdeck.domain.alerts.muting import (
    DownAlert,
    MuteContext,
    find_down_models,
    labels_of,
    matching_alerts,
    mute_reasons,
)
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.notifications.grouping import GROUP_WINDOW, GroupWindows, group_windows
from watchdeck.domain.notifications.message import (
    LastMessages,
    Message,
    MessageKind,
    messages_for,
)
from watchdeck.domain.notifications.routing import AlertContext, Routing, route
from watchdeck.domain.rules.rule import Absent, FailedScrapes, Rule
from watchdeck.domain.values.matcher import matches
from watchdeck.domain.values.operator import Operator
from watchdeck.store.alerts.acknowledgements import (
    end_acknowledgement,
    end_silence,
    read_acknowledgements,
    read_episode_acknowledgements,
    read_known_issues,
    read_silences,
    save_acknowledgement,
)
from watchdeck.store.alerts.episodes import (
    add_transitions,
    alert_id,
    episode_subject,
    open_episode,
    read_ended_episodes,
    read_open_episodes,
    save_episode,
    subject_of,
)
from watchdeck.store.alerts.external import read_suppressed
from watchdeck.store.alerts.outbox import enqueue, read_last_messages, read_recent_groups
from watchdeck.store.files.connection import Connection
from watchdeck.store.state.audit import append_audit

RULE = Operator("rule")
"""The operator in the audit rows of changes by a rule."""

COLLECTOR = Operator("collector")
"""The operator in the audit rows of changes by the collector, such as an expiry."""

ENDED_WINDOW = 15 * 60_000
"""Milliseconds after its end in which an episode may reopen."""

_NON_PAGING = (MessageKind.NOTICE, MessageKind.RESOLVED)
"""Messages that page nobody."""

_ENDED_BY_TRANSITION = (AckEnd.RESOLVED, AckEnd.WORSE)


class AlertingConfig(Struct, frozen=True):
    """The configured routing and maintenance, and the upstream models of each model."""

    routing: Routing = field(default_factory=Routing)
    maintenance: tuple[Maintenance, ...] = ()
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class AlertRepository:
    """Holds the open alerts of a store in memory, and saves their changes.

    Every write is in the caller's transaction.
    """

    def __init__(self, db: Connection, rules: Iterable[Rule], config: AlertingConfig) -> None:
        self._db = db
        self._rules = {rule.name: rule for rule in rules}
        self.config = config
        self.open_alerts: dict[int, EpisodeOfAlert] = {}
        self.ended_alerts: tuple[EpisodeOfAlert, ...] = ()
        self.acknowledgements: dict[int, Acknowledgement] = {}
        self._silences: tuple[Silence, ...] = ()
        self._known_issues: tuple[KnownIssue, ...] = ()
        self.down_models: dict[str, DownAlert] = {}
        self.suppressed: dict[int, tuple[str, ...]] = {}
        self._mute_context = MuteContext()
        self._windows: GroupWindows | None = None

    def load(self, now: int) -> None:
        """Load everything from the store: at the start, and when another process wrote to it."""
        self.open_alerts = {
            episode.id: (episode, alert) for episode, alert in read_open_episodes(self._db)
        }
        self.ended_alerts = read_ended_episodes(self._db, now - ENDED_WINDOW)
        self.acknowledgements = read_acknowledgements(self._db)
        self._silences = read_silences(self._db, now)
        self._known_issues = read_known_issues(self._db, now)
        self.suppressed = read_suppressed(self._db)

    def refresh_mutes(self, changed: Iterable[EpisodeOfAlert] = ()) -> None:
        """Update what mutes alerts; `changed` alerts, not saved yet, count in their new state."""
        found = {alert.id: (episode, alert) for episode, alert in self.open_alerts.values()}
        found |= {alert.id: (episode, alert) for episode, alert in changed}
        self.down_models = find_down_models(found.values(), self._is_down_alert)
        config = self.config
        self._mute_context = MuteContext(
            self._silences, config.maintenance, self.down_models, config.depends, self.suppressed
        )
        self._windows = None

    def with_id(self, alert: Alert) -> Alert:
        """The alert with its number in the store; a new alert gets its number now."""
        return alert if alert.id else replace(alert, id=alert_id(self._db, alert))

    def rule_of(self, alert: Alert) -> Rule | None:
        """The rule that raised an alert; None for an external alert, or when the rule is gone."""
        return self._rules.get(alert.rule) if alert.source == OURS else None

    def active_alert(self, alert: Alert, episode: Episode, now: int) -> ActiveAlert:
        """An alert with its acknowledgement, mute reasons and known issues."""
        return ActiveAlert(
            alert,
            episode,
            self.acknowledgements.get(episode.id),
            mute_reasons(alert, episode, self._mute_context, now),
            tuple(
                issue
                for issue in self._known_issues
                if issue.model in ("", alert.model) and issue.rule in ("", alert.rule)
            ),
        )

    def save(
        self, alert: Alert, episode: Episode, steps: tuple[Transition, ...], now: int
    ) -> Episode | None:
        """Save an episode with its transitions, their audit rows and their messages.

        Returns the saved episode. None when another process changed it first: nothing is saved.
        """
        is_new = not episode.id
        saved = self._store(replace(episode, alert=alert.id) if is_new else episode)
        if saved is None:
            return None
        transitions = tuple(_with_ids(one, saved) for one in steps) if is_new else steps
        if transitions:
            subject = episode_subject(saved.id, alert.rule, alert.model)
            add_transitions(self._db, transitions, RULE, subject)
            saved = self._notify(alert, saved, transitions, now)
        self.open_alerts.pop(saved.id, None)
        if saved.is_open:
            self.open_alerts[saved.id] = (saved, alert)
        self._update_acknowledgement(saved, now)
        if self._silences and not saved.is_open:
            self._end_silences(alert, saved, now)
        return saved

    def _store(self, episode: Episode) -> Episode | None:
        """Insert or update the row of an episode; None when another process changed it first."""
        if not episode.id:
            return open_episode(self._db, episode)
        return replace(episode, rev=episode.rev + 1) if save_episode(self._db, episode) else None

    def _notify(
        self, alert: Alert, episode: Episode, steps: tuple[Transition, ...], now: int
    ) -> Episode:
        """Queue the messages of transitions; returns the episode, whose escalation may begin."""
        if any(one.verb is AlertEvent.REOPENED for one in steps):
            self._restore_acknowledgement(episode, now)
        active, rule = self.active_alert(alert, episode, now), self.rule_of(alert)
        last = self.last_messages(episode)
        messages = [message for one in steps for message in messages_for(one, active, rule, last)]
        pages = any(message.kind not in _NON_PAGING for message in messages)
        if pages and episode.paged_at is None:
            episode = self._store(replace(episode, paged_at=now)) or episode
        if messages:
            self.enqueue(messages, replace(active, episode=episode), now, last=last)
        return episode

    def enqueue(
        self,
        messages: Iterable[Message],
        active: ActiveAlert,
        now: int,
        *,
        last: LastMessages | None = None,
        to: tuple[str, ...] | None = None,
    ) -> None:
        """Write messages into the outbox, for their receivers or for the channels in `to`.

        `last` are the messages of the episode before; they are read where it is None. A message
        that is in the outbox already is not written again.
        """
        if last is None and to is None:
            last = self.last_messages(active.episode)
        context = AlertContext(active, self.rule_of(active.alert), last or {})
        for message in messages:
            if self._windows is None:
                self._windows = group_windows(read_recent_groups(self._db, now - GROUP_WINDOW))
            rows = route(message, context, self.config.routing, now, self._windows, to=to)
            enqueue(self._db, rows, now)

    @property
    def has_silences(self) -> bool:
        """Whether any silence may be in force."""
        return bool(self._silences)

    def last_messages(self, episode: Episode) -> LastMessages:
        """The last message about an episode of each channel that had one."""
        return read_last_messages(self._db, episode.id)

    def end_acknowledgement(self, ack: Acknowledgement, reason: AckEnd, now: int) -> bool:
        """End an acknowledgement, with its audit row; False when another process ended it first."""
        self.acknowledgements.pop(ack.episode, None)
        if not end_acknowledgement(self._db, ack, now, reason):
            return False
        verb = "ack.expired" if reason is AckEnd.EXPIRED else "ack.ended"
        after = {"by": ack.by, "reason": reason.value}
        name = subject_of(self._db, ack.episode)
        append_audit(self._db, now, COLLECTOR, verb, name, {"by": ack.by, "id": ack.id}, after)
        return True

    def _is_down_alert(self, alert: Alert) -> bool:
        rule = self.rule_of(alert)
        return rule is not None and isinstance(rule.test, (Absent, FailedScrapes))

    def _update_acknowledgement(self, episode: Episode, now: int) -> None:
        """End the acknowledgement at a resolve or a higher severity.

        Its expiry is left to `Timers`, which notify of it.
        """
        ack = self.acknowledgements.get(episode.id)
        ended = None if ack is None else expired_acknowledgement(ack, episode, now)
        if ack is not None and ended is not None and ended.end_reason in _ENDED_BY_TRANSITION:
            self.end_acknowledgement(ack, ended.end_reason, now)

    def _restore_acknowledgement(self, episode: Episode, now: int) -> None:
        """Restore the acknowledgement that the end of an episode ended, when it reopens."""
        for last in read_episode_acknowledgements(self._db, episode.id)[-1:]:
            renewed = renewed_acknowledgement(last, episode, now)
            saved = None if renewed is None else save_acknowledgement(self._db, renewed)
            if saved is not None:
                self.acknowledgements[episode.id] = saved
                name = subject_of(self._db, episode.id)
                after = {"by": saved.by, "expires_at": saved.expires_at, "id": saved.id}
                append_audit(self._db, now, COLLECTOR, "ack.restored", name, None, after)

    def _end_silences(self, alert: Alert, episode: Episode, now: int) -> None:
        """End the silences that last until this episode resolves and match no other open alert."""
        labels = labels_of(alert, episode.severity)
        others = [ActiveAlert(other, one) for one, other in self.open_alerts.values()]
        for silence in self._silences:
            ends = (
                silence.until_resolved
                and matches(silence.matchers, labels)
                and silence.is_active_at(now)
                and not matching_alerts(silence.matchers, others)
            )
            if ends and end_silence(self._db, silence, now):
                name = f"silence {silence.id}"
                append_audit(self._db, now, COLLECTOR, "silence.ended", name, None, {"at": now})
                self._silences = tuple(one for one in self._silences if one is not silence)


def _with_ids(step: Transition, saved: Episode) -> Transition:
    return replace(step, episode=replace(step.episode, id=saved.id, alert=saved.alert))
