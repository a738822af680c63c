"""Quarantine: a damaged file is moved aside, and what can be read of it goes into a new one.

An hour of damaged history must not stop the watching, nor a damaged row the telling.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreCorrupt, StoreError
from watchdeck.store.alerts.acknowledgements import (
    find_acknowledgement,
    read_acknowledgements,
    read_known_issues,
    read_silence,
    read_silences,
)
from watchdeck.store.alerts.episodes import read_ended_episodes, read_episode, read_open_episodes
from watchdeck.store.alerts.external import read_open_external, read_remote_states, read_sources
from watchdeck.store.files.connection import (
    Connection,
    check_kind,
    corruption_as_error,
    open_unchecked,
    open_writable,
    transaction,
)
from watchdeck.store.files.directory import DIRECTORY_MODE, StoreDirectory, sync
from watchdeck.store.metrics.frames import LayoutTable
from watchdeck.store.metrics.latest import read_facts_by_id, read_heartbeat, read_latest_rows
from watchdeck.store.migrations import prepare
from watchdeck.store.schema.registry import schema_of
from watchdeck.store.state.changes import read_identities
from watchdeck.store.state.health import read_health
from watchdeck.store.state.rules import read_maintenance, read_rules

_HEADER = b"SQLite format 3\0"

_LOADED_SINCE = 900_000
"""Milliseconds: a collector that starts loads the episodes that ended since then."""

_SAVED_TABLES = (
    *("audit", "alert", "episode", "transition", "acknowledgement", "note", "silence", "pin"),
    *("opinion", "outbox", "health", "identity", "change", "source", "memory"),
)
"""The tables of state.db whose rows are saved, those first that others refer to."""

_ROW_CHECKS: dict[str, Callable[[Connection, int], object]] = {
    "episode": read_episode,
    "acknowledgement": find_acknowledgement,
    "silence": read_silence,
}
"""Decodes a saved row by its number, so that one bad row is left out and not all."""


class QuarantineResult(Struct, frozen=True):
    """A file that was moved aside."""

    file: str
    moved_to: Path
    why: str
    saved: dict[str, int]
    """The number of rows saved, by table."""

    @property
    def words(self) -> str:
        """What happened, in a sentence."""
        kept = ", ".join(f"{count} of {table}" for table, count in self.saved.items() if count)
        rest = f"rows saved: {kept}" if kept else "nothing of it could be saved"
        return f"{self.file} was damaged, and is now {self.moved_to}; {rest}"


def quarantine_damaged(directory: StoreDirectory, now: int) -> tuple[QuarantineResult, ...]:
    """Replace the files of a store that a collector could not start with.

    The caller holds the collector lock. A file that is not a database of this program is left
    alone. Raises StoreError when no file can be moved or made.
    """
    checks = ((directory.metrics, _read_metrics), (directory.state, _read_state))
    found = ((path, _damage_of(path, read, now)) for path, read in checks)
    return tuple(_quarantine(directory, path, why, now) for path, why in found if why)


def _damage_of(path: Path, read: Callable[[Connection, int], None], now: int) -> str:
    """Why a file cannot be read, in words; empty when it can, or is none of this program.

    A file of an earlier version is left to its upgrade.
    """
    try:
        with path.open("rb") as file:
            is_database = file.read(len(_HEADER)) == _HEADER
    except OSError:
        return ""
    if not is_database:
        return ""
    try:
        with closing(open_unchecked(path)) as db, corruption_as_error(path):
            if check_kind(db, path, schema_of(path)) == schema_of(path).version:
                read(db, now)
    except StoreCorrupt as error:
        return clean(str(error), 300)
    return ""


def _read_metrics(db: Connection, _: int) -> None:
    """Read what a collector needs of metrics.db."""
    read_facts_by_id(db)
    read_heartbeat(db)
    layouts = LayoutTable(db)
    for row in read_latest_rows(db):
        layouts.columns(row.layout)


def _read_state(db: Connection, now: int) -> None:
    """Read what a collector needs of state.db, and check its pages."""
    (found,) = db.execute("pragma quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(str(found))
    for read in (read_open_episodes, read_acknowledgements, read_open_external):
        read(db)
    read_ended_episodes(db, now - _LOADED_SINCE)
    for read_at in (read_silences, read_known_issues):
        read_at(db, now)
    for read_all in (read_health, read_rules, read_maintenance, read_identities):
        read_all(db)
    for source in read_sources(db):
        read_remote_states(db, source.name)


def _quarantine(directory: StoreDirectory, path: Path, why: str, now: int) -> QuarantineResult:
    moment = datetime.fromtimestamp(now // 1_000, UTC)
    place = directory.path / f"damaged-{path.stem}-{moment:%Y%m%dT%H%M%SZ}"
    place.mkdir(DIRECTORY_MODE, exist_ok=True)
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            path.with_name(f"{path.name}{suffix}").rename(place / f"{path.name}{suffix}")
    sync(directory.path)
    prepare(directory)
    old = place / path.name
    saved = _salvage(directory, old, now) if path == directory.state else {}
    return QuarantineResult(path.name, old, why, saved)


def _salvage(directory: StoreDirectory, old: Path, now: int) -> dict[str, int]:
    """Copy the readable rows of the old state.db; none when a collector could not load them."""
    with closing(open_writable(directory.state)) as db, closing(open_unchecked(old)) as source:
        with transaction(db):
            saved = {table: _copy_rows(source, db, table, old) for table in _SAVED_TABLES}
        try:
            with corruption_as_error(directory.state):
                _read_state(db, now)
        except StoreCorrupt:
            saved = {}
    if not saved:
        directory.state.replace(old.with_name("unloadable.db"))
        prepare(directory)
    return saved


def _copy_rows(source: Connection, db: Connection, table: str, old: Path) -> int:
    """Copy the readable rows of one table of the file `old`; returns how many."""
    columns = [row[1] for row in db.execute(f"pragma table_info({table})").fetchall()]
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    check, count = _ROW_CHECKS.get(table), 0
    for number in _row_numbers(source, table):
        try:
            row = source.execute(f"select {names} from {table} where rowid = ?", (number,))
            values = row.fetchone()
            with corruption_as_error(old):
                db.execute("savepoint one")
                db.execute(f"insert into {table} ({names}) values ({marks})", values)
                if check is not None:
                    check(db, values[0])
            db.execute("release one")
            count += 1
        except (sqlite3.Error, UnicodeDecodeError, StoreError):
            with suppress(sqlite3.Error):
                db.execute("rollback to one")
                db.execute("release one")
            if table == "audit":
                return count  # what follows a lost row of the chain cannot be proved any more
    return count


def _row_numbers(source: Connection, table: str) -> Iterator[int]:
    """The numbers of the rows that can be reached from both ends of a table, lowest first."""
    found: set[int] = set()
    for order in ("asc", "desc"):
        with suppress(sqlite3.Error, UnicodeDecodeError):
            for (number,) in source.execute(f"select rowid from {table} order by rowid {order}"):
                found.add(int(number))
    return iter(sorted(found))
