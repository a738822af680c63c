"""What people did about alerts: who has which, what is silent, what they wrote and thought."""

from __future__ import annotations

import json
from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import AckEnd, Acknowledgement, Feedback, KnownIssue, Note
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.values.matcher import Matcher
from watchdeck.domain.values.severity import Severity

_ACK = "k.id, k.episode, k.by, k.at, k.expires_at, k.severity, k.note, k.ended_at, k.end_reason"

_TAKE = """
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
"""Nobody can take what somebody has, or what is over."""

_END = """
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

_THINK = """
insert into opinion (episode, opinion, by, at) values (:episode, :opinion, :by, :at)
on conflict (episode) do update set opinion = excluded.opinion, by = excluded.by, at = excluded.at
"""
_FORGET = "delete from opinion where episode = :episode"
_OPINIONS = """
select o.episode, o.opinion from opinion as o join episode as e on e.id = o.episode
where e.started_at >= :since order by o.episode
"""


def save_acknowledgement(db: Connection, ack: Acknowledgement) -> Acknowledgement | None:
    """Let somebody have an episode, inside the caller's transaction; None when another has it.

    Also None when the episode is over. This is the compare-and-set of two operators' keys.
    """
    row = {
        "episode": ack.episode,
        "by": ack.by,
        "at": ack.at,
        "expires_at": ack.expires_at,
        "severity": int(ack.severity),
        "note": ack.note,
    }
    taken = db.execute(_TAKE, row).fetchone()
    return None if taken is None else replace(ack, id=int(taken[0]), rev=1)


def end_acknowledgement(db: Connection, ack: Acknowledgement, at: int, reason: AckEnd) -> bool:
    """End an acknowledgement that nobody ended since; whether it was this that ended it."""
    row = {"id": ack.id, "rev": ack.rev, "at": at, "reason": reason.value}
    return db.execute(_END, row).rowcount == 1


def read_acknowledgements(db: Connection, at: int | None = None) -> dict[int, Acknowledgement]:
    """Who has which episode, by its number, now or at a moment of the past (ms UTC)."""
    rows = db.execute(_LIVE) if at is None else db.execute(_LIVE_AT, {"at": at})
    return {row[1]: _ack(row) for row in rows.fetchall()}


def find_acknowledgement(db: Connection, number: int) -> Acknowledgement | None:
    """One acknowledgement by its own number, live or over; None when there is none."""
    row = db.execute(_ONE, {"id": number}).fetchone()
    return None if row is None else _ack(row)


def read_acknowledgement(db: Connection, episode: int) -> Acknowledgement | None:
    """Who has one episode; None when nobody has it."""
    found = read_acknowledgements_of(db, episode)
    return next((one for one in reversed(found) if one.ended_at is None), None)


def read_acknowledgements_of(db: Connection, episode: int) -> tuple[Acknowledgement, ...]:
    """Everybody who had an episode, the first first."""
    return tuple(_ack(row) for row in db.execute(_OF_EPISODE, {"episode": episode}).fetchall())


def _ack(row: Sequence[Any]) -> Acknowledgement:
    number, episode, by, at, expires_at, severity, note, ended_at, reason, rev = row
    ended = None if reason is None else AckEnd(reason)
    return Acknowledgement(
        number, episode, by, at, expires_at, Severity(severity), note, ended_at, ended, rev
    )


def add_note(db: Connection, episode: int, by: str, text: str, at: int) -> int:
    """Keep what somebody wrote on an episode, inside the caller's transaction; its number."""
    row = {"episode": episode, "at": at, "by": by, "text": text}
    return int(db.execute(_ADD_NOTE, row).fetchone()[0])


def drop_note(db: Connection, number: int) -> bool:
    """Take a note back, inside the caller's transaction; whether it was there."""
    return db.execute(_DROP_NOTE, {"id": number}).rowcount == 1


def read_notes(db: Connection, episode: int) -> tuple[Note, ...]:
    """What was written on an episode, the oldest first."""
    return tuple(Note(*row) for row in db.execute(_NOTES, {"episode": episode}).fetchall())


def count_notes(db: Connection, since: int, at: int) -> dict[int, int]:
    """How many notes were on each episode at `at`: those open, or ended at `since` or later."""
    return dict(db.execute(_NOTE_COUNTS, {"since": since, "at": at}).fetchall())


def save_silence(db: Connection, silence: Silence) -> Silence:
    """Keep a new silence, inside the caller's transaction; returns it with its number."""
    row = {
        "matchers": _written(silence.matchers),
        "by": silence.by,
        "reason": silence.reason,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "until_resolved": int(silence.until_resolved),
    }
    return replace(silence, id=int(db.execute(_ADD_SILENCE, row).fetchone()[0]), rev=1)


def end_silence(db: Connection, silence: Silence, at: int) -> bool:
    """End a silence that nobody ended or changed since; whether it was this that ended it."""
    row = {"id": silence.id, "rev": silence.rev, "at": at}
    return db.execute(_END_SILENCE, row).rowcount == 1


def read_silences(db: Connection, at: int) -> tuple[Silence, ...]:
    """The silences in force at `at` (ms UTC), and those to come, the oldest first."""
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
        _read(matchers),
        by,
        reason,
        starts_at,
        ends_at,
        ended_at,
        until_resolved=bool(until_resolved),
        rev=rev,
    )


def _written(matchers: Sequence[Matcher]) -> str:
    return json.dumps([[one.label, one.wanted, one.pattern, one.negated] for one in matchers])


def _read(text: str) -> tuple[Matcher, ...]:
    return tuple(Matcher(*parts) for parts in json.loads(text))


def save_pin(db: Connection, pin: KnownIssue) -> KnownIssue:
    """Keep a known issue, inside the caller's transaction; returns it with its number."""
    row = {
        "model": pin.model,
        "rule": pin.rule,
        "text": pin.text,
        "by": pin.by,
        "at": pin.at,
        "expires_at": pin.expires_at,
    }
    return replace(pin, id=int(db.execute(_ADD_PIN, row).fetchone()[0]))


def end_pin(db: Connection, number: int, at: int) -> bool:
    """Take a known issue away, inside the caller's transaction; whether it was there."""
    return db.execute(_END_PIN, {"id": number, "at": at}).rowcount == 1


def read_pins(db: Connection, at: int) -> tuple[KnownIssue, ...]:
    """The known issues of a moment (ms UTC), the oldest first."""
    return tuple(KnownIssue(*row) for row in db.execute(_PINS, {"at": at}).fetchall())


def save_opinion(db: Connection, episode: int, opinion: Feedback, by: str, at: int) -> None:
    """Keep what somebody thought of an episode; the newest opinion is the one that counts."""
    row = {"episode": episode, "opinion": opinion.value, "by": by, "at": at}
    db.execute(_THINK, row)


def drop_opinion(db: Connection, episode: int) -> bool:
    """Take an opinion back, inside the caller's transaction; whether there was one."""
    return db.execute(_FORGET, {"episode": episode}).rowcount == 1


def read_opinions(db: Connection, since: int) -> dict[int, Feedback]:
    """What people thought of the episodes that began at `since` (ms UTC) or later."""
    rows = db.execute(_OPINIONS, {"since": since}).fetchall()
    return {episode: Feedback(opinion) for episode, opinion in rows}
