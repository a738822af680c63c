"""What other systems said: kept before they are told that it was, and judged once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from sqlite3 import Connection

from watchdeck.domain.alert import OURS, Alert, Episode
from watchdeck.domain.foreign import ForeignEvent, Status, decode, encode
from watchdeck.domain.standing import (
    ForeignSource,
    Standing,
    Way,
    came_back,
    standing,
    vanished,
)
from watchdeck.store.connect import transaction
from watchdeck.store.episodes import ALERT, EPISODE, pair_from

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
_FORGET_SAID = "delete from memory where at < :before and holder like 'said:%'"

_REMEMBER = """
insert into memory (holder, key, value, at) values (:holder, :key, :value, :at)
on conflict (holder, key) do update set value = excluded.value, at = excluded.at
where excluded.at >= memory.at
"""
_RECALL = "select key, value, at from memory where holder = :holder order by key"
_RECALL_ONE = "select value, at from memory where holder = :holder and key = :key"
_DROP = "delete from memory where holder = :holder and key = :key"
_SUPPRESSED = """
select holder, key, value from memory where holder like 'said:%' order by holder, key
"""

_HEARD = "update source set heard_at = :at where name = :name and heard_at < :at"
_SOURCES = "select name, heard_at, started_at, facts from source order by name"
_SAVE_SOURCE = """
insert into source (name, heard_at, started_at, facts)
values (:name, :heard_at, :started_at, :facts)
on conflict (name) do update
set heard_at = excluded.heard_at, started_at = excluded.started_at, facts = excluded.facts
"""

_OPEN = f"""
select {EPISODE}, {ALERT} from episode as e join alert as a on a.id = e.alert
where e.ended_at is null and a.source <> :ours order by e.id
"""

KEPT = 3 * 86_400_000
"""For how long (ms) a judged event is kept, so that it is known when it comes again."""


class Waits(StrEnum):
    """Why a resolve waits: something speaks against it, or its firing was not heard yet."""

    HELD = "held"
    EARLY = "early"


def take(db: Connection, source: str, events: Sequence[ForeignEvent], now: int) -> int:
    """Keep what a source said, in one transaction that is committed on return; how much is new."""
    with transaction(db):
        return _take(db, source, events, now, listed=False)


def take_list(
    db: Connection, source: str, events: Sequence[ForeignEvent], now: int, *, whole: bool
) -> int:
    """Keep a source's list of all that fires, and what it says by what it no longer holds.

    A list that is not `whole`, or of a source that just started anew, says nothing of an end.
    """
    with transaction(db):
        before = read_standings(db, source)
        gone = vanished(source, before, events, now) if whole else ()
        told = [came_back(event, before.get(event.fingerprint)) for event in events]
        new = _take(db, source, (*told, *gone), now, listed=True)
        for event in gone:
            _stand(db, source, event.fingerprint, replace(before[event.fingerprint], listed=False))
        return new


def _take(
    db: Connection, source: str, events: Sequence[ForeignEvent], now: int, *, listed: bool
) -> int:
    new = 0
    for event in events:
        row = {"source": source, "key": event.key, "at": event.received_at}
        new += db.execute(_TAKE, row | {"payload": encode(event)}).rowcount
        if event.status is Status.FIRING:
            _stand(db, source, event.fingerprint, standing(event, listed=listed))
    for sender, at in _alive(events).items():
        _remember(db, f"sender:{source}", sender, "", at)
    db.execute(_HEARD, {"name": source, "at": now})
    return new


def _alive(events: Iterable[ForeignEvent]) -> dict[str, int]:
    """When each sender was last surely there."""
    found: dict[str, int] = {}
    for event in events:
        if event.alive_at is not None:
            found[event.sender] = max(event.alive_at, found.get(event.sender, 0))
    return found


def unjudged(db: Connection, limit: int = 5_000) -> tuple[ForeignEvent, ...]:
    """The events that nobody judged yet, in the order in which they came."""
    rows = db.execute(_UNJUDGED, {"limit": limit}).fetchall()
    events = [decode(payload) for (payload,) in rows]
    return tuple(sorted(events, key=lambda event: (event.received_at, event.turn)))


def judged(db: Connection, events: Iterable[ForeignEvent], now: int) -> None:
    """These events were judged, inside the caller's transaction."""
    rows = [{"source": event.source, "key": event.key, "at": now} for event in events]
    db.executemany(_JUDGED, rows)


def forget(db: Connection, now: int) -> int:
    """Let go of what was judged long ago, inside the caller's transaction; how many events."""
    db.execute(_FORGET_SAID, {"before": now - 10 * KEPT})
    return db.execute(_FORGET, {"before": now - KEPT}).rowcount


def read_open_foreign(db: Connection) -> tuple[tuple[Episode, Alert], ...]:
    """Every open episode of another system's alert, the oldest first."""
    return tuple(pair_from(row) for row in db.execute(_OPEN, {"ours": OURS}).fetchall())


def read_standings(db: Connection, source: str) -> dict[str, Standing]:
    """What a source last said of each alert that fired, by fingerprint."""
    rows = db.execute(_RECALL, {"holder": _said(source)}).fetchall()
    return {fingerprint: _standing(value) for fingerprint, value, _ in rows}


def read_standing(db: Connection, source: str, fingerprint: str) -> Standing | None:
    """What a source last said of one alert while it fired; None when it never did."""
    row = db.execute(_RECALL_ONE, {"holder": _said(source), "key": fingerprint}).fetchone()
    return None if row is None else _standing(row[0])


def read_suppressed(db: Connection) -> dict[tuple[str, str], tuple[str, ...]]:
    """Who keeps which alert quiet at its source, by source and fingerprint."""
    found = {}
    for holder, fingerprint, value in db.execute(_SUPPRESSED).fetchall():
        last = _standing(value)
        if last.suppressed_by:
            found[holder.removeprefix("said:"), fingerprint] = last.suppressed_by
    return found


def sender_alive_at(db: Connection, source: str, sender: str) -> int | None:
    """When a sender behind a source was last surely there (ms UTC); None when never."""
    row = db.execute(_RECALL_ONE, {"holder": f"sender:{source}", "key": sender}).fetchone()
    return None if row is None else int(row[1])


def waiting(db: Connection, why: Waits) -> tuple[tuple[ForeignEvent, int], ...]:
    """The resolves that wait, each with the time (ms UTC) since when nothing changed for it."""
    rows = db.execute(_RECALL, {"holder": why.value}).fetchall()
    return tuple((decode(payload), at) for _, payload, at in rows)


def let_wait(db: Connection, why: Waits, event: ForeignEvent, now: int) -> None:
    """Let a resolve wait, or wait on, inside the caller's transaction."""
    _remember(db, why.value, event.key, encode(event), now)


def wait_no_more(db: Connection, why: Waits, event: ForeignEvent) -> None:
    """A resolve waits no longer, inside the caller's transaction."""
    db.execute(_DROP, {"holder": why.value, "key": event.key})


def register_sources(db: Connection, wanted: Iterable[ForeignSource], now: int) -> None:
    """Make the configured sources known; what others are is kept, and they are retired."""
    with transaction(db):
        known = {source.name: source for source in sources(db)}
        for source in wanted:
            old = known.pop(source.name, source)
            _save(
                db,
                replace(
                    source,
                    since=now,
                    heard_at=old.heard_at,
                    started_at=old.started_at,
                    held_until=old.held_until,
                ),
            )
        for old in known.values():
            _save(db, replace(old, retired=True))


def heard(db: Connection, source: str, at: int, started_at: int | None) -> None:
    """A source answered at `at`, and says that it started at `started_at` (ms UTC).

    When that moved it started anew, and what it says of ends is held for a while: it has forgotten
    what it does not hear of again.
    """
    with transaction(db):
        for old in sources(db):
            if old.name == source:
                anew = None not in (old.started_at, started_at) and old.started_at != started_at
                held = at + old.hold if anew else old.held_until
                told = started_at if started_at is not None else old.started_at
                _save(
                    db,
                    replace(
                        old,
                        heard_at=max(at, old.heard_at),
                        started_at=told,
                        held_until=held,
                        problem="",
                    ),
                )


def not_heard(db: Connection, source: str, problem: str) -> None:
    """A source could not be asked, and why."""
    with transaction(db):
        for old in sources(db):
            if old.name == source and old.problem != problem:
                _save(db, replace(old, problem=problem))


def sources(db: Connection) -> tuple[ForeignSource, ...]:
    """Every source that was ever configured."""
    return tuple(_source(*row) for row in db.execute(_SOURCES).fetchall())


def _source(name: str, heard_at: int, started_at: int | None, facts: str) -> ForeignSource:
    told = json.loads(facts)
    told["way"] = Way(told["way"])
    return ForeignSource(name=name, heard_at=heard_at, started_at=started_at, **told)


def _save(db: Connection, source: ForeignSource) -> None:
    facts = asdict(source) | {"way": source.way.value}
    for column in ("name", "heard_at", "started_at"):
        del facts[column]
    row = {"name": source.name, "heard_at": source.heard_at, "started_at": source.started_at}
    db.execute(_SAVE_SOURCE, row | {"facts": json.dumps(facts, sort_keys=True)})


def _remember(db: Connection, holder: str, key: str, value: str, at: int) -> None:
    db.execute(_REMEMBER, {"holder": holder, "key": key, "value": value, "at": at})


def _stand(db: Connection, source: str, fingerprint: str, last: Standing) -> None:
    _remember(db, _said(source), fingerprint, json.dumps(asdict(last)), last.at)


def _said(source: str) -> str:
    return f"said:{source}"


def _standing(value: str) -> Standing:
    row = json.loads(value)
    row["suppressed_by"] = tuple(row["suppressed_by"])
    return Standing(**row)
