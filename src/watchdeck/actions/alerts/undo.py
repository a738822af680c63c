"""Undo: take back what one just did to alerts, unless something followed from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from watchdeck.actions.alerts.acknowledge import (
    save_ended_acknowledgement,
    save_new_acknowledgement,
)
from watchdeck.actions.transaction import (
    ActionResult,
    ActionTransaction,
    AlertError,
    action_transaction,
)
from watchdeck.domain.alerts import undo as undoing
from watchdeck.domain.alerts.acknowledgement import Refusal, TakeOver
from watchdeck.domain.alerts.alert import Acknowledgement, AlertState
from watchdeck.domain.values.operator import Operator
from watchdeck.store.alerts.acknowledgements import (
    drop_note,
    drop_opinion,
    end_pin,
    end_silence,
    find_acknowledgement,
    read_silence,
    save_silence,
)
from watchdeck.store.alerts.episodes import add_transitions, read_episode, save_episode
from watchdeck.store.alerts.outbox import cancel
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.state.audit import AuditEntry, read_entries

_MOVED_ON = Refusal("it has moved on since")


def undo(
    directory: StoreDirectory, numbers: Sequence[int], who: Operator, now: int
) -> ActionResult:
    """Take back the deed whose audit rows have these numbers: a deed of its own, entered as such.

    Nothing is unwritten. Raises AlertError when there is no such deed, or another person did it.
    """
    with action_transaction(directory, who, now) as doing:
        entries = read_entries(doing.db, min(numbers), max(numbers)) if numbers else ()
        mine = [entry for entry in entries if entry.number in set(numbers)]
        if not mine:
            raise AlertError("there is nothing to take back.")
        if any(entry.who != who.user for entry in mine):
            raise AlertError(f"{mine[0].who} did that; only they can take it back.")
        for entry in reversed(mine):
            _take_back(doing, entry)
        return doing.done("taken back")


def _take_back(doing: ActionTransaction, entry: AuditEntry) -> None:
    back = _BACK.get(entry.action)
    refusal = back(doing, entry) if back else Refusal("that cannot be taken back")
    if refusal is not None:
        doing.lost.append(f"{entry.subject}: {refusal.why}")
        return
    for key in (entry.after or {}).get("told", ()):
        cancel(doing.db, key, doing.now)
    doing.taken.append(entry.number)
    doing.enter("undo", entry.subject, entry.after, {"undone": entry.number, "was": entry.action})


def _refused(doing: ActionTransaction, entry: AuditEntry, rev: int | None) -> Refusal | None:
    """Why it is too late: its time is over, or its row is not what the deed left."""
    return undoing.undo_refusal(entry.at, (entry.after or {}).get("rev", 0), rev, doing.now)


def _found(doing: ActionTransaction, row: Mapping[str, Any] | None) -> Acknowledgement | None:
    return find_acknowledgement(doing.db, (row or {}).get("id", 0))


def _free(doing: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """Nobody has the episode again."""
    live = _found(doing, entry.after)
    if live is None or (refusal := _refused(doing, entry, live.rev)):
        return _MOVED_ON if live is None else refusal
    done = save_ended_acknowledgement(doing, undoing.undo_acknowledge(live, doing.now))
    return None if done else _MOVED_ON


def _have_again(doing: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """Its owner has the episode again."""
    ended = _found(doing, entry.after)
    if ended is None or (refusal := _refused(doing, entry, ended.rev)):
        return _MOVED_ON if ended is None else refusal
    return _begun(doing, undoing.undo_unacknowledge(ended, doing.now))


def _begun(doing: ActionTransaction, again: Acknowledgement | Refusal) -> Refusal | None:
    kept = again if isinstance(again, Refusal) else save_new_acknowledgement(doing, again)
    if isinstance(kept, Refusal):
        return kept
    doing.taken.pop()
    return None


def _hand_back(doing: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """The owner before has the episode again."""
    ended, begun = _found(doing, entry.before), _found(doing, entry.after)
    if ended is None or begun is None:
        return _MOVED_ON
    if refusal := _refused(doing, entry, begun.rev):
        return refusal
    handed = undoing.undo_take_over(TakeOver(ended, begun), doing.now)
    if isinstance(handed, Refusal):
        return handed
    save_ended_acknowledgement(doing, handed.ended)
    return _begun(doing, handed.begun)


def _go_on(doing: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """The episode goes on as it was."""
    before = entry.before or {}
    found = read_episode(doing.db, before.get("episode", 0))
    if found is None or (refusal := _refused(doing, entry, found[0].rev)):
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
    again, steps = undoing.undo_resolve(was, after, doing.now)
    if not save_episode(doing.db, again):
        return _MOVED_ON
    add_transitions(doing.db, steps, doing.who)
    return None


def _step_back(doing: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """The step of the escalation is still to come."""
    before = entry.before or {}
    found = read_episode(doing.db, before.get("episode", 0))
    if found is None or (refusal := _refused(doing, entry, found[0].rev)):
        return _MOVED_ON if found is None else refusal
    again = replace(found[0], escalated=before["escalated"])
    return None if save_episode(doing.db, again) else _MOVED_ON


def _unwrite(doing: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    late = undoing.undo_refusal(entry.at, 1, 1, doing.now)
    gone = late is None and drop_note(doing.db, (entry.after or {}).get("note", 0))
    return late if late or gone else _MOVED_ON


def _unthink(doing: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    late = undoing.undo_refusal(entry.at, 1, 1, doing.now)
    gone = late is None and drop_opinion(doing.db, (entry.after or {}).get("episode", 0))
    return late if late or gone else _MOVED_ON


def _unpin(doing: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    late = undoing.undo_refusal(entry.at, 1, 1, doing.now)
    gone = late is None and end_pin(doing.db, (entry.after or {}).get("id", 0), doing.now)
    return late if late or gone else _MOVED_ON


def _speak(doing: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """The silence is over."""
    found = read_silence(doing.db, (entry.after or {}).get("id", 0))
    if found is None or (refusal := _refused(doing, entry, found.rev)):
        return _MOVED_ON if found is None else refusal
    return None if end_silence(doing.db, found, doing.now) else _MOVED_ON


def _silence_again(doing: ActionTransaction, entry: AuditEntry) -> Refusal | None:
    """A silence like the one that was ended."""
    found = read_silence(doing.db, (entry.after or {}).get("id", 0))
    if found is None or (refusal := _refused(doing, entry, found.rev)):
        return _MOVED_ON if found is None else refusal
    again = undoing.undo_unsilence(found, doing.now)
    if isinstance(again, Refusal):
        return again
    save_silence(doing.db, again)
    return None


_BACK: dict[str, Callable[[ActionTransaction, AuditEntry], Refusal | None]] = {
    "ack.set": _free,
    "ack.ended": _have_again,
    "ack.resolved": _have_again,
    "ack.takeover": _hand_back,
    "alert.escalated": _step_back,
    "alert.resolved_by_hand": _go_on,
    "alert.opinion": _unthink,
    "note.added": _unwrite,
    "pin.set": _unpin,
    "silence.created": _speak,
    "silence.ended": _silence_again,
}
"""What takes back each deed."""
