"""Bringing the store's files into being, and up to the version this program knows."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.errors import StoreBehind
from watchdeck.store.files.connection import check_kind, faults, open_unchecked, transaction
from watchdeck.store.files.copy import copy_file
from watchdeck.store.files.directory import (
    DIRECTORY_MODE,
    FILE_MODE,
    StoreDirectory,
    exclusive,
    os_errors_as_store_error,
    sync,
)
from watchdeck.store.schema.registry import schema_of
from watchdeck.store.schema.step import MigrationStep, Schema, take

if TYPE_CHECKING:
    from sqlite_utils import Database

_SET = "watchdeck"

_LEDGER = (
    """\
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
)""",
    """\
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name")""",
)
"""The ledger as sqlite-utils makes it: a new file needs no half second to import that."""


class MigrationResult(Struct, frozen=True):
    """What was done to a file; `before` is 0 when it is new, `copy` the backup taken if not."""

    path: Path
    before: int
    after: int
    copy: Path | None = None


def prepare(
    directory: StoreDirectory, schema_for: Callable[[Path], Schema] = schema_of
) -> tuple[MigrationResult, ...]:
    """Create or upgrade both files; returns what was done, nothing when all was ready.

    Raises StoreTooNew or StoreCorrupt before anything is changed when either file is not ours to
    change, and StoreBehind while the collector of an older watchdeck still writes.
    """
    directory.create()
    with os_errors_as_store_error(directory.path), exclusive(directory.path):
        versions = {
            path: _version_of(path, schema_for(path))
            for path in (directory.metrics, directory.state)
        }
        due = {
            path: before for path, before in versions.items() if before < schema_for(path).version
        }
        if any(due.values()):
            _refuse_while_collected(directory)
        return tuple(
            _brought_up(directory, path, before, schema_for(path)) for path, before in due.items()
        )


def _refuse_while_collected(directory: StoreDirectory) -> None:
    """A collector of the older version would go on writing as it knows."""
    holder = directory.lock_holder()
    if holder not in (None, os.getpid()):
        raise StoreBehind(
            f"{directory.path} must be upgraded, and the collector of an older watchdeck (process"
            f" {holder}) still writes to it. Stop that one first."
        )


def _version_of(path: Path, schema: Schema) -> int:
    """The version of a file; 0 when there is none."""
    if not os.path.lexists(path):
        return 0
    with closing(open_unchecked(path)) as db, faults(path):
        return check_kind(db, path, schema)


def _brought_up(
    directory: StoreDirectory, path: Path, before: int, schema: Schema
) -> MigrationResult:
    if before == 0:
        _forget_killed(path)
        create_file(path, schema)
        return MigrationResult(path, 0, schema.version)
    copy = _keep_copy(directory, path, before)
    with closing(open_unchecked(path, mode="rw")) as db, faults(path):
        upgrade(db, schema)
    return MigrationResult(path, before, schema.version, copy)


def _forget_killed(path: Path) -> None:
    """Remove what a process that was killed while it made this file left half made."""
    for half in path.parent.glob(f".{path.name}-*"):
        half.unlink()


def create_file(path: Path, schema: Schema) -> None:
    """Make a new file beside its place and move it there whole: an empty one never stands there."""
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, FILE_MODE))
    try:
        with faults(fresh), closing(sqlite3.connect(fresh, isolation_level=None)) as db:
            _build(db, schema)
        fresh.chmod(FILE_MODE)
        sync(fresh)
        fresh.rename(path)
        sync(path.parent)
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                fresh.with_name(fresh.name + suffix).unlink()


def _build(db: Connection, schema: Schema) -> None:
    db.execute(f"pragma page_size = {schema.page_size}")
    # set after WAL it stays NONE
    db.execute(f"pragma auto_vacuum = {schema.auto_vacuum}")
    with transaction(db):
        db.execute(f"pragma application_id = {schema.application}")
        for statement in _LEDGER:
            db.execute(statement)
        for number, step in enumerate(schema.steps, 1):
            take(db, step)
            db.execute(_ENTER, {"migration_set": _SET, "name": _name(number)})
        db.execute(f"pragma user_version = {schema.version}")
    db.execute("pragma journal_mode = wal")


_ENTER = """
insert into _sqlite_migrations (migration_set, name, applied_at)
values (:migration_set, :name, strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now'))
"""


def _name(number: int) -> str:
    return f"m{number:03}"


def upgrade(db: Connection, schema: Schema) -> None:
    """Take the steps that are missing, all or none, and enter them into the ledger."""
    from sqlite_utils import Database, Migrations  # half a second, once after an update

    migrations = Migrations(_SET)
    for number, step in enumerate(schema.steps, 1):
        migrations(name=_name(number))(_taking(number, step))
    with transaction(db):
        migrations.apply(Database(db, recursive_triggers=False, execute_plugins=False))


def _taking(number: int, step: MigrationStep) -> Callable[[Database], None]:
    def taken(database: Database) -> None:
        take(database.conn, step)
        database.conn.execute(f"pragma user_version = {number}")

    return taken


def _keep_copy(directory: StoreDirectory, path: Path, before: int) -> Path:
    """Copy a file as it is before it is changed. Raises StoreError when it cannot be."""
    directory.backups.mkdir(DIRECTORY_MODE, exist_ok=True)
    name = f"{path.stem}-v{before}"
    taken = len(list(directory.backups.glob(f"{name}*.db")))
    copy = directory.backups / f"{name}-{taken + 1}.db"
    copy_file(path, copy)
    return copy
