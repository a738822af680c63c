"""Escalate by hand: tell those who would be told next, without waiting for it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from watchdeck.actions.transaction import (
    ActionResult,
    ActionTransaction,
    action_transaction,
    alert_labels,
)
from watchdeck.domain.alerts.acknowledgement import Refusal
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.notifications.escalation import DueStep, next_step
from watchdeck.domain.notifications.message import Message, MessageKind
from watchdeck.domain.notifications.routing import Routing, escalation_of
from watchdeck.domain.notifications.summary import summary
from watchdeck.domain.values.operator import Operator
from watchdeck.store.alerts.episodes import save_episode, subject_of
from watchdeck.store.files.directory import StoreDirectory


def escalate(
    directory: StoreDirectory,
    episodes: Sequence[int],
    who: Operator,
    now: int,
    *,
    routing: Routing | None = None,
) -> ActionResult:
    """Take the next step of the escalation of open episodes, whenever it would have been due."""
    got: list[ActiveAlert] = []
    told: list[str] = []
    with action_transaction(directory, who, now, routing) as doing:
        for number in dict.fromkeys(episodes):
            raised = doing.raised(number)
            if raised is None:
                continue
            step = _next(raised, doing.routing)
            after = raised.episode
            if isinstance(step, DueStep):
                after = replace(after, escalated=step.escalated)
            if isinstance(step, Refusal) or not save_episode(doing.db, after):
                doing.refuse(raised, step if isinstance(step, Refusal) else "it has just moved on")
                continue
            got.append(raised)
            told += step.to
            doing.taken.append(number)
            _enter(doing, raised, step)
        return doing.done(f"{alert_labels(got)}: {', '.join(dict.fromkeys(told))} will be told")


def _next(raised: ActiveAlert, routing: Routing) -> DueStep | Refusal:
    if not raised.episode.is_open:
        return Refusal("it is over")
    escalation = escalation_of(raised, routing)
    if escalation is None:
        return Refusal("nobody was paged for it on a way with an escalation")
    step = next_step(escalation, raised.episode.escalated)
    return step or Refusal("all steps of its escalation were taken")


def _enter(doing: ActionTransaction, raised: ActiveAlert, step: DueStep) -> None:
    episode = raised.episode
    message = Message(
        MessageKind.ESCALATED,
        episode.id,
        episode.severity,
        f"watchdeck/{episode.id}/escalated/{step.escalated}",
        f"{doing.who.user} escalates: {summary(raised.alert, episode)}",
    )
    keys = doing.tell((message,), raised, to=step.to)
    before = {"episode": episode.id, "escalated": episode.escalated}
    after = {"episode": episode.id, "escalated": step.escalated, "rev": episode.rev + 1}
    doing.enter("alert.escalated", subject_of(doing.db, episode.id), before, after | keys)
