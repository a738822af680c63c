"""Alerts and their episodes: what is open, what was, and every step between."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from sqlite3 import Connection
from typing import Any

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    Alert,
    AlertEvent,
    AlertState,
    DataState,
    EndReason,
    Episode,
    Transition,
)
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.severity import Severity

_COLUMNS = (
    *("id", "alert", "started_at", "condition", "severity", "peak_severity", "data", "value"),
    *("peak", "bound", "why", "observed", "false_for", "samples", "seen_at", "fired_at"),
    *("ended_at", "end_reason", "reopened", "flapping", "recent", "truth", "paged_at"),
    *("escalated", "worse_at", "flapped_at", "rev"),
)
"""The columns of an episode, in the order of its fields; `limit` is a word of SQL."""

_CHANGING = tuple(name for name in _COLUMNS if name not in ("id", "alert", "started_at", "rev"))

EPISODE = ", ".join(f"e.{name}" for name in _COLUMNS)
"""The columns of an episode in a query that calls its table `e`."""

ALERT = "a.id, a.source, a.fingerprint, a.rule, a.model, a.labels"
"""The columns of an alert in a query that calls its table `a`."""

_FIND = "select id from alert where source = :source and fingerprint = :fingerprint"

_ADD_ALERT = """
insert into alert (id, source, fingerprint, rule, model, labels)
select coalesce(max(id), 0) + 1, :source, :fingerprint, :rule, :model, :labels from alert
returning id
"""

_RELABEL = "update alert set labels = :labels where id = :id and labels <> :labels"

_OPEN = f"""
insert into episode ({", ".join(_COLUMNS)})
select coalesce(max(id), 0) + 1, {", ".join(f":{name}" for name in _COLUMNS[1:])} from episode
returning id
"""

_SAVE = f"""
update episode set {", ".join(f"{name} = :{name}" for name in _CHANGING)}, rev = rev + 1
where id = :id and rev = :rev
"""

_STEP = """
insert into transition (
    episode, number, at, verb, condition, data, severity, flapping, value, why
)
select :episode, coalesce(max(number), 0) + 1, :at, :verb, :condition, :data, :severity,
    :flapping, :value, :why
from transition where episode = :episode
"""

_NAMED = """
select a.rule, a.model from episode as e join alert as a on a.id = e.alert where e.id = :episode
"""

_ALL_OPEN = f"""
select {EPISODE}, {ALERT} from episode as e join alert as a on a.id = e.alert
where e.ended_at is null order by e.id
"""

_ENDED = f"""
select {EPISODE}, {ALERT} from episode as e join alert as a on a.id = e.alert
where e.ended_at >= :since order by e.id
"""

_FIRED = f"""
select {EPISODE}, {ALERT} from episode as e join alert as a on a.id = e.alert
where e.fired_at is not null and e.started_at >= :since order by e.id
"""

_ONE = f"""
select {EPISODE}, {ALERT} from episode as e join alert as a on a.id = e.alert where e.id = :id
"""

_OF_ALERT = f"""
select {EPISODE} from episode as e where e.alert = :alert and e.started_at <= :at
order by e.id desc limit :limit
"""

_STEPS = """
select at, verb, condition, data, severity, flapping, value, why from transition
where episode = :episode and at <= :at order by number
"""

MOST = 200
"""Past episodes that are read at once: nobody reads more."""


def alert_id(db: Connection, alert: Alert) -> int:
    """The number of an alert by its source and fingerprint, inside the caller's transaction.

    One that was never seen gets a number; labels that changed are kept as they are now.
    """
    labels = json.dumps(alert.labels, sort_keys=True)
    row = {"source": alert.source, "fingerprint": alert.fingerprint, "labels": labels}
    found = db.execute(_FIND, row).fetchone()
    if found is None:
        found = db.execute(_ADD_ALERT, row | {"rule": alert.rule, "model": alert.model}).fetchone()
    else:
        db.execute(_RELABEL, {"id": found[0], "labels": labels})
    return int(found[0])


def open_episode(db: Connection, episode: Episode) -> Episode:
    """Keep a new episode, inside the caller's transaction; returns it with its number.

    SQLite refuses a second open one of the same alert: there is at most one.
    """
    ((number,),) = db.execute(_OPEN, _row(episode)).fetchall()
    return replace(episode, id=int(number))


def save_episode(db: Connection, episode: Episode) -> bool:
    """Keep an episode as it is now, unless somebody else changed it since it was read.

    Inside the caller's transaction. Whether it was kept; its `rev` is then one more.
    """
    return db.execute(_SAVE, _row(episode)).rowcount == 1


def add_transitions(
    db: Connection, steps: Iterable[Transition], who: Operator, called: str = ""
) -> None:
    """Keep what happened, and enter each step in the audit, inside the caller's transaction.

    `called` is what the audit calls the episode, where that is known already.
    """
    from watchdeck.store.state.audit import append  # 3 ms, which a console need not pay

    for step in steps:
        episode = step.episode
        row = {
            "episode": episode.id,
            "at": step.at,
            "verb": step.verb.value,
            "condition": episode.condition.value,
            "data": episode.data.value,
            "severity": int(episode.severity),
            "flapping": int(episode.flapping),
            "value": episode.value,
            "why": step.why or episode.why,
        }
        db.execute(_STEP, row)
        name = called or subject_of(db, episode.id)
        append(db, step.at, who, step.verb.value, name, None, row)


def subject_of(db: Connection, episode: int) -> str:
    """What the audit calls an episode: its number, its rule and its model."""
    rule, model = db.execute(_NAMED, {"episode": episode}).fetchone() or ("", "")
    return subject(episode, rule, model)


def subject(episode: int, rule: str, model: str) -> str:
    """What the audit calls an episode of a rule and a model, which may be empty."""
    return f"episode {episode}: {rule}{f' of {model}' if model else ''}"


def read_open(db: Connection) -> tuple[tuple[Episode, Alert], ...]:
    """Every episode that is not over, with its alert, the oldest first."""
    return tuple(pair_from(row) for row in db.execute(_ALL_OPEN).fetchall())


def read_ended(db: Connection, since: int) -> tuple[tuple[Episode, Alert], ...]:
    """The episodes that ended at `since` (ms UTC) or later, the oldest first."""
    return tuple(pair_from(row) for row in db.execute(_ENDED, {"since": since}).fetchall())


def read_fired(db: Connection, since: int) -> tuple[tuple[Episode, Alert], ...]:
    """The episodes that began at `since` (ms UTC) or later and fired, the oldest first."""
    return tuple(pair_from(row) for row in db.execute(_FIRED, {"since": since}).fetchall())


def read_episode(db: Connection, number: int) -> tuple[Episode, Alert] | None:
    """One episode by its number, with its alert; None when there is none."""
    row = db.execute(_ONE, {"id": number}).fetchone()
    return None if row is None else pair_from(row)


def read_episodes(db: Connection, alert: int, at: int, limit: int = MOST) -> tuple[Episode, ...]:
    """The newest episodes of one alert that had begun at `at` (ms UTC), the newest first."""
    asked = {"alert": alert, "at": at, "limit": limit}
    return tuple(episode_from(row) for row in db.execute(_OF_ALERT, asked).fetchall())


def read_transitions(db: Connection, episode: Episode, at: int) -> tuple[Transition, ...]:
    """What happened to an episode until `at` (ms UTC), the oldest first."""
    rows = db.execute(_STEPS, {"episode": episode.id, "at": at}).fetchall()
    return tuple(
        Transition(AlertEvent(verb), when, as_of(episode, when, *state), state[-1])
        for when, verb, *state in rows
    )


def as_of(episode: Episode, when: int, *state: Any) -> Episode:
    """An episode as a transition of `when` left it.

    `state` is condition, data, severity, flapping, value, why.
    """
    condition, data, severity, flapping, value, why = state
    over = condition == AlertState.OK
    return replace(
        episode,
        condition=AlertState(condition),
        data=DataState(data),
        severity=Severity(severity),
        flapping=bool(flapping),
        value=value,
        why=why,
        fired_at=None if when < (episode.fired_at or 0) else episode.fired_at,
        ended_at=when if over else None,
        end_reason=episode.end_reason if over else None,
    )


def pair_from(row: Sequence[Any]) -> tuple[Episode, Alert]:
    """An episode and its alert from their columns, in the order of EPISODE and ALERT."""
    return episode_from(row[: len(_COLUMNS)]), alert_from(row[len(_COLUMNS) :])


def alert_from(row: Sequence[Any]) -> Alert:
    """An alert from its columns, in the order of ALERT."""
    number, source, fingerprint, rule, model, labels = row
    return Alert(number, source, fingerprint, rule, model, json.loads(labels))


def episode_from(row: Sequence[Any]) -> Episode:
    """An episode from its columns, in the order of EPISODE."""
    known = dict(zip(_COLUMNS, row, strict=True))
    known["limit"] = known.pop("bound")
    reason = known["end_reason"]
    return Episode(
        **known
        | {
            "condition": AlertState(known["condition"]),
            "severity": Severity(known["severity"]),
            "peak_severity": Severity(known["peak_severity"]),
            "data": DataState(known["data"]),
            "end_reason": None if reason is None else EndReason(reason),
            "flapping": bool(known["flapping"]),
            "truth": bool(known["truth"]),
        }
    )


def _row(episode: Episode) -> Mapping[str, Any]:
    row = {name: getattr(episode, "limit" if name == "bound" else name) for name in _COLUMNS}
    return row | {
        "condition": episode.condition.value,
        "severity": int(episode.severity),
        "peak_severity": int(episode.peak_severity),
        "data": episode.data.value,
        "end_reason": None if episode.end_reason is None else episode.end_reason.value,
        "flapping": int(episode.flapping),
        "truth": int(episode.truth),
    }
