"""Alerts, their episodes and transitions, and the history of one episode."""

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
from watchdeck.domain.board.board import AlertHistory
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.operator import Operator
from watchdeck.store.alerts.acknowledgements import (
    read_episode_acknowledgements,
    read_feedback,
    read_notes,
)
from watchdeck.store.alerts.outbox import read_episode_outbox
from watchdeck.store.state.rules import read_rules

_COLUMNS = (
    *("id", "alert", "started_at", "condition", "severity", "peak_severity", "data", "value"),
    *("peak", "bound", "why", "observed", "false_for", "samples", "seen_at", "fired_at"),
    *("ended_at", "end_reason", "reopened", "flapping", "recent", "truth", "paged_at"),
    *("escalated", "worse_at", "flapped_at", "firings", "muted_at", "rev"),
)
"""The columns of an episode, in the order of its fields; `bound` is its `limit`, an SQL keyword."""

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

_INSERT_TRANSITION = """
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

MAX_EPISODES = 200
"""Limit of past episodes in one read."""


def alert_id(db: Connection, alert: Alert) -> int:
    """The number of the alert with this source and fingerprint; a new alert is inserted.

    Changed labels replace the stored ones. Runs in the caller's transaction.
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
    """Insert a new episode, in the caller's transaction; returns it with its number.

    Raises sqlite3.IntegrityError when the alert already has an open episode.
    """
    ((number,),) = db.execute(_OPEN, _row(episode)).fetchall()
    return replace(episode, id=int(number))


def save_episode(db: Connection, episode: Episode) -> bool:
    """Update an episode, in the caller's transaction, and increment its `rev`.

    Returns False, and changes nothing, when somebody else updated the episode since it was read.
    """
    return db.execute(_SAVE, _row(episode)).rowcount == 1


def add_transitions(
    db: Connection, steps: Iterable[Transition], who: Operator, subject: str = ""
) -> None:
    """Store state changes of episodes and enter each in the audit, in the caller's transaction.

    `subject` is the name of the episode in the audit; when empty, it is read from the database.
    """
    from watchdeck.store.state.audit import append_audit  # 3 ms, which a console need not pay

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
        db.execute(_INSERT_TRANSITION, row)
        name = subject or subject_of(db, episode.id)
        append_audit(db, step.at, who, step.verb.value, name, None, row)


def subject_of(db: Connection, episode: int) -> str:
    """Read the number, rule and model of an episode, which are its name in the audit."""
    rule, model = db.execute(_NAMED, {"episode": episode}).fetchone() or ("", "")
    return episode_subject(episode, rule, model)


def episode_subject(episode: int, rule: str, model: str) -> str:
    """The name of an episode in the audit: `episode 7: RULE of MODEL`; `model` may be empty."""
    return f"episode {episode}: {rule}{f' of {model}' if model else ''}"


def read_open_episodes(db: Connection) -> tuple[tuple[Episode, Alert], ...]:
    """Every open episode with its alert, oldest first."""
    return tuple(pair_from(row) for row in db.execute(_ALL_OPEN).fetchall())


def read_ended_episodes(db: Connection, since: int) -> tuple[tuple[Episode, Alert], ...]:
    """The episodes that ended at `since` (ms UTC) or later, oldest first."""
    return tuple(pair_from(row) for row in db.execute(_ENDED, {"since": since}).fetchall())


def read_fired_episodes(db: Connection, since: int) -> tuple[tuple[Episode, Alert], ...]:
    """The episodes that began at `since` (ms UTC) or later and fired, oldest first."""
    return tuple(pair_from(row) for row in db.execute(_FIRED, {"since": since}).fetchall())


def read_episode(db: Connection, number: int) -> tuple[Episode, Alert] | None:
    """One episode by its number, with its alert; None when no such number exists."""
    row = db.execute(_ONE, {"id": number}).fetchone()
    return None if row is None else pair_from(row)


def read_episodes(
    db: Connection, alert: int, at: int, limit: int = MAX_EPISODES
) -> tuple[Episode, ...]:
    """Up to `limit` episodes of one alert that began by `at` (ms UTC), newest first."""
    asked = {"alert": alert, "at": at, "limit": limit}
    return tuple(episode_from(row) for row in db.execute(_OF_ALERT, asked).fetchall())


def read_transitions(db: Connection, episode: Episode, at: int) -> tuple[Transition, ...]:
    """The state changes of an episode up to `at` (ms UTC), oldest first."""
    rows = db.execute(_STEPS, {"episode": episode.id, "at": at}).fetchall()
    return tuple(
        Transition(AlertEvent(verb), when, episode_as_of(episode, when, *state), state[-1])
        for when, verb, *state in rows
    )


def episode_as_of(episode: Episode, when: int, *state: Any) -> Episode:
    """An episode as it was right after its state change at `when` (ms UTC).

    `state` are the values stored with that change: condition, data, severity, flapping, value, why.
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
    """Build an episode and its alert from a row of the columns in EPISODE, then those in ALERT."""
    return episode_from(row[: len(_COLUMNS)]), alert_from(row[len(_COLUMNS) :])


def alert_from(row: Sequence[Any]) -> Alert:
    """Build an alert from a row of the columns in the constant ALERT."""
    number, source, fingerprint, rule, model, labels = row
    return Alert(number, source, fingerprint, rule, model, json.loads(labels))


def episode_from(row: Sequence[Any]) -> Episode:
    """Build an episode from a row of the columns in the constant EPISODE."""
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
            "firings": tuple(json.loads(known["firings"])),
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
        "firings": json.dumps(episode.firings),
    }


_NOTED_EPISODES = 5
"""Number of earlier episodes whose notes are read."""


def read_alert_history(db: Connection, number: int, at: int) -> AlertHistory | None:
    """An episode with its transitions, owners, notes, messages and the alert's earlier episodes.

    All as known at `at` (ms UTC). None when no episode has this number.
    """
    found = read_episode(db, number)
    if found is None:
        return None
    episode, alert = found
    past = tuple(
        one for one in read_episodes(db, alert.id, at) if one.started_at < episode.started_at
    )
    noted = (note for one in past[:_NOTED_EPISODES] for note in read_notes(db, one.id))
    first = past[-1].started_at if past else episode.started_at
    acks, notes, told = (
        read_episode_acknowledgements(db, number),
        read_notes(db, number),
        read_episode_outbox(db, number),
    )
    return AlertHistory(
        episode,
        alert,
        transitions=read_transitions(db, episode, at),
        acknowledgements=tuple(ack for ack in acks if ack.at <= at),
        notes=tuple(note for note in notes if note.at <= at),
        past=past,
        past_notes=tuple(note for note in noted if note.at <= at),
        feedback=read_feedback(db, first),
        outbox_rows=tuple(row for row in told if row.created_at <= at),
        rule=read_rules(db).get(alert.rule, {}),
    )
