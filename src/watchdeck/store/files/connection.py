"""Connections to the store's files: how they are opened, what is refused, what went wrong."""

from __future__ import annotations

import os
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

from watchdeck.errors import (
    StoreBehind,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreMissing,
    StoreTooNew,
)
from watchdeck.store.files.directory import check_file
from watchdeck.store.schema.registry import schema_of
from watchdeck.store.schema.step import Schema

__all__ = [
    "Connection",
    "StorageFault",
    "corruption_as_error",
    "data_version",
    "faults",
    "reading",
    "snapshot",
    "transaction",
    "writing",
]

StorageFault = (sqlite3.Error, StoreError)
"""All that can go wrong with a connection, for those who go on without it."""

_WRITE_TIMEOUT = 5.0
_READ_TIMEOUT = 0.25
"""Seconds. A reader is never blocked by a writer in WAL; only recovery and upgrades block it."""

_WAL_LIMIT = 64 << 20


def writing(path: Path, *, synchronous: str = "FULL") -> Connection:
    """Open a file of the store for writing, in autocommit: group writes with `transaction`.

    Raises StoreMissing, StoreBehind, StoreTooNew, StoreCorrupt, or StoreError when it is busy.
    """
    db = _open(path, "rw", _WRITE_TIMEOUT)
    with _closing_on_failure(db, path):
        check_version(db, path, schema_of(path))
        db.execute("pragma journal_mode = wal")
        db.execute(f"pragma synchronous = {_SYNCHRONOUS[synchronous]}")
        db.execute(f"pragma journal_size_limit = {_WAL_LIMIT}")
        db.execute("pragma foreign_keys = on")
    return db


_SYNCHRONOUS = {"NORMAL": "normal", "FULL": "full", "OFF": "off"}


def reading(path: Path, *, still: bool = False) -> Connection:
    """Open a file of the store read-only. Raises as `writing` does.

    A connection stays on the thread that opened it. A file without a write-ahead log stands
    `still`: it can be read where nothing may be written, but no change of it is ever seen.
    """
    db = _open(path, "ro&immutable=1" if still else "ro", _READ_TIMEOUT)
    with _closing_on_failure(db, path):
        check_version(db, path, schema_of(path))
    return db


def open_unchecked(path: Path, *, mode: str = "ro") -> Connection:
    """Open any SQLite file of ours without asking for its version: for upgrades and checks."""
    return _open(path, mode, _WRITE_TIMEOUT)


def _open(path: Path, mode: str, timeout: float) -> Connection:
    for suffix in ("", "-wal", "-shm"):
        check_file(path.with_name(path.name + suffix), missing_ok=bool(suffix))
    with faults(path):
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        db = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None)
    with _closing_on_failure(db, path):
        db.execute("pragma trusted_schema = off")
    return db


def version(db: Connection) -> tuple[int, int]:
    """The application_id and the version that stand in a file's header."""
    (application,) = db.execute("pragma application_id").fetchone()
    (number,) = db.execute("pragma user_version").fetchone()
    return application, number


def check_version(db: Connection, path: Path, schema: Schema) -> None:
    """Raises unless the file is of this schema and of exactly the version known here."""
    number = check_kind(db, path, schema)
    if number < schema.version:
        raise StoreBehind(
            f"{path} has version {number}, and this watchdeck needs {schema.version}."
            " `watchdeck collect` upgrades it, after a backup."
        )


def check_kind(db: Connection, path: Path, schema: Schema) -> int:
    """The version of a file. Raises StoreCorrupt when it is no store, StoreTooNew when newer."""
    application, number = version(db)
    if application != schema.application or number < 1:
        raise StoreCorrupt(
            f"{path} is not a watchdeck {schema.name} file{_empty(path)}."
            " Move it away and start the collector, or put a backup in its place."
        )
    if number > schema.version:
        raise StoreTooNew(
            f"{path} has version {number}, and this watchdeck knows versions up to"
            f" {schema.version}. Install the watchdeck that wrote it, or a newer one."
        )
    return number


def _empty(path: Path) -> str:
    return ": it is empty" if path.stat().st_size == 0 else ""


@contextmanager
def transaction(db: Connection) -> Iterator[Connection]:
    """Write all of the block or nothing of it.

    It takes the write lock at once: one that began by reading would fail to upgrade later.
    """
    db.execute("begin immediate")
    try:
        yield db
        db.execute("commit")
    except BaseException:
        # a full disk or a broken file has ended the transaction already
        if db.in_transaction:
            db.execute("rollback")
        raise


def data_version(db: Connection) -> int:
    """A number that is another one once another connection has committed; 5 us to ask."""
    (number,) = db.execute("pragma data_version").fetchone()
    return int(number)


@contextmanager
def snapshot(db: Connection) -> Iterator[Connection]:
    """Read one moment of a file. Keep the block short: while it lasts the WAL can only grow."""
    db.execute("begin")
    try:
        yield db
    finally:
        if db.in_transaction:
            db.execute("rollback")


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""An unknown table or column (ERROR) in a file of the right version is damage too."""

_REASONS = {
    sqlite3.SQLITE_BUSY: "is busy: another process is upgrading or recovering it. Try again.",
    sqlite3.SQLITE_LOCKED: "is busy: another process is upgrading or recovering it. Try again.",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full. Free some space.",
    sqlite3.SQLITE_READONLY: "cannot be written: the file or its disk is read-only.",
    sqlite3.SQLITE_READONLY_DIRECTORY: (
        "cannot even be read: that takes two small files beside it, and its directory is read-only."
        " Use a copy of the directory, or the user who made it."
    ),
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk answers with an error.",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened. Check the permissions of it and its directory.",
    sqlite3.SQLITE_PERM: "may not be opened. Check its permissions.",
    sqlite3.SQLITE_AUTH: "may not be opened. Check its permissions.",
}


@contextmanager
def faults(path: Path) -> Iterator[None]:
    """Every error of SQLite within the block as a StoreError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(path, error) from error
    except UnicodeDecodeError as error:
        # what SQLite has to say of a damaged schema may quote it
        raise corrupt(path, str(error)) from error


@contextmanager
def faults_of(db: Connection) -> Iterator[None]:
    """As `faults`, for the file that a connection was opened on."""
    try:
        yield
    except sqlite3.Error as error:
        _, _, path = db.execute("pragma database_list").fetchone()
        raise _fault(Path(path), error) from error


_SENSELESS = (
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    RecursionError,
    struct.error,
    zlib.error,
)
"""What flipped bytes within a row can raise where SQLite itself sees nothing wrong."""


@contextmanager
def corruption_as_error(path: Path) -> Iterator[None]:
    """As `faults`, and rows that make no sense are damage too: for what only reads."""
    try:
        with faults(path):
            yield
    except _SENSELESS as error:
        raise corrupt(path, f"{type(error).__name__}: {error}") from error


def _fault(path: Path, error: sqlite3.Error) -> StoreError:
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code = extended & 0xFF
    if not os.path.lexists(path):
        return StoreMissing(f"{path} has gone. `watchdeck collect` makes a new store.")
    if code in _DAMAGED:
        return corrupt(path, str(error))
    reason = _REASONS.get(extended) or _REASONS.get(code, "cannot be used.")
    kind = StoreFull if code == sqlite3.SQLITE_FULL else StoreError
    return kind(f"{path} {reason} (SQLite: {error})")


def corrupt(path: Path, detail: str) -> StoreCorrupt:
    """The error for a damaged file, with what would work."""
    return StoreCorrupt(
        f"{path} is damaged ({detail}). Move it away and start the collector, or put a backup in"
        " its place; `watchdeck doctor` examines it."
    )


@contextmanager
def _closing_on_failure(db: Connection, path: Path) -> Iterator[None]:
    try:
        with faults(path):
            yield
    except BaseException:
        db.close()
        raise
