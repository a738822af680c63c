"""The systems that tell of alerts: when they were heard, and what is known of each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from sqlite3 import Connection

from msgspec.structs import replace

from watchdeck.domain.external.source import ExternalSource, SourceProtocol
from watchdeck.domain.values.plain import to_plain
from watchdeck.store.files.connection import transaction

_TOUCH = "update source set heard_at = :at where name = :name and heard_at < :at"
_SOURCES = "select name, heard_at, started_at, facts from source order by name"
_SAVE_SOURCE = """
insert into source (name, heard_at, started_at, facts)
values (:name, :heard_at, :started_at, :facts)
on conflict (name) do update
set heard_at = excluded.heard_at, started_at = excluded.started_at, facts = excluded.facts
"""


def register_sources(db: Connection, wanted: Iterable[ExternalSource], now: int) -> None:
    """Make the configured sources known; what others are is kept, and they are retired."""
    with transaction(db):
        known = {source.name: source for source in sources(db)}
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
                ),
            )
        for old in known.values():
            save_source(db, replace(old, retired=True))


def mark_heard(db: Connection, source: str, at: int, started_at: int | None) -> None:
    """A source answered at `at`, and says that it started at `started_at` (ms UTC)."""
    with transaction(db):
        for old in sources(db):
            if old.name == source:
                save_source(db, old.answered(at, started_at))


def mark_lost(db: Connection, source: ExternalSource, at: int | None) -> None:
    """The dead man's switch of a source ceased at a moment (ms UTC), or is there again.

    Inside the caller's transaction.
    """
    if (source.lost_at is None) is not (at is None):
        save_source(db, replace(source, lost_at=at))


def not_heard(db: Connection, source: str, problem: str) -> None:
    """A source could not be asked, and why."""
    with transaction(db):
        for old in sources(db):
            if old.name == source and old.problem != problem:
                save_source(db, replace(old, problem=problem))


def mark_activity(db: Connection, source: str, at: int) -> None:
    """A source said something at `at` (ms UTC), inside the caller's transaction."""
    db.execute(_TOUCH, {"name": source, "at": at})


def sources(db: Connection) -> tuple[ExternalSource, ...]:
    """Every source that was ever configured."""
    return tuple(_source(*row) for row in db.execute(_SOURCES).fetchall())


def _source(name: str, heard_at: int, started_at: int | None, facts: str) -> ExternalSource:
    told = json.loads(facts)
    told["way"] = SourceProtocol(told["way"])
    return ExternalSource(name=name, heard_at=heard_at, started_at=started_at, **told)


def save_source(db: Connection, source: ExternalSource) -> None:
    """Keep a source as it is, inside the caller's transaction."""
    facts = to_plain(source) | {"way": source.way.value}
    for column in ("name", "heard_at", "started_at"):
        del facts[column]
    row = {"name": source.name, "heard_at": source.heard_at, "started_at": source.started_at}
    db.execute(_SAVE_SOURCE, row | {"facts": json.dumps(facts, sort_keys=True)})
