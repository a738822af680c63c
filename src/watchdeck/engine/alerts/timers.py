"""What time alone makes of open alerts: who had them long enough, and who is to be told next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from msgspec.structs import replace

from watchdeck.domain.alerts.acknowledgement import expired_acknowledgement, reminds, reset_paging
from watchdeck.domain.alerts.alert import AckEnd, Acknowledgement, ActiveAlert, Alert, Episode
from watchdeck.domain.notifications.escalation import DueStep
from watchdeck.domain.notifications.message import (
    Message,
    MessageKind,
    acknowledgement_message,
    digest,
    overdue_page,
    reopened_page,
)
from watchdeck.domain.notifications.routing import due_escalation
from watchdeck.domain.notifications.summary import summary
from watchdeck.domain.values.format import format_duration
from watchdeck.engine.alerts.repository import BURNING, AlertRepository

SaveEpisode = Callable[[Alert, Episode], bool]
"""Saves an episode to which nothing happened but that somebody was told; whether it could be."""

Task = Callable[[], None]
"""Something that is due; it writes in the transaction of its caller."""

MOST_TOLD = 10_000
"""Messages that are remembered as told; the outbox itself takes none twice."""


class Timers:
    """Expiries, reminders, escalations, digests, and pages owed since an alert was muted."""

    def __init__(self, ledger: AlertRepository, keep: SaveEpisode) -> None:
        self._ledger = ledger
        self._keep = keep
        self._told: dict[str, None] = {}

    def due(self, now: int) -> list[Task]:
        """What is to be done at `now` (ms UTC); mostly nothing, which costs no transaction."""
        return [
            task for pair in tuple(self._ledger.opened.values()) for task in self._of(*pair, now)
        ]

    def _of(self, episode: Episode, alert: Alert, now: int) -> Iterator[Task]:
        ack = self._ledger.acknowledgements.get(episode.id)
        if ack is not None:
            yield from self._owned(episode, alert, ack, now)
        elif episode.condition in BURNING and self._may_call(episode):
            raised = self._ledger.raised(alert, episode, now)
            yield from self._unowned(raised, now)

    def _may_call(self, episode: Episode) -> bool:
        """Whether anything could be told of it: of most alerts all was told."""
        owes = episode.severity.pages and episode.paged_at is None
        moved = episode.flapping or episode.reopened > 0
        return owes or moved or bool(self._ledger.terms.routing.escalations)

    def _owned(
        self, episode: Episode, alert: Alert, ack: Acknowledgement, now: int
    ) -> Iterator[Task]:
        ended = expired_acknowledgement(ack, episode, now)
        raised = self._ledger.raised(alert, episode, now)
        rule = self._ledger.rule_of(alert)
        if ended is not None:
            told = acknowledgement_message(MessageKind.ACK_EXPIRED, raised, ack, rule)
            reason = ended.end_reason or AckEnd.EXPIRED
            yield partial(self._release, ack, reason, told, raised, now)
        elif reminds(ack, now):
            yield from self._telling(
                acknowledgement_message(MessageKind.REMINDER, raised, ack, rule), raised, now
            )

    def _release(
        self,
        ack: Acknowledgement,
        reason: AckEnd,
        told: tuple[Message, ...],
        raised: ActiveAlert,
        now: int,
    ) -> None:
        if self._ledger.release(ack, reason, now) and reason is AckEnd.EXPIRED:
            self._ledger.tell(told, replace(raised, acknowledgement=None), now)
            self._keep(raised.alert, reset_paging(raised.episode, now))

    def _unowned(self, raised: ActiveAlert, now: int) -> Iterator[Task]:
        rule = self._ledger.rule_of(raised.alert)
        page = overdue_page(raised, rule)
        if page:
            yield partial(self._page, page, raised, now)
        yield from self._telling(digest(raised, now, rule), raised, now)
        yield from self._telling(reopened_page(raised, now, rule), raised, now)
        step = due_escalation(raised, self._ledger.terms.routing, now)
        if step is not None:
            yield partial(self._escalate, step, raised, now)

    def _page(self, page: tuple[Message, ...], raised: ActiveAlert, now: int) -> None:
        if self._keep(raised.alert, replace(raised.episode, paged_at=now)):
            self._ledger.tell(page, raised, now)

    def _escalate(self, step: DueStep, raised: ActiveAlert, now: int) -> None:
        episode, rule = raised.episode, self._ledger.rule_of(raised.alert)
        waited = format_duration(now - (episode.paged_at or now))
        message = Message(
            MessageKind.ESCALATED,
            episode.id,
            episode.severity,
            f"watchdeck/{episode.id}/escalated/{step.escalated}",
            f"nobody took it for {waited}: {summary(raised.alert, episode, rule)}",
        )
        if self._keep(raised.alert, replace(episode, escalated=step.escalated)):
            self._ledger.tell((message,), raised, now, to=step.to)

    def _telling(self, told: tuple[Message, ...], raised: ActiveAlert, now: int) -> Iterator[Task]:
        """What is told once, however often it is asked for."""
        fresh = tuple(message for message in told if message.dedup_key not in self._told)
        if fresh:
            yield partial(self._tell, fresh, raised, now)

    def _tell(self, told: tuple[Message, ...], raised: ActiveAlert, now: int) -> None:
        self._ledger.tell(told, raised, now)
        self._told |= dict.fromkeys(message.dedup_key for message in told)
        for key in list(self._told)[:-MOST_TOLD]:
            del self._told[key]
