"""Silence alerts by their labels, and pin known issues."""

from contextlib import closing
from typing import Any

from watchdeck.actions.actor import Actor
from watchdeck.actions.requests import PinRequest, SilenceRequest, UnpinRequest, UnsilenceRequest
from watchdeck.actions.transaction import (
    ActionResult,
    ActionTransaction,
    AlertError,
    action_transaction,
)
from watchdeck.domain.alerts.acknowledgement import Refusal, check_duration
from watchdeck.domain.alerts.alert import ActiveAlert, KnownIssue
from watchdeck.domain.alerts.muting import labels_of, matching_alerts
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.alerts.silence import silence as decide
from watchdeck.domain.alerts.silence import unsilence as decide_unsilence
from watchdeck.domain.alerts.silence_scope import AlertLabels, KnownAlerts
from watchdeck.domain.notifications.message import silenced_message
from watchdeck.domain.rules.rule import labels_of as model_labels
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.text import clean
from watchdeck.store.alerts.acknowledgements import (
    end_known_issue,
    end_silence,
    read_silence,
    save_known_issue,
    save_silence,
)
from watchdeck.store.alerts.active import read_active_alerts
from watchdeck.store.files.connection import open_readonly, store_errors
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.latest import read_kinds
from watchdeck.store.state.rules import read_rule_scopes

LONGEST_REASON = 300
"""Maximum number of characters of a reason or a known issue, which are shown on one line."""


def silence(actor: Actor, request: SilenceRequest, now: int) -> ActionResult:
    """Silence alerts whose labels match.

    Raises AlertError when the reason or the length is missing, when the silence is too long, or
    when it would match nearly every alert.
    """
    models = _watched_models(actor.directory)
    with action_transaction(actor, now) as action:
        alerts = [one for one in read_active_alerts(action.db, None, now) if one.episode.is_open]
        known = KnownAlerts(
            models,
            read_rule_scopes(action.db),
            tuple(labels_of(one.alert, one.episode.severity) for one in alerts),
        )
        wanted = _decide(actor, request, now, known)
        kept = save_silence(action.db, wanted)
        action.affected.append(kept.id)
        hidden = matching_alerts(request.matchers, alerts)
        keys = [key for one in hidden for key in _notify(action, one, kept)]
        action.audit("silence.created", subject(kept), None, as_row(kept) | {"told": keys})
        count = f"{len(hidden)} open alert{'' if len(hidden) == 1 else 's'}"
        return action.finish(
            f"silence {kept.id} hides {count} for {format_duration(kept.ends_at - now)}"
        )


def _notify(action: ActionTransaction, alert: ActiveAlert, kept: Silence) -> list[str]:
    """Tell those who know of an alert that it is silenced; returns the keys of the messages."""
    if not action.last_messages(alert):
        return []
    keys: list[str] = action.notify(silenced_message(alert, kept), alert)["told"]
    return keys


def _decide(actor: Actor, request: SilenceRequest, now: int, known: KnownAlerts) -> Silence:
    text = clean(request.reason.strip(), LONGEST_REASON)
    ends_at = None if request.length is None else now + request.length
    wanted = decide(
        *(request.matchers, actor.who.user, text, now, ends_at),
        until_resolved=request.until_resolved,
        known=known,
    )
    if isinstance(wanted, Refusal):
        raise AlertError(f"{wanted.why}.")
    return wanted


def _watched_models(directory: StoreDirectory) -> tuple[AlertLabels, ...]:
    """The labels of every model that is watched; none before the first collector has run."""
    path = directory.metrics
    if not path.exists():
        return ()
    with closing(open_readonly(path)) as db, store_errors(path):
        return tuple(model_labels(facts, kind) for facts, kind in read_kinds(db))


def unsilence(actor: Actor, request: UnsilenceRequest, now: int) -> ActionResult:
    """End a silence early. Raises AlertError when it does not exist or has ended."""
    with action_transaction(actor, now) as action:
        found = read_silence(action.db, request.number)
        if found is None:
            raise AlertError(f"there is no silence {request.number}.")
        ended = decide_unsilence(found, now)
        if isinstance(ended, Refusal) or not end_silence(action.db, found, now):
            why = ended.why if isinstance(ended, Refusal) else "somebody else has just ended it"
            raise AlertError(f"silence {request.number}: {why}.")
        action.affected.append(request.number)
        action.audit("silence.ended", subject(found), as_row(found), as_row(ended))
        return action.finish(f"silence {request.number} is over")


def subject(found: Silence) -> str:
    """The name of a silence in the audit: its number and its matchers."""
    return f"silence {found.id}: {' '.join(map(str, found.matchers))}"


def as_row(found: Silence) -> dict[str, Any]:
    """The fields of a silence in an audit row."""
    return {
        "id": found.id,
        "matchers": [str(matcher) for matcher in found.matchers],
        "reason": found.reason,
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
        "rev": found.rev + (found.ended_at is not None),
    }


def pin(actor: Actor, request: PinRequest, now: int) -> ActionResult:
    """Pin a known issue to the alerts of a model, a rule or both.

    Raises AlertError without a text, without a model or rule, or when the length is not allowed.
    """
    words, (model, rule) = (
        clean(request.text.strip(), LONGEST_REASON),
        (request.model, request.rule),
    )
    expires_at = now + request.length
    refusal = check_duration("a known issue", now, expires_at)
    if not words or not (model or rule) or refusal:
        why = refusal.why if refusal else "a known issue needs a text, and a model or a rule"
        raise AlertError(f"{why}.")
    with action_transaction(actor, now) as action:
        issue = KnownIssue(0, model, rule, words, actor.who.user, now, expires_at)
        kept = save_known_issue(action.db, issue)
        action.affected.append(kept.id)
        after = {"id": kept.id, "model": model, "rule": rule, "text": words}
        action.audit("pin.set", f"known issue {kept.id}", None, after | {"expires_at": expires_at})
        return action.finish(
            f"known issue {kept.id} is shown for {format_duration(expires_at - now)}"
        )


def unpin(actor: Actor, request: UnpinRequest, now: int) -> ActionResult:
    """Remove a known issue. Raises AlertError when it does not exist."""
    with action_transaction(actor, now) as action:
        if not end_known_issue(action.db, request.number, now):
            raise AlertError(f"there is no known issue {request.number}.")
        action.affected.append(request.number)
        action.audit("pin.ended", f"known issue {request.number}", {"id": request.number}, None)
        return action.finish(f"known issue {request.number} is gone")
