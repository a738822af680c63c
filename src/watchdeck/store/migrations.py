"""Creation of a store's files, and their upgrade to the version that this program needs."""

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
from watchdeck.store.files.connection import (
    check_kind,
    copy_file,
    open_unchecked,
    store_errors,
    transaction,
)
from watchdeck.store.files.directory import (
    DIRECTORY_MODE,
    FILE_MODE,
    StoreDirectory,
    lock_directory,
    os_errors_as_store_error,
    sync,
)
from watchdeck.store.schema.registry import MigrationStep, Schema, apply_step, schema_of

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
"""The migration table of sqlite-utils, written out: to import sqlite-utils takes half a second."""


class MigrationResult(Struct, frozen=True):
    """A database file that was created or upgraded."""

    path: Path
    before: int
    """The version before; 0 for a created file."""
    after: int
    copy: Path | None = None
    """The backup of an upgraded file; None for a created file."""


def prepare(
    directory: StoreDirectory, schema_for: Callable[[Path], Schema] = schema_of
) -> tuple[MigrationResult, ...]:
    """Create or upgrade both files; returns one result for each that was not ready yet.

    Raises StoreTooNew when a file is newer than this program, StoreCorrupt when it is no file of a
    store, and StoreBehind while the collector of an older watchdeck still writes; then nothing is
    changed.
    """
    directory.create()
    with os_errors_as_store_error(directory.path), lock_directory(directory.path):
        _remove_unfinished(directory)
        versions = {
            path: _version_of(path, schema_for(path))
            for path in (directory.metrics, directory.state)
        }
        due = {
            path: before for path, before in versions.items() if before < schema_for(path).version
        }
        if any(due.values()):
            _refuse_if_collecting(directory)
        return tuple(
            _create_or_upgrade(directory, path, before, schema_for(path))
            for path, before in due.items()
        )


def _refuse_if_collecting(directory: StoreDirectory) -> None:
    """Raises StoreBehind when another collector runs: it would go on writing in the old version."""
    holder = directory.lock_holder()
    if holder not in (None, os.getpid()):
        raise StoreBehind(
            f"{directory.path} must be upgraded, and the collector of an older watchdeck (process"
            f" {holder}) still writes to it. Stop that one first."
        )


def _version_of(path: Path, schema: Schema) -> int:
    """The version of a file; 0 when it does not exist."""
    if not os.path.lexists(path):
        return 0
    with closing(open_unchecked(path)) as db, store_errors(path):
        return check_kind(db, path, schema)


def _create_or_upgrade(
    directory: StoreDirectory, path: Path, before: int, schema: Schema
) -> MigrationResult:
    if before == 0:
        create_file(path, schema)
        return MigrationResult(path, 0, schema.version)
    copy = _back_up(directory, path, before)
    with closing(open_unchecked(path, mode="rw")) as db, store_errors(path):
        upgrade(db, schema)
    return MigrationResult(path, before, schema.version, copy)


def _remove_unfinished(directory: StoreDirectory) -> None:
    """Delete half-made files of processes that were killed while they created or copied a file."""
    for path in (directory.metrics, directory.state):
        halves = [
            *directory.path.glob(f".{path.name}-*"),
            *directory.backups.glob(f".{path.stem}-v*.db-*"),
        ]
        for half in halves:
            half.unlink()


def create_file(path: Path, schema: Schema) -> None:
    """Create a database file under a temporary name, and rename it to `path` when complete."""
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, FILE_MODE))
    try:
        with store_errors(fresh), closing(sqlite3.connect(fresh, isolation_level=None)) as db:
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
    # before WAL: once WAL is set, it stays NONE
    db.execute(f"pragma auto_vacuum = {schema.auto_vacuum}")
    with transaction(db):
        db.execute(f"pragma application_id = {schema.application}")
        for statement in _LEDGER:
            db.execute(statement)
        for number, step in enumerate(schema.steps, 1):
            apply_step(db, step)
            db.execute(_RECORD_STEP, {"migration_set": _SET, "name": _step_name(number)})
        db.execute(f"pragma user_version = {schema.version}")
    db.execute("pragma journal_mode = wal")


_RECORD_STEP = """
insert into _sqlite_migrations (migration_set, name, applied_at)
values (:migration_set, :name, strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now'))
"""


def _step_name(number: int) -> str:
    return f"m{number:03}"


def upgrade(db: Connection, schema: Schema) -> None:
    """Apply all missing migration steps in one transaction, and record each in the database."""
    from sqlite_utils import Database, Migrations  # takes half a second, once after an update

    migrations = Migrations(_SET)
    for number, step in enumerate(schema.steps, 1):
        migrations(name=_step_name(number))(_migration(number, step))
    with transaction(db):
        migrations.apply(Database(db, recursive_triggers=False, execute_plugins=False))


def _migration(number: int, step: MigrationStep) -> Callable[[Database], None]:
    def migrate(database: Database) -> None:
        apply_step(database.conn, step)
        database.conn.execute(f"pragma user_version = {number}")

    return migrate


def _back_up(directory: StoreDirectory, path: Path, before: int) -> Path:
    """Copy a file to the backups before it is changed. Raises StoreError."""
    directory.backups.mkdir(DIRECTORY_MODE, exist_ok=True)
    name = f"{path.stem}-v{before}"
    earlier = len(list(directory.backups.glob(f"{name}*.db")))
    copy = directory.backups / f"{name}-{earlier + 1}.db"
    copy_file(path, copy)
    return copy
