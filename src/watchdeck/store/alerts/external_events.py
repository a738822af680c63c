"""What other systems said: kept before they are told that it was, and judged once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from sqlite3 import Connection

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import OURS, Acknowledgement, Alert, Episode
from watchdeck.domain.external.event import ExternalEvent, Status, decode, encode
from watchdeck.domain.external.source import (
    RemoteAlertState,
    mark_reappeared,
    missing_from_list,
    state_after,
    state_after_push,
)
from watchdeck.domain.values.plain import to_plain
from watchdeck.store.alerts.acknowledgements import read_acknowledgements
from watchdeck.store.alerts.episodes import ALERT, EPISODE, pair_from
from watchdeck.store.alerts.external_sources import mark_activity, save_source, sources
from watchdeck.store.files.connection import transaction

_TAKE = """
insert into event_in (source, event_key, received_at, payload, judged_at)
values (:source, :key, :at, :payload, null)
on conflict (source, event_key) do nothing
"""
_UNJUDGED = """
select payload from event_in where judged_at is null
order by received_at, source, event_key limit :limit
"""
_JUDGED = """
update event_in set judged_at = :at where source = :source and event_key = :key
"""
_FORGET = "delete from event_in where judged_at < :before"
_FORGET_SAID = """
delete from memory where at < :before and (holder like 'said:%' or holder like 'sender:%')
"""

_REMEMBER = """
insert into memory (holder, key, value, at) values (:holder, :key, :value, :at)
on conflict (holder, key) do update set value = excluded.value, at = excluded.at
where excluded.at >= memory.at
"""
_RECALL = "select key, value, at from memory where holder = :holder order by key"
_RECALL_ONE = "select value, at from memory where holder = :holder and key = :key"
_DROP = "delete from memory where holder = :holder and key = :key"
_SUPPRESSED = """
select a.id, m.value
from alert as a join memory as m on m.holder = 'said:' || a.source and m.key = a.fingerprint
where a.source <> 'watchdeck' and m.value not like '%"suppressed_by": []%'
order by a.id
"""

_OPEN = f"""
select {EPISODE}, {ALERT} from episode as e join alert as a on a.id = e.alert
where e.ended_at is null and a.source <> :ours order by e.id
"""

_NEWS = "select exists (select 1 from event_in where judged_at is null)"

_HOUR = 3_600_000

AT_ONCE = 500
"""Events that are judged in one transaction (0.2 s): people want to write, too."""

KEPT = 3 * 86_400_000
"""For how long (ms) a judged event is kept, so that it is known when it comes again."""


class PendingResolve(StrEnum):
    """Why a resolve waits: something speaks against it, or its firing was not heard yet."""

    HELD = "held"
    EARLY = "early"


def append_events(db: Connection, source: str, events: Sequence[ExternalEvent], now: int) -> int:
    """Keep what a source said, in one transaction that is committed on return; how much is new."""
    with transaction(db):
        new = _take(db, source, events, now)
        for event in events:
            if event.status is Status.FIRING:
                last = read_standing(db, source, event.fingerprint)
                _stand(db, source, event.fingerprint, state_after_push(event, last))
        return new


def replace_list(db: Connection, source: str, events: Sequence[ExternalEvent], now: int) -> int:
    """Keep a source's list of all that fires, and what it says by what it no longer holds.

    The list of a source that just started anew says nothing of an end.
    """
    with transaction(db):
        whole = not any(one.name == source and now < one.held_until for one in sources(db))
        before = read_standings(db, source)
        gone = missing_from_list(source, before, events, now) if whole else ()
        told = [mark_reappeared(event, before.get(event.fingerprint)) for event in events]
        new = _take(db, source, (*told, *gone), now)
        for event in events:
            last = before.get(event.fingerprint)
            _stand(db, source, event.fingerprint, state_after(event, last, listed=True))
        for event in gone:
            _stand(db, source, event.fingerprint, replace(before[event.fingerprint], listed=False))
        return new


def _take(db: Connection, source: str, events: Sequence[ExternalEvent], now: int) -> int:
    new = 0
    for event in events:
        row = {"source": source, "key": event.key, "at": event.received_at}
        new += db.execute(_TAKE, row | {"payload": encode(event)}).rowcount
    for sender, at in _alive(events).items():
        _remember(db, f"sender:{source}", sender, "", at)
    mark_activity(db, source, now)
    return new


def _alive(events: Iterable[ExternalEvent]) -> dict[str, int]:
    """When each sender was last surely there."""
    found: dict[str, int] = {}
    for event in events:
        if event.alive_at is not None:
            found[event.sender] = max(event.alive_at, found.get(event.sender, 0))
    return found


def pending_events(db: Connection, limit: int = AT_ONCE) -> tuple[ExternalEvent, ...]:
    """The events that nobody judged yet, in the order in which they came."""
    rows = db.execute(_UNJUDGED, {"limit": limit}).fetchall()
    events = [decode(payload) for (payload,) in rows]
    return tuple(sorted(events, key=lambda event: (event.received_at, event.turn)))


def mark_processed(db: Connection, events: Iterable[ExternalEvent], now: int) -> None:
    """These events were judged, inside the caller's transaction."""
    rows = [{"source": event.source, "key": event.key, "at": now} for event in events]
    db.executemany(_JUDGED, rows)


def is_news(db: Connection) -> bool:
    """Whether anything waits to be judged."""
    return bool(db.execute(_NEWS).fetchone()[0])


def forget(db: Connection, now: int) -> int:
    """Let go of what was judged long ago, once an hour, inside the caller's transaction.

    Returns how many events went.
    """
    last = db.execute(_RECALL_ONE, {"holder": "hearing", "key": "forgot"}).fetchone()
    if last is not None and now - last[1] < _HOUR:
        return 0
    _remember(db, "hearing", "forgot", "", now)
    db.execute(_FORGET_SAID, {"before": now - 10 * KEPT})
    return db.execute(_FORGET, {"before": now - KEPT}).rowcount


def read_open_foreign(db: Connection) -> tuple[tuple[Episode, Alert], ...]:
    """Every open episode of another system's alert, the oldest first."""
    return tuple(pair_from(row) for row in db.execute(_OPEN, {"ours": OURS}).fetchall())


def read_owned(db: Connection, source: str) -> dict[str, Acknowledgement]:
    """Who has which open alert of a source, by its fingerprint."""
    acks = read_acknowledgements(db)
    return {
        alert.fingerprint: acks[episode.id]
        for episode, alert in read_open_foreign(db)
        if alert.source == source and episode.id in acks
    }


def own_name(db: Connection, fresh: str) -> str:
    """The name by which others know this store, for good; `fresh` when it has none yet."""
    with transaction(db):
        row = db.execute(_RECALL_ONE, {"holder": "hearing", "key": "name"}).fetchone()
        if row is None:
            _remember(db, "hearing", "name", fresh, 0)
        return fresh if row is None else str(row[0])


def read_standings(db: Connection, source: str) -> dict[str, RemoteAlertState]:
    """What a source last said of each alert that fired, by fingerprint."""
    rows = db.execute(_RECALL, {"holder": _said(source)}).fetchall()
    return {fingerprint: _standing(value) for fingerprint, value, _ in rows}


def read_standing(db: Connection, source: str, fingerprint: str) -> RemoteAlertState | None:
    """What a source last said of one alert while it fired; None when it never did."""
    row = db.execute(_RECALL_ONE, {"holder": _said(source), "key": fingerprint}).fetchone()
    return None if row is None else _standing(row[0])


def read_suppressed(db: Connection) -> dict[int, tuple[str, ...]]:
    """Who keeps which alert quiet at its source, by the alert's number."""
    found = {}
    for number, value in db.execute(_SUPPRESSED).fetchall():
        last = _standing(value)
        if last.suppressed_by:
            found[int(number)] = last.suppressed_by
    return found


def sender_alive_at(db: Connection, source: str, sender: str) -> int | None:
    """When a sender behind a source was last surely there (ms UTC); None when never."""
    row = db.execute(_RECALL_ONE, {"holder": f"sender:{source}", "key": sender}).fetchone()
    return None if row is None else int(row[1])


def waiting(db: Connection, why: PendingResolve) -> tuple[ExternalEvent, ...]:
    """The resolves that wait."""
    rows = db.execute(_RECALL, {"holder": why.value}).fetchall()
    return tuple(decode(payload) for _, payload, _ in rows)


def defer_resolve(db: Connection, why: PendingResolve, event: ExternalEvent) -> None:
    """Let a resolve wait, inside the caller's transaction."""
    _remember(db, why.value, event.key, encode(event), event.received_at)


def drop_deferred(db: Connection, why: PendingResolve, event: ExternalEvent) -> None:
    """A resolve waits no longer, inside the caller's transaction."""
    db.execute(_DROP, {"holder": why.value, "key": event.key})


def shift_heard(db: Connection, jump: int, now: int) -> None:
    """Go on after our clock went to `now` (ms UTC) by a jump (ms), in the caller's transaction.

    Who was heard before is not silent for it, and no promise is over sooner.
    """
    for source in sources(db):
        save_source(db, source.shifted(jump, now))
        for fingerprint, last in read_standings(db, source.name).items():
            db.execute(_DROP, {"holder": _said(source.name), "key": fingerprint})
            _stand(db, source.name, fingerprint, last.shifted(jump, now))


def _remember(db: Connection, holder: str, key: str, value: str, at: int) -> None:
    db.execute(_REMEMBER, {"holder": holder, "key": key, "value": value, "at": at})


def _stand(db: Connection, source: str, fingerprint: str, last: RemoteAlertState) -> None:
    _remember(db, _said(source), fingerprint, json.dumps(to_plain(last)), last.at)


def _said(source: str) -> str:
    return f"said:{source}"


def _standing(value: str) -> RemoteAlertState:
    row = json.loads(value)
    row["suppressed_by"] = tuple(row["suppressed_by"])
    return RemoteAlertState(**row)
