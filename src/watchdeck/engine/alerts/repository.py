"""What is open, who has it and who is not to hear of it; and how a change of it is kept, whole."""

from __future__ import annotations

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
    AlertState,
    Episode,
    KnownIssue,
    Transition,
)
from watchdeck.domain.alerts.maintenance import Maintenance
from watchdeck.domain.alerts.muting import (
    MuteContext,
    labels_of,
    matched_alerts,
    models_down,
    mute_reasons,
)
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.notifications.grouping import WINDOW, Windows, group_windows
from watchdeck.domain.notifications.message import Message, MessageKind, messages_for
from watchdeck.domain.notifications.routing import AlertContext, Routing, route
from watchdeck.domain.rules.rule import Absent, FailedScrapes, Rule
from watchdeck.domain.values.matcher import matches
from watchdeck.domain.values.operator import Operator
from watchdeck.store.alerts.acknowledgements import (
    end_acknowledgement,
    end_silence,
    read_acknowledgements,
    read_acknowledgements_of,
    read_pins,
    read_silences,
    save_acknowledgement,
)
from watchdeck.store.alerts.episodes import (
    add_transitions,
    alert_id,
    open_episode,
    read_ended,
    read_open,
    save_episode,
    subject,
    subject_of,
)
from watchdeck.store.alerts.external_events import read_suppressed
from watchdeck.store.alerts.outbox import enqueue, recent_folds
from watchdeck.store.files.connection import Connection
from watchdeck.store.state.audit import append

RULE = Operator("rule")
"""Who does what a rule does."""

COLLECTOR = Operator("collector")
"""Who ends what ends by itself."""

BURNING = (AlertState.FIRING, AlertState.CLEARING)
"""What fires, and what is not yet surely over."""

REMEMBERED = 15 * 60_000
"""Milliseconds for which what is over is remembered: it may open again."""

_QUIET = (MessageKind.NOTICE, MessageKind.RESOLVED)
"""Messages that call nobody."""

_BY_STEPS = (AckEnd.RESOLVED, AckEnd.WORSE)

OpenAlert = tuple[Episode, Alert]


class AlertingConfig(Struct, frozen=True):
    """What a configuration says of who is told: routes, planned work, and who needs whom."""

    routing: Routing = field(default_factory=Routing)
    maintenance: tuple[Maintenance, ...] = ()
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class AlertRepository:
    """The alerts of a store as the engine knows them; it writes in the caller's transaction."""

    def __init__(self, db: Connection, rules: Iterable[Rule], terms: AlertingConfig) -> None:
        self._db = db
        self._rules = {rule.name: rule for rule in rules}
        self.terms = terms
        self.opened: dict[int, OpenAlert] = {}
        self.ended: tuple[OpenAlert, ...] = ()
        self.acknowledgements: dict[int, Acknowledgement] = {}
        self._silences: tuple[Silence, ...] = ()
        self._pins: tuple[KnownIssue, ...] = ()
        self.troubled: dict[str, int] = {}
        self.suppressed: dict[int, tuple[str, ...]] = {}
        self._world = MuteContext()
        self._windows: Windows | None = None

    def read(self, now: int) -> None:
        """Know what the store holds: after the start, and whenever somebody else wrote."""
        self.opened = {episode.id: (episode, alert) for episode, alert in read_open(self._db)}
        self.ended = read_ended(self._db, now - REMEMBERED)
        self.acknowledgements = read_acknowledgements(self._db)
        self._silences = read_silences(self._db, now)
        self._pins = read_pins(self._db, now)
        self.suppressed = read_suppressed(self._db)

    def begin(self, changed: Iterable[OpenAlert] = ()) -> None:
        """Look at the world anew, with what is about to be kept: trouble mutes what it explains."""
        found = {alert.id: (episode, alert) for episode, alert in self.opened.values()}
        found |= {alert.id: (episode, alert) for episode, alert in changed}
        self.troubled = models_down(found.values(), self._tells_of_trouble)
        terms = self.terms
        self._world = MuteContext(
            self._silences, terms.maintenance, self.troubled, terms.depends, self.suppressed
        )
        self._windows = None

    def numbered(self, alert: Alert) -> Alert:
        """An alert with its number, given when it is new."""
        return alert if alert.id else replace(alert, id=alert_id(self._db, alert))

    def rule_of(self, alert: Alert) -> Rule | None:
        """The rule of ours that raised an alert; None when it came from elsewhere, or is gone."""
        return self._rules.get(alert.rule) if alert.source == OURS else None

    def raised(self, alert: Alert, episode: Episode, now: int) -> ActiveAlert:
        """An alert with who has it and why nobody hears of it."""
        return ActiveAlert(
            alert,
            episode,
            self.acknowledgements.get(episode.id),
            mute_reasons(alert, episode, self._world, now),
            tuple(
                pin
                for pin in self._pins
                if pin.model in ("", alert.model) and pin.rule in ("", alert.rule)
            ),
        )

    def keep(
        self, alert: Alert, episode: Episode, steps: tuple[Transition, ...], now: int
    ) -> Episode | None:
        """Keep an episode with its steps, their audit and what is told of them.

        Returns it as it was kept; None when somebody else changed it first, and nothing is kept.
        """
        new = not episode.id
        if new:
            episode = open_episode(self._db, replace(episode, alert=alert.id))
        raised = self.raised(alert, episode, now)
        rule = self.rule_of(alert)
        told = [message for one in steps for message in messages_for(one, raised, rule)]
        calls = any(message.kind not in _QUIET for message in told)
        paged = replace(episode, paged_at=now) if calls and not episode.paged_at else episode
        if not new or paged is not episode:
            if not save_episode(self._db, paged):
                return None
            paged = replace(paged, rev=paged.rev + 1)
        known = (_numbered(one, paged) for one in steps) if new else steps
        add_transitions(self._db, known, RULE, subject(paged.id, alert.rule, alert.model))
        if told:
            self.tell(told, replace(raised, episode=paged), now)
        self._remember(alert, paged)
        self._handled(paged, steps, now)
        if self._silences and not paged.is_open:
            self._unsilence(alert, paged, now)
        return paged

    def tell(
        self,
        told: Iterable[Message],
        raised: ActiveAlert,
        now: int,
        to: tuple[str, ...] | None = None,
    ) -> None:
        """Write what is told into the outbox; the same message twice is one."""
        about = AlertContext(raised, self.rule_of(raised.alert))
        for message in told:
            if self._windows is None:
                self._windows = group_windows(recent_folds(self._db, now - WINDOW))
            rows = route(message, about, self.terms.routing, now, self._windows, to=to)
            enqueue(self._db, rows, now)

    def release(self, ack: Acknowledgement, reason: AckEnd, now: int) -> bool:
        """End what somebody has, with its row of the audit; whether nobody else did."""
        self.acknowledgements.pop(ack.episode, None)
        if not end_acknowledgement(self._db, ack, now, reason):
            return False
        verb = "ack.expired" if reason is AckEnd.EXPIRED else "ack.ended"
        after = {"by": ack.by, "reason": reason.value}
        name = subject_of(self._db, ack.episode)
        append(self._db, now, COLLECTOR, verb, name, {"by": ack.by, "id": ack.id}, after)
        return True

    def _tells_of_trouble(self, alert: Alert) -> bool:
        rule = self.rule_of(alert)
        return rule is not None and isinstance(rule.test, (Absent, FailedScrapes))

    def _remember(self, alert: Alert, episode: Episode) -> None:
        self.opened.pop(episode.id, None)
        if episode.is_open:
            self.opened[episode.id] = (episode, alert)

    def _handled(self, episode: Episode, steps: tuple[Transition, ...], now: int) -> None:
        """What the steps make of who has it: its end and a rise end that, a reopening may not.

        That its time is over is told, and not decided here.
        """
        ack = self.acknowledgements.get(episode.id)
        ended = None if ack is None else expired_acknowledgement(ack, episode, now)
        if ack is not None and ended is not None and ended.end_reason in _BY_STEPS:
            self.release(ack, ended.end_reason, now)
        if any(one.verb is AlertEvent.REOPENED for one in steps):
            self._renew(episode, now)

    def _renew(self, episode: Episode, now: int) -> None:
        for last in read_acknowledgements_of(self._db, episode.id)[-1:]:
            again = renewed_acknowledgement(last, episode, now)
            kept = None if again is None else save_acknowledgement(self._db, again)
            if kept is not None:
                self.acknowledgements[episode.id] = kept
                name = subject_of(self._db, episode.id)
                after = {"by": kept.by, "expires_at": kept.expires_at, "id": kept.id}
                append(self._db, now, COLLECTOR, "ack.set", name, None, after)

    def _unsilence(self, alert: Alert, episode: Episode, now: int) -> None:
        """End the silences that were to last until this was over, if they hide nothing else."""
        labels = labels_of(alert, episode.severity)
        others = [ActiveAlert(other, one) for one, other in self.opened.values()]
        for silence in self._silences:
            meant = silence.until_resolved and matches(silence.matchers, labels)
            if not meant or not silence.holds_at(now) or matched_alerts(silence.matchers, others):
                continue
            if end_silence(self._db, silence, now):
                name = f"silence {silence.id}"
                append(self._db, now, COLLECTOR, "silence.ended", name, None, {"at": now})
                self._silences = tuple(one for one in self._silences if one is not silence)


def _numbered(step: Transition, kept: Episode) -> Transition:
    return replace(step, episode=replace(step.episode, id=kept.id, alert=kept.alert))
