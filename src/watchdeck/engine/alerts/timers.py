"""Time-driven tasks of open alerts: expiries, reminders, escalations and overdue pages."""

from collections.abc import Callable, Iterator
from functools import partial

from msgspec.structs import replace

from watchdeck.domain.alerts.acknowledgement import (
    expired_acknowledgement,
    is_reminder_due,
    reset_paging,
    with_mutes,
)
from watchdeck.domain.alerts.alert import AckEnd, Acknowledgement, ActiveAlert, Alert, Episode
from watchdeck.domain.notifications.message import (
    Message,
    MessageKind,
    acknowledgement_message,
    overdue_page,
    repeated_page,
    returned_message,
    silence_ended_message,
    summary,
)
from watchdeck.domain.notifications.routing import DueStep, due_escalation, escalation_of
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.format import format_duration
from watchdeck.engine.alerts.repository import AlertRepository

SaveEpisode = Callable[[Alert, Episode, int], bool]
"""Saves an episode after a notification, at a time (ms UTC).

Returns False when another process changed the episode first.
"""

Task = Callable[[], None]
"""A due task; it writes in its caller's transaction."""

MAX_SENT_KEYS = 10_000
"""Limit of dedup keys in memory, which save a transaction; the outbox drops repeats anyway."""


class Timers:
    """Finds what is due for open alerts, and was not done yet.

    That is: the end of an acknowledgement, a reminder of one, an escalation, a repetition of a
    severity 1 that nobody takes, or a message that a mute held back.
    """

    def __init__(self, repository: AlertRepository, save: SaveEpisode) -> None:
        self._repository = repository
        self._save = save
        self._sent_keys: dict[str, None] = {}

    def due_tasks(self, now: int) -> list[Task]:
        """The tasks due at `now` (ms UTC), to be called in a transaction; mostly none."""
        return [
            task
            for pair in tuple(self._repository.open_alerts.values())
            for task in self._tasks_of(*pair, now)
        ]

    def _tasks_of(self, episode: Episode, alert: Alert, now: int) -> Iterator[Task]:
        ack = self._repository.acknowledgements.get(episode.id)
        if ack is not None:
            yield from self._acknowledged_tasks(episode, alert, ack, now)
        elif episode.is_firing and self._may_notify(episode):
            active = self._repository.active_alert(alert, episode, now)
            after = with_mutes(episode, is_muted=bool(active.mutes), now=now)
            if after is not episode:
                yield partial(self._save_muted, active, after, now)
                return
            yield from self._unacknowledged_tasks(active, now)
        if episode.reopened and episode.is_firing:
            yield from self._return_tasks(self._repository.active_alert(alert, episode, now), now)

    def _save_muted(self, active: ActiveAlert, after: Episode, now: int) -> None:
        """Save the begin or the end of a mute; the end of a silence is told where it was."""
        last = self._repository.last_messages(active.episode)
        ended = silence_ended_message(active, last, self._repository.rule_of(active.alert))
        if self._save(active.alert, after, now) and not active.mutes:
            self._repository.enqueue(ended, active, now, last=last)

    def _return_tasks(self, active: ActiveAlert, now: int) -> Iterator[Task]:
        """The message that a mute held back, of an alert that fires again."""
        last = self._repository.last_messages(active.episode)
        rule = self._repository.rule_of(active.alert)
        yield from self._once(returned_message(active, now, last, rule), active, now)

    def _may_notify(self, episode: Episode) -> bool:
        """Whether any message may be due for an episode; a cheap check that excludes most."""
        owes = episode.severity.is_paging and episode.paged_at is None
        repeats = episode.severity is Severity.CRITICAL or episode.muted_at is not None
        return (
            owes
            or repeats
            or bool(self._repository.has_silences)
            or bool(self._repository.config.routing.escalations)
        )

    def _acknowledged_tasks(
        self, episode: Episode, alert: Alert, ack: Acknowledgement, now: int
    ) -> Iterator[Task]:
        ended = expired_acknowledgement(ack, episode, now)
        active = self._repository.active_alert(alert, episode, now)
        rule = self._repository.rule_of(alert)
        if ended is not None:
            messages = acknowledgement_message(MessageKind.ACK_EXPIRED, active, ack, rule)
            reason = ended.end_reason or AckEnd.EXPIRED
            yield partial(self._expire, ack, reason, messages, active, now)
        elif is_reminder_due(ack, now):
            yield from self._once(
                acknowledgement_message(MessageKind.REMINDER, active, ack, rule), active, now
            )

    def _expire(
        self,
        ack: Acknowledgement,
        reason: AckEnd,
        messages: tuple[Message, ...],
        active: ActiveAlert,
        now: int,
    ) -> None:
        if self._repository.end_acknowledgement(ack, reason, now) and reason is AckEnd.EXPIRED:
            self._repository.enqueue(messages, replace(active, acknowledgement=None), now)
            self._save(active.alert, reset_paging(active.episode, now), now)

    def _unacknowledged_tasks(self, active: ActiveAlert, now: int) -> Iterator[Task]:
        rule = self._repository.rule_of(active.alert)
        routing = self._repository.config.routing
        page = overdue_page(active, rule)
        if page:
            yield partial(self._page, page, active, now)
        step = due_escalation(active, routing, now)
        if step is not None:
            yield partial(self._escalate, step, active, now)
        elif escalation_of(active, routing) is None:
            yield from self._once(repeated_page(active, now, rule), active, now)

    def _page(self, page: tuple[Message, ...], active: ActiveAlert, now: int) -> None:
        if self._save(active.alert, replace(active.episode, paged_at=now), now):
            self._repository.enqueue(page, active, now)

    def _escalate(self, step: DueStep, active: ActiveAlert, now: int) -> None:
        episode, rule = active.episode, self._repository.rule_of(active.alert)
        waited = format_duration(now - (episode.paged_at or now))
        message = Message(
            MessageKind.ESCALATED,
            episode.id,
            episode.severity,
            f"watchdeck/{episode.id}/escalated/{step.escalated}",
            f"nobody took it for {waited}: {summary(active.alert, episode, rule)}",
        )
        if self._save(active.alert, replace(episode, escalated=step.escalated), now):
            self._repository.enqueue((message,), active, now, to=step.to)

    def _once(self, messages: tuple[Message, ...], active: ActiveAlert, now: int) -> Iterator[Task]:
        """Yield a task for the messages that were not sent before; nothing when all were."""
        fresh = tuple(message for message in messages if message.dedup_key not in self._sent_keys)
        if fresh:
            yield partial(self._enqueue, fresh, active, now)

    def _enqueue(self, messages: tuple[Message, ...], active: ActiveAlert, now: int) -> None:
        self._repository.enqueue(messages, active, now)
        self._sent_keys |= dict.fromkeys(message.dedup_key for message in messages)
        for key in list(self._sent_keys)[:-MAX_SENT_KEYS]:
            del self._sent_keys[key]
