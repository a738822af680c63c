"""Undo: reverse an operator's last action on alerts, unless they have changed since."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from watchdeck.actions.actor import Actor
from watchdeck.actions.alerts.acknowledge import (
    save_ended_acknowledgement,
    save_new_acknowledgement,
)
from watchdeck.actions.requests import UndoRequest
from watchdeck.actions.transaction import (
    ActionResult,
    ActionTransaction,
    AlertError,
    action_transaction,
)
from watchdeck.domain.alerts.acknowledgement import (
    Refusal,
    TakeOver,
    undo_acknowledge,
    undo_refusal,
    undo_resolve,
    undo_take_over,
    undo_unacknowledge,
)
from watchdeck.domain.alerts.alert import Acknowledgement, AlertState
from watchdeck.domain.alerts.silence import undo_unsilence
from watchdeck.store.alerts.acknowledgements import (
    delete_feedback,
    delete_note,
    end_known_issue,
    end_silence,
    find_acknowledgement,
    read_silence,
    save_silence,
)
from watchdeck.store.alerts.episodes import add_transitions, read_episode, save_episode
from watchdeck.store.alerts.outbox import cancel
from watchdeck.store.state.audit import AuditEntry, read_entries

_MOVED_ON = Refusal("it has moved on since")


def undo(actor: Actor, request: UndoRequest, now: int) -> ActionResult:
    """Undo the action that wrote the audit rows in the request, and write new audit rows.

    No audit row is deleted. Raises AlertError when the rows do not exist or belong to somebody
    else.
    """
    with action_transaction(actor, now) as action:
        entries = (
            read_entries(action.db, min(request.rows), max(request.rows)) if request.rows else ()
        )
        mine = [entry for entry in entries if entry.number in set(request.rows)]
        if not mine:
            raise AlertError("there is nothing to take back.")
        if any(entry.who != actor.who.user for entry in mine):
            raise AlertError(f"{mine[0].who} did that; only they can take it back.")
        for entry in reversed(mine):
            _undo_row(action, entry)
        return action.finish("taken back")


def _undo_row(action: ActionTransaction, entry: AuditEntry) -> None:
    back = _UNDO.get(entry.action)
    refusal = back(action, entry) if back else Refusal("that cannot be taken back")
    if refusal is not None:
        action.refusals.append(f"{entry.subject}: {refusal.why}")
        return
    for key in (entry.after or {}).get("told", ()):
        cancel(action.db, key, action.now)
    action.affected.append(entry.number)
    action.audit("undo", entry.subject, entry.after, {"undone": entry.number, "was": entry.action})


def _refusal(action: ActionTransaction, entry: AuditEntry, rev: int | None) -> Refusal | None:
    """Why an undo is too late: its time is up, or the row has changed since the action."""
    return undo_refusal(entry.at, (entry.after or {}).get("rev", 0), rev, action.now)


def _find_acknowledgement(
    action: ActionTransaction, row: Mapping[str, Any] | None
) -> Acknowledgement | None:
    return find_acknowledgement(action.db, (row or {}).get("id", 0))


def _undo_acknowledge(action: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """Undo `ack.set`: nobody owns the episode again."""
    live = _find_acknowledgement(action, entry.after)
    if live is None or (refusal := _refusal(action, entry, live.rev)):
        return _MOVED_ON if live is None else refusal
    done = save_ended_acknowledgement(action, undo_acknowledge(live, action.now))
    return None if done else _MOVED_ON


def _undo_unacknowledge(action: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """Undo `ack.ended` and `ack.resolved`: the owner has the episode again."""
    ended = _find_acknowledgement(action, entry.after)
    if ended is None or (refusal := _refusal(action, entry, ended.rev)):
        return _MOVED_ON if ended is None else refusal
    return _begin_again(action, undo_unacknowledge(ended, action.now))


def _begin_again(action: ActionTransaction, again: Acknowledgement | Refusal) -> Refusal | None:
    kept = again if isinstance(again, Refusal) else save_new_acknowledgement(action, again)
    if isinstance(kept, Refusal):
        return kept
    action.affected.pop()
    return None


def _undo_take_over(action: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """Undo `ack.takeover`: the previous owner has the episode again."""
    ended, begun = (
        _find_acknowledgement(action, entry.before),
        _find_acknowledgement(action, entry.after),
    )
    if ended is None or begun is None:
        return _MOVED_ON
    if refusal := _refusal(action, entry, begun.rev):
        return refusal
    handed = undo_take_over(TakeOver(ended, begun), action.now)
    if isinstance(handed, Refusal):
        return handed
    save_ended_acknowledgement(action, handed.ended)
    return _begin_again(action, handed.begun)


def _undo_resolve(action: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """Undo `alert.resolved_by_hand`: the episode goes on as it was."""
    before = entry.before or {}
    found = read_episode(action.db, before.get("episode", 0))
    if found is None or (refusal := _refusal(action, entry, found[0].rev)):
        return _MOVED_ON if found is None else refusal
    after = found[0]
    was = replace(
        after,
        condition=AlertState(before["condition"]),
        truth=before["truth"],
        false_for=before["false_for"],
        ended_at=None,
        end_reason=None,
    )
    again, steps = undo_resolve(was, after, action.now)
    if not save_episode(action.db, again):
        return _MOVED_ON
    add_transitions(action.db, steps, action.actor.who)
    return None


def _undo_escalate(action: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """Undo `alert.escalated`: the step of the escalation is still to come."""
    before = entry.before or {}
    found = read_episode(action.db, before.get("episode", 0))
    if found is None or (refusal := _refusal(action, entry, found[0].rev)):
        return _MOVED_ON if found is None else refusal
    again = replace(found[0], escalated=before["escalated"])
    return None if save_episode(action.db, again) else _MOVED_ON


def _undo_note(action: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    late = undo_refusal(entry.at, 1, 1, action.now)
    gone = late is None and delete_note(action.db, (entry.after or {}).get("note", 0))
    return late if late or gone else _MOVED_ON


def _undo_feedback(action: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    late = undo_refusal(entry.at, 1, 1, action.now)
    gone = late is None and delete_feedback(action.db, (entry.after or {}).get("episode", 0))
    return late if late or gone else _MOVED_ON


def _undo_pin(action: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    late = undo_refusal(entry.at, 1, 1, action.now)
    gone = late is None and end_known_issue(action.db, (entry.after or {}).get("id", 0), action.now)
    return late if late or gone else _MOVED_ON


def _undo_silence(action: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """Undo `silence.created`: the silence ends."""
    found = read_silence(action.db, (entry.after or {}).get("id", 0))
    if found is None or (refusal := _refusal(action, entry, found.rev)):
        return _MOVED_ON if found is None else refusal
    return None if end_silence(action.db, found, action.now) else _MOVED_ON


def _undo_unsilence(action: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """Undo `silence.ended`: a new silence like the one that ended."""
    found = read_silence(action.db, (entry.after or {}).get("id", 0))
    if found is None or (refusal := _refusal(action, entry, found.rev)):
        return _MOVED_ON if found is None else refusal
    again = undo_unsilence(found, action.now)
    if isinstance(again, Refusal):
        return again
    save_silence(action.db, again)
    return None


_UNDO: dict[str, Callable[[ActionTransaction, AuditEntry], Refusal | None]] = {
    "ack.set": _undo_acknowledge,
    "ack.ended": _undo_unacknowledge,
    "ack.resolved": _undo_unacknowledge,
    "ack.takeover": _undo_take_over,
    "alert.escalated": _undo_escalate,
    "alert.resolved_by_hand": _undo_resolve,
    "alert.opinion": _undo_feedback,
    "note.added": _undo_note,
    "pin.set": _undo_pin,
    "silence.created": _undo_silence,
    "silence.ended": _undo_unsilence,
}
"""The function that undoes an audit row, by the `action` of the row."""
