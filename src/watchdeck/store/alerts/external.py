"""External alerts: their sources, the events received, and the last state of each alert."""

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from sqlite3 import Connection

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import OURS, Acknowledgement, Alert, Episode, EpisodeOfAlert
from watchdeck.domain.external.event import ExternalEvent, Status, decode, encode
from watchdeck.domain.external.source import (
    ExternalSource,
    RemoteAlertState,
    SourceProtocol,
    mark_reappeared,
    missing_resolves,
    state_after,
    state_after_push,
)
from watchdeck.domain.values.units import to_plain
from watchdeck.redaction import redact
from watchdeck.store.alerts.acknowledgements import read_acknowledgements
from watchdeck.store.alerts.episodes import ALERT, EPISODE, pair_from
from watchdeck.store.files.connection import transaction

_MARK_ACTIVITY = "update source set heard_at = :at where name = :name and heard_at < :at"
_SOURCES = "select name, heard_at, started_at, facts from source order by name"
_SAVE_SOURCE = """
insert into source (name, heard_at, started_at, facts)
values (:name, :heard_at, :started_at, :facts)
on conflict (name) do update
set heard_at = excluded.heard_at, started_at = excluded.started_at, facts = excluded.facts
"""


def register_sources(db: Connection, wanted: Iterable[ExternalSource], now: int) -> None:
    """Store the configured sources in a transaction of its own; all others are marked as retired.

    A source that was stored before keeps the times at which something came from it.
    """
    with transaction(db):
        known = {source.name: source for source in read_sources(db)}
        for source in wanted:
            old = known.pop(source.name, source)
            save_source(
                db,
                replace(
                    source,
                    since=now,
                    heard_at=old.heard_at,
                    started_at=old.started_at,
                    held_until=old.held_until,
                    lost_at=old.lost_at if source.deadman else None,
                    peers=old.peers,
                ),
            )
        for old in known.values():
            save_source(db, replace(old, retired=True))


def mark_reachable(
    db: Connection, source: str, at: int, started_at: int | None, peers: tuple[str, ...] = ()
) -> None:
    """Store that a source responded at `at`, its start time (both ms UTC) and its peers."""
    with transaction(db):
        for old in read_sources(db):
            if old.name == source:
                save_source(db, old.record_response(at, started_at, peers))


def mark_lost(db: Connection, source: ExternalSource, at: int | None) -> None:
    """Store that a source's dead man's switch is missing since `at` (ms UTC); None: it is back.

    While it stays missing, the time that was stored first is kept. Runs in the caller's
    transaction.
    """
    if (source.lost_at is None) is not (at is None):
        save_source(db, replace(source, lost_at=at))


def mark_unreachable(db: Connection, source: str, problem: str) -> None:
    """Store `problem`, the reason why a source could not be reached."""
    problem = redact(problem)
    with transaction(db):
        for old in read_sources(db):
            if old.name == source and old.problem != problem:
                save_source(db, replace(old, problem=problem))


def mark_activity(db: Connection, source: str, at: int) -> None:
    """Store that a source sent something at `at` (ms UTC), in the caller's transaction."""
    db.execute(_MARK_ACTIVITY, {"name": source, "at": at})


def read_sources(db: Connection) -> tuple[ExternalSource, ...]:
    """Every source that was ever configured, retired ones included."""
    return tuple(_parse_source(*row) for row in db.execute(_SOURCES).fetchall())


def _parse_source(name: str, heard_at: int, started_at: int | None, facts: str) -> ExternalSource:
    known = json.loads(facts)
    known["way"] = SourceProtocol(known["way"])
    for column in ("no_data_alerts", "peers"):
        known[column] = tuple(known.get(column, ()))
    return ExternalSource(name=name, heard_at=heard_at, started_at=started_at, **known)


def save_source(db: Connection, source: ExternalSource) -> None:
    """Insert or replace a source, in the caller's transaction."""
    facts = to_plain(source) | {"way": source.way.value}
    for column in ("name", "heard_at", "started_at"):
        del facts[column]
    row = {"name": source.name, "heard_at": source.heard_at, "started_at": source.started_at}
    db.execute(_SAVE_SOURCE, row | {"facts": json.dumps(facts, sort_keys=True)})


_INSERT_EVENT = """
insert into event_in (source, event_key, received_at, payload, judged_at)
values (:source, :key, :at, :payload, null)
on conflict (source, event_key) do nothing
"""

_PENDING_EVENTS = """
select payload from event_in where judged_at is null
order by received_at, source, event_key limit :limit
"""

_MARK_PROCESSED = """
update event_in set judged_at = :at where source = :source and event_key = :key
"""

_DELETE_EVENTS = "delete from event_in where judged_at < :before"

_DELETE_STATES = """
delete from memory where at < :before and (holder like 'said:%' or holder like 'sender:%')
"""

_SAVE_MEMORY = """
insert into memory (holder, key, value, at) values (:holder, :key, :value, :at)
on conflict (holder, key) do update set value = excluded.value, at = excluded.at
where excluded.at >= memory.at
"""

_MEMORIES = "select key, value, at from memory where holder = :holder order by key"

_MEMORY = "select value, at from memory where holder = :holder and key = :key"

_DELETE_MEMORY = "delete from memory where holder = :holder and key = :key"

_SUPPRESSING = """
select distinct substr(holder, 6) from memory
where holder like 'said:%' and value not like '%"suppressed_by": []%'
order by 1
"""

_OPEN_EXTERNAL = f"""
select {EPISODE}, {ALERT} from episode as e join alert as a on a.id = e.alert
where e.ended_at is null and a.source <> :ours order by e.id
"""

_HAS_PENDING = "select exists (select 1 from event_in where judged_at is null)"

_HOUR = 3_600_000

BATCH_SIZE = 500
"""Events evaluated in one transaction (0.2 s): a longer one would block operators."""

EVENT_RETENTION = 3 * 86_400_000
"""Milliseconds that a processed event is stored, to recognize it when it is sent again."""


class PendingResolve(StrEnum):
    """The reason why a resolve event is kept for later instead of ending its alert."""

    HELD = "held"
    """The end of the alert is in doubt, for example while its source is silent."""
    EARLY = "early"
    """The alert is not open: its firing event may arrive after the resolve."""


def append_events(db: Connection, source: str, events: Sequence[ExternalEvent], now: int) -> int:
    """Store events that a source sent, in a transaction of its own.

    Returns how many of them were not stored already.
    """
    events = list(map(_without_secrets, events))
    with transaction(db):
        new = _insert_events(db, source, events, now)
        for event in events:
            if event.status is Status.FIRING:
                last = read_remote_state(db, source, event.fingerprint)
                _save_remote_state(db, source, event.fingerprint, state_after_push(event, last))
        return new


def replace_list(db: Connection, source: str, events: Sequence[ExternalEvent], now: int) -> int:
    """Store the full list of alerts that fire at a source; alerts that it lacks are resolved.

    For a while after a restart of the source nothing is resolved, because it has forgotten its
    alerts. Returns how many events were not stored already.
    """
    events = list(map(_without_secrets, events))
    with transaction(db):
        whole = not any(one.name == source and now < one.held_until for one in read_sources(db))
        before = read_remote_states(db, source)
        missing = missing_resolves(source, before, events, now) if whole else ()
        listed = [mark_reappeared(event, before.get(event.fingerprint)) for event in events]
        new = _insert_events(db, source, (*listed, *missing), now)
        for event in events:
            last = before.get(event.fingerprint)
            _save_remote_state(db, source, event.fingerprint, state_after(event, last, listed=True))
        for event in missing:
            _save_remote_state(
                db, source, event.fingerprint, replace(before[event.fingerprint], listed=False)
            )
        return new


def _without_secrets(event: ExternalEvent) -> ExternalEvent:
    """The event, its texts without secrets: a sender may repeat what was sent to it."""
    labels = {name: redact(value) for name, value in event.labels.items()}
    annotations = {name: redact(value) for name, value in event.annotations.items()}
    rule, link = redact(event.rule), redact(event.link)
    return replace(event, rule=rule, link=link, labels=labels, annotations=annotations)


def _insert_events(db: Connection, source: str, events: Sequence[ExternalEvent], now: int) -> int:
    new = 0
    for event in events:
        row = {"source": source, "key": event.key, "at": event.received_at}
        new += db.execute(_INSERT_EVENT, row | {"payload": encode(event)}).rowcount
    for sender, at in _last_alive(events).items():
        _save_memory(db, f"sender:{source}", sender, "", at)
    mark_activity(db, source, now)
    return new


def _last_alive(events: Iterable[ExternalEvent]) -> dict[str, int]:
    """The newest time (ms UTC) at which each sender was known to be alive, by sender."""
    found: dict[str, int] = {}
    for event in events:
        if event.alive_at is not None:
            found[event.sender] = max(event.alive_at, found.get(event.sender, 0))
    return found


def pending_events(db: Connection, limit: int = BATCH_SIZE) -> tuple[ExternalEvent, ...]:
    """Up to `limit` unprocessed events, in the order in which they were received."""
    rows = db.execute(_PENDING_EVENTS, {"limit": limit}).fetchall()
    events = [decode(payload) for (payload,) in rows]
    return tuple(sorted(events, key=lambda event: (event.received_at, event.turn)))


def mark_processed(db: Connection, events: Iterable[ExternalEvent], now: int) -> None:
    """Mark events as processed, in the caller's transaction."""
    rows = [{"source": event.source, "key": event.key, "at": now} for event in events]
    db.executemany(_MARK_PROCESSED, rows)


def has_pending_events(db: Connection) -> bool:
    """Whether there are unprocessed events."""
    return bool(db.execute(_HAS_PENDING).fetchone()[0])


def delete_old_events(db: Connection, now: int) -> int:
    """Delete events past their retention, at most once an hour, in the caller's transaction.

    Returns how many were deleted.
    """
    last = db.execute(_MEMORY, {"holder": "hearing", "key": "forgot"}).fetchone()
    if last is not None and now - last[1] < _HOUR:
        return 0
    _save_memory(db, "hearing", "forgot", "", now)
    db.execute(_DELETE_STATES, {"before": now - 10 * EVENT_RETENTION})
    return db.execute(_DELETE_EVENTS, {"before": now - EVENT_RETENTION}).rowcount


def read_open_external(db: Connection) -> tuple[tuple[Episode, Alert], ...]:
    """Every open episode of an external alert, with the alert, oldest first."""
    return tuple(pair_from(row) for row in db.execute(_OPEN_EXTERNAL, {"ours": OURS}).fetchall())


def read_owners(db: Connection, source: str) -> dict[str, Acknowledgement]:
    """The acknowledgements in force on what a source lists, by fingerprint of the alert.

    An alert that another source told first counts where this one lists it, too.
    """
    acks, opened = read_acknowledgements(db), read_open_external(db)
    alerts = _alerts_at(db, source, opened)
    owners = {alert.id: acks[episode.id] for episode, alert in opened if episode.id in acks}
    return {
        fingerprint: owners[number]
        for fingerprint, numbers in alerts.items()
        for number in numbers
        if number in owners
    }


def _alerts_at(
    db: Connection, source: str, opened: Sequence[EpisodeOfAlert]
) -> dict[str, tuple[int, ...]]:
    """The numbers of the open alerts that a source has, by fingerprint.

    Where it lists an alert that is not open under its own name, those of other sources with the
    same labels are meant: told by two, it is one alert.
    """
    own = {alert.fingerprint: (alert.id,) for _, alert in opened if alert.source == source}
    states = read_remote_states(db, source)
    others: dict[str, tuple[int, ...]] = {}
    for _, alert in opened:
        state = states.get(alert.fingerprint)
        if alert.fingerprint not in own and state is not None and state.listed:
            others[alert.fingerprint] = (*others.get(alert.fingerprint, ()), alert.id)
    return own | others


def ensure_store_name(db: Connection, fresh: str) -> str:
    """Return the permanent name by which other systems know this store.

    A store without a name gets `fresh` as its name.
    """
    with transaction(db):
        row = db.execute(_MEMORY, {"holder": "hearing", "key": "name"}).fetchone()
        if row is None:
            _save_memory(db, "hearing", "name", fresh, 0)
        return fresh if row is None else str(row[0])


def read_remote_states(db: Connection, source: str) -> dict[str, RemoteAlertState]:
    """What a source last reported on each alert that fired there, by fingerprint."""
    rows = db.execute(_MEMORIES, {"holder": _remote_state_holder(source)}).fetchall()
    return {fingerprint: _parse_remote_state(value) for fingerprint, value, _ in rows}


def read_remote_state(db: Connection, source: str, fingerprint: str) -> RemoteAlertState | None:
    """What a source last reported on one alert; None when the alert never fired there."""
    row = db.execute(
        _MEMORY, {"holder": _remote_state_holder(source), "key": fingerprint}
    ).fetchone()
    return None if row is None else _parse_remote_state(row[0])


def read_suppressed(db: Connection) -> dict[int, tuple[str, ...]]:
    """The reasons for which open alerts are muted at their sources, by alert number.

    An alert that its source does not mute is absent.
    """
    sources = [row[0] for row in db.execute(_SUPPRESSING).fetchall()]
    opened = read_open_external(db) if sources else ()
    found: dict[int, tuple[str, ...]] = {}
    for source in sources:
        states = read_remote_states(db, source)
        for fingerprint, numbers in _alerts_at(db, source, opened).items():
            state = states.get(fingerprint)
            if state is not None and state.suppressed_by:
                found |= dict.fromkeys(numbers, state.suppressed_by)
    return found


def sender_alive_at(db: Connection, source: str, sender: str) -> int | None:
    """When a system that reports through a source was last known to be alive (ms UTC).

    None when it never was.
    """
    row = db.execute(_MEMORY, {"holder": f"sender:{source}", "key": sender}).fetchone()
    return None if row is None else int(row[1])


def mark_alive(db: Connection, source: str, sender: str, at: int) -> None:
    """Store that a system that reports through a source was alive at `at` (ms UTC)."""
    _save_memory(db, f"sender:{source}", sender, "", at)


def mark_only_sender_alive(db: Connection, source: str, at: int) -> None:
    """Store that the one sender of a source was alive at `at` (ms UTC); nothing with several."""
    senders = {state.sender for state in read_remote_states(db, source).values()}
    if len(senders) == 1:
        mark_alive(db, source, senders.pop(), at)


def read_deferred(db: Connection, why: PendingResolve) -> tuple[ExternalEvent, ...]:
    """All resolve events that are kept for later for the reason `why`, in order of arrival."""
    rows = db.execute(_MEMORIES, {"holder": why.value}).fetchall()
    events = [decode(payload) for _, payload, _ in rows]
    return tuple(sorted(events, key=lambda event: (event.received_at, event.turn)))


def defer_resolve(db: Connection, why: PendingResolve, event: ExternalEvent) -> None:
    """Keep a resolve event for later for the reason `why`, in the caller's transaction."""
    _save_memory(db, why.value, event.key, encode(event), event.received_at)


def drop_deferred(db: Connection, why: PendingResolve, event: ExternalEvent) -> None:
    """Delete a resolve event that was kept for the reason `why`, in the caller's transaction."""
    db.execute(_DELETE_MEMORY, {"holder": why.value, "key": event.key})


def shift_external_times(db: Connection, jump: int, now: int) -> None:
    """Move the times of sources and their alerts after our clock jumped to `now` (ms UTC).

    They move by `jump` (ms), so that the jump makes no source silent and ends no alert early. Runs
    in the caller's transaction.
    """
    for source in read_sources(db):
        save_source(db, source.shift_times(jump, now))
        for fingerprint, last in read_remote_states(db, source.name).items():
            db.execute(
                _DELETE_MEMORY, {"holder": _remote_state_holder(source.name), "key": fingerprint}
            )
            _save_remote_state(db, source.name, fingerprint, last.shift_times(jump, now))


def _save_memory(db: Connection, holder: str, key: str, value: str, at: int) -> None:
    db.execute(_SAVE_MEMORY, {"holder": holder, "key": key, "value": value, "at": at})


def _save_remote_state(
    db: Connection, source: str, fingerprint: str, last: RemoteAlertState
) -> None:
    _save_memory(db, _remote_state_holder(source), fingerprint, json.dumps(to_plain(last)), last.at)


def _remote_state_holder(source: str) -> str:
    return f"said:{source}"


def _parse_remote_state(value: str) -> RemoteAlertState:
    row = json.loads(value)
    row["suppressed_by"] = tuple(row["suppressed_by"])
    return RemoteAlertState(**row)
