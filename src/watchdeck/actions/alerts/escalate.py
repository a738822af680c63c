"""Escalate by hand: notify the next step of an escalation without waiting until it is due."""

from msgspec.structs import replace

from watchdeck.actions.actor import Actor
from watchdeck.actions.requests import EscalateRequest
from watchdeck.actions.transaction import (
    ActionResult,
    ActionTransaction,
    action_transaction,
    alert_labels,
)
from watchdeck.domain.alerts.acknowledgement import Refusal
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.notifications.message import Message, MessageKind, summary
from watchdeck.domain.notifications.routing import DueStep, Routing, escalation_of, next_step
from watchdeck.store.alerts.episodes import save_episode, subject_of


def escalate(actor: Actor, request: EscalateRequest, now: int) -> ActionResult:
    """Notify the channels of the next escalation step of open episodes, before it is due."""
    done: list[ActiveAlert] = []
    told: list[str] = []
    with action_transaction(actor, now) as action:
        for alert in action.read_alerts(request.episodes):
            number = alert.episode.id
            step = _next_step(alert, actor.routing or Routing())
            after = alert.episode
            if isinstance(step, DueStep):
                after = replace(after, escalated=step.escalated)
            if isinstance(step, Refusal) or not save_episode(action.db, after):
                action.refuse(
                    alert, step if isinstance(step, Refusal) else "it changed meanwhile; look again"
                )
                continue
            done.append(alert)
            told += step.to
            action.affected.append(number)
            _notify(action, alert, step)
        return action.finish(f"{alert_labels(done)}: {', '.join(dict.fromkeys(told))} will be told")


def _next_step(alert: ActiveAlert, routing: Routing) -> DueStep | Refusal:
    if not alert.episode.is_open:
        return Refusal("it is over")
    escalation = escalation_of(alert, routing)
    if escalation is None:
        return Refusal("no channel that was notified of it has an escalation")
    step = next_step(escalation, alert.episode.escalated)
    return step or Refusal("its escalation has no further step")


def _notify(action: ActionTransaction, alert: ActiveAlert, step: DueStep) -> None:
    episode = alert.episode
    message = Message(
        MessageKind.ESCALATED,
        episode.id,
        episode.severity,
        f"watchdeck/{episode.id}/escalated/{step.escalated}",
        f"{action.actor.who.user} escalates: {summary(alert.alert, episode)}",
    )
    keys = action.notify((message,), alert, to=step.to)
    before = {"episode": episode.id, "escalated": episode.escalated}
    after = {"episode": episode.id, "escalated": step.escalated, "rev": episode.rev + 1}
    action.audit("alert.escalated", subject_of(action.db, episode.id), before, after | keys)
