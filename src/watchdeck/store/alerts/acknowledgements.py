"""Operators' work on alerts: acknowledgements, notes, silences, known issues and feedback."""

import json
from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import AckEnd, Acknowledgement, Feedback, KnownIssue, Note
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.matcher import Matcher

_ACK = "k.id, k.episode, k.by, k.at, k.expires_at, k.severity, k.note, k.ended_at, k.end_reason"

_INSERT_ACK = """
insert into acknowledgement (
    id, episode, by, at, expires_at, severity, note, ended_at, end_reason, rev
)
select (select coalesce(max(id), 0) + 1 from acknowledgement),
    :episode, :by, :at, :expires_at, :severity, :note, null, null, 1
where not exists (
    select 1 from acknowledgement where episode = :episode and ended_at is null
) and exists (select 1 from episode where id = :episode and ended_at is null)
returning id
"""
"""Inserts nothing when the episode has an owner, or has ended."""

_END_ACK = """
update acknowledgement set ended_at = :at, end_reason = :reason, rev = rev + 1
where id = :id and rev = :rev and ended_at is null
"""

_ONE = f"select {_ACK}, k.rev from acknowledgement as k where k.id = :id"

_LIVE = f"""
select {_ACK}, k.rev from acknowledgement as k where k.ended_at is null order by k.id
"""

_LIVE_AT = f"""
select {_ACK}, k.rev from acknowledgement as k
where k.at <= :at and coalesce(k.ended_at, :at + 1) > :at order by k.id
"""

_OF_EPISODE = f"""
select {_ACK}, k.rev from acknowledgement as k where k.episode = :episode order by k.id
"""

_ADD_NOTE = """
insert into note (id, episode, at, by, text)
select coalesce(max(id), 0) + 1, :episode, :at, :by, :text from note returning id
"""
_NOTES = "select id, episode, at, by, text from note where episode = :episode order by id"
_DROP_NOTE = "delete from note where id = :id"
_NOTE_COUNTS = """
select n.episode, count(*) from note as n join episode as e on e.id = n.episode
where (e.ended_at is null or e.ended_at >= :since) and n.at <= :at
group by n.episode order by n.episode
"""

_SILENCE = "id, matchers, by, reason, starts_at, ends_at, ended_at, until_resolved, rev"
_ADD_SILENCE = f"""
insert into silence ({_SILENCE})
select coalesce(max(id), 0) + 1, :matchers, :by, :reason, :starts_at, :ends_at, null,
    :until_resolved, 1
from silence returning id
"""
_END_SILENCE = """
update silence set ended_at = :at, rev = rev + 1
where id = :id and rev = :rev and ended_at is null
"""
_SILENCES = f"select {_SILENCE} from silence where ends_at > :at order by id"
_ONE_SILENCE = f"select {_SILENCE} from silence where id = :id"

_PIN = "id, model, rule, text, by, at, expires_at, ended_at"
_ADD_PIN = f"""
insert into pin ({_PIN}, rev)
select coalesce(max(id), 0) + 1, :model, :rule, :text, :by, :at, :expires_at, null, 1 from pin
returning id
"""
_END_PIN = "update pin set ended_at = :at, rev = rev + 1 where id = :id and ended_at is null"
_PINS = f"""
select {_PIN} from pin
where at <= :at and expires_at > :at and coalesce(ended_at, :at + 1) > :at order by id
"""

_SAVE_FEEDBACK = """
insert into opinion (episode, opinion, by, at) values (:episode, :opinion, :by, :at)
on conflict (episode) do update set opinion = excluded.opinion, by = excluded.by, at = excluded.at
"""
_DELETE_FEEDBACK = "delete from opinion where episode = :episode"
_FEEDBACK = """
select o.episode, o.opinion from opinion as o join episode as e on e.id = o.episode
where e.started_at >= :since order by o.episode
"""


def save_acknowledgement(db: Connection, ack: Acknowledgement) -> Acknowledgement | None:
    """Store an acknowledgement, in the caller's transaction; returns it with its number.

    Returns None when the episode has ended or has an acknowledgement in force: of two operators who
    acknowledge at once, the first wins.
    """
    row = {
        "episode": ack.episode,
        "by": ack.by,
        "at": ack.at,
        "expires_at": ack.expires_at,
        "severity": int(ack.severity),
        "note": ack.note,
    }
    inserted = db.execute(_INSERT_ACK, row).fetchone()
    return None if inserted is None else replace(ack, id=int(inserted[0]), rev=1)


def end_acknowledgement(db: Connection, ack: Acknowledgement, at: int, reason: AckEnd) -> bool:
    """End an acknowledgement at `at` (ms UTC), in the caller's transaction.

    Returns False when somebody else ended or changed it meanwhile.
    """
    row = {"id": ack.id, "rev": ack.rev, "at": at, "reason": reason.value}
    return db.execute(_END_ACK, row).rowcount == 1


def read_acknowledgements(db: Connection, at: int | None = None) -> dict[int, Acknowledgement]:
    """Acknowledgements in force by episode number, now (None) or at a past moment `at` (ms UTC)."""
    rows = db.execute(_LIVE) if at is None else db.execute(_LIVE_AT, {"at": at})
    return {row[1]: _ack(row) for row in rows.fetchall()}


def find_acknowledgement(db: Connection, number: int) -> Acknowledgement | None:
    """One acknowledgement by its number, in force or ended; None when no such number exists."""
    row = db.execute(_ONE, {"id": number}).fetchone()
    return None if row is None else _ack(row)


def read_live_acknowledgement(db: Connection, episode: int) -> Acknowledgement | None:
    """The acknowledgement in force of one episode; None when it has none."""
    found = read_episode_acknowledgements(db, episode)
    return next((one for one in reversed(found) if one.ended_at is None), None)


def read_episode_acknowledgements(db: Connection, episode: int) -> tuple[Acknowledgement, ...]:
    """All acknowledgements of one episode, ended ones included, oldest first."""
    return tuple(_ack(row) for row in db.execute(_OF_EPISODE, {"episode": episode}).fetchall())


def _ack(row: Sequence[Any]) -> Acknowledgement:
    number, episode, by, at, expires_at, severity, note, ended_at, reason, rev = row
    ended = None if reason is None else AckEnd(reason)
    return Acknowledgement(
        number, episode, by, at, expires_at, Severity(severity), note, ended_at, ended, rev
    )


def add_note(db: Connection, episode: int, by: str, text: str, at: int) -> int:
    """Store a note on an episode, in the caller's transaction; returns its number."""
    row = {"episode": episode, "at": at, "by": by, "text": text}
    return int(db.execute(_ADD_NOTE, row).fetchone()[0])


def delete_note(db: Connection, number: int) -> bool:
    """Delete a note, in the caller's transaction; returns whether it existed."""
    return db.execute(_DROP_NOTE, {"id": number}).rowcount == 1


def read_notes(db: Connection, episode: int) -> tuple[Note, ...]:
    """The notes on an episode, oldest first."""
    return tuple(Note(*row) for row in db.execute(_NOTES, {"episode": episode}).fetchall())


def count_notes(db: Connection, since: int, at: int) -> dict[int, int]:
    """The number of notes by episode number; an episode without notes is absent.

    Episodes that ended before `since` (ms UTC) and notes written after `at` (ms UTC) are left out.
    """
    return dict(db.execute(_NOTE_COUNTS, {"since": since, "at": at}).fetchall())


def save_silence(db: Connection, silence: Silence) -> Silence:
    """Store a new silence, in the caller's transaction; returns it with its number."""
    row = {
        "matchers": _dump_matchers(silence.matchers),
        "by": silence.by,
        "reason": silence.reason,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "until_resolved": int(silence.until_resolved),
    }
    return replace(silence, id=int(db.execute(_ADD_SILENCE, row).fetchone()[0]), rev=1)


def end_silence(db: Connection, silence: Silence, at: int) -> bool:
    """End a silence at `at` (ms UTC), in the caller's transaction.

    Returns False when somebody else ended or changed it meanwhile.
    """
    row = {"id": silence.id, "rev": silence.rev, "at": at}
    return db.execute(_END_SILENCE, row).rowcount == 1


def read_silences(db: Connection, at: int) -> tuple[Silence, ...]:
    """Silences in force at `at` (ms UTC) or beginning later, in the order of creation."""
    found = (_silence(row) for row in db.execute(_SILENCES, {"at": at}).fetchall())
    return tuple(one for one in found if one.ended_at is None or one.ended_at > at)


def read_silence(db: Connection, number: int) -> Silence | None:
    """One silence by its number; None when there is none."""
    row = db.execute(_ONE_SILENCE, {"id": number}).fetchone()
    return None if row is None else _silence(row)


def _silence(row: Sequence[Any]) -> Silence:
    number, matchers, by, reason, starts_at, ends_at, ended_at, until_resolved, rev = row
    return Silence(
        number,
        _load_matchers(matchers),
        by,
        reason,
        starts_at,
        ends_at,
        ended_at,
        until_resolved=bool(until_resolved),
        rev=rev,
    )


def _dump_matchers(matchers: Sequence[Matcher]) -> str:
    return json.dumps([[one.label, one.wanted, one.pattern, one.negated] for one in matchers])


def _load_matchers(text: str) -> tuple[Matcher, ...]:
    return tuple(Matcher(*parts) for parts in json.loads(text))


def save_known_issue(db: Connection, issue: KnownIssue) -> KnownIssue:
    """Store a known issue, a text that is shown on matching alerts; returns it with its number.

    Runs in the caller's transaction.
    """
    row = {
        "model": issue.model,
        "rule": issue.rule,
        "text": issue.text,
        "by": issue.by,
        "at": issue.at,
        "expires_at": issue.expires_at,
    }
    return replace(issue, id=int(db.execute(_ADD_PIN, row).fetchone()[0]))


def end_known_issue(db: Connection, number: int, at: int) -> bool:
    """End a known issue at `at` (ms UTC), in the caller's transaction.

    Returns whether it was in force.
    """
    return db.execute(_END_PIN, {"id": number, "at": at}).rowcount == 1


def read_known_issues(db: Connection, at: int) -> tuple[KnownIssue, ...]:
    """The known issues in force at a moment (ms UTC), oldest first."""
    return tuple(KnownIssue(*row) for row in db.execute(_PINS, {"at": at}).fetchall())


def save_feedback(db: Connection, episode: int, feedback: Feedback, by: str, at: int) -> None:
    """Store the verdict of an operator on an episode: useful, noise or late.

    It replaces an earlier verdict. Runs in the caller's transaction.
    """
    row = {"episode": episode, "opinion": feedback.value, "by": by, "at": at}
    db.execute(_SAVE_FEEDBACK, row)


def delete_feedback(db: Connection, episode: int) -> bool:
    """Delete the feedback on an episode, in the caller's transaction; True if there was any."""
    return db.execute(_DELETE_FEEDBACK, {"episode": episode}).rowcount == 1


def read_feedback(db: Connection, since: int) -> dict[int, Feedback]:
    """The feedback by episode number, for episodes that began at `since` (ms UTC) or later."""
    rows = db.execute(_FEEDBACK, {"since": since}).fetchall()
    return {episode: Feedback(opinion) for episode, opinion in rows}


_SHIFT_ACKNOWLEDGEMENTS = """
update acknowledgement set expires_at = expires_at + :jump, rev = rev + 1
where ended_at is null and expires_at > :before and at <= :before
"""

_SHIFT_SILENCES = """
update silence set starts_at = starts_at + :jump, ends_at = ends_at + :jump, rev = rev + 1
where ended_at is null and starts_at <= :before and ends_at > :before
"""

_SHIFT_OUTBOX = """
update outbox set not_before = not_before + :jump
where sent_at is null and gave_up_at is null and cancelled_at is null and not_before > :before
and created_at <= :before
"""


def shift_deadlines(db: Connection, jump: int, now: int) -> int:
    """Move deadlines by `jump` (ms) after the wall clock jumped to `now` (ms UTC).

    The deadlines of acknowledgements, silences and waiting outbox rows are then as far away as
    before the jump. A silence that has not begun keeps its times, because they were chosen on the
    wall clock; so does a row made later than the clock showed before the jump, because it was made
    under another clock, which was right. Runs in the caller's transaction; returns how many rows
    were changed.
    """
    row = {"jump": jump, "before": now - jump}
    statements = (_SHIFT_ACKNOWLEDGEMENTS, _SHIFT_SILENCES, _SHIFT_OUTBOX)
    return sum(db.execute(statement, row).rowcount for statement in statements)
