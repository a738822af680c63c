"""Connections to the SQLite files of a store: opening, transactions, errors, whole copies."""

import os
import secrets
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
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
from watchdeck.store.files.directory import FILE_MODE, check_file, sync
from watchdeck.store.schema.registry import Schema, schema_of

__all__ = [
    "Connection",
    "StorageFault",
    "corruption_as_error",
    "data_version",
    "open_readonly",
    "open_writable",
    "snapshot",
    "store_errors",
    "transaction",
]

StorageFault = (sqlite3.Error, StoreError)
"""Every exception of a connection, for callers that go on without the store."""

_WRITE_TIMEOUT = 5.0
_READ_TIMEOUT = 0.25
"""Seconds. With a WAL no writer blocks a reader; only recovery and upgrades do."""

_WAL_LIMIT = 64 << 20


def open_writable(path: Path, *, synchronous: str = "FULL") -> Connection:
    """Open a database file for writing, in autocommit mode: group writes with `transaction`.

    Raises StoreMissing, StoreBehind, StoreTooNew, StoreCorrupt, or StoreError when busy.
    """
    db = _open(path, "rw", _WRITE_TIMEOUT)
    with _close_on_failure(db, path):
        check_version(db, path, schema_of(path))
        db.execute("pragma journal_mode = wal")
        db.execute(f"pragma synchronous = {_SYNCHRONOUS[synchronous]}")
        db.execute(f"pragma journal_size_limit = {_WAL_LIMIT}")
        db.execute("pragma foreign_keys = on")
    return db


_SYNCHRONOUS = {"NORMAL": "normal", "FULL": "full", "OFF": "off"}


def open_readonly(path: Path, *, still: bool = False) -> Connection:
    """Open a database file read-only, on the thread that will use it. Raises as `open_writable`.

    `still` is for a file without a write-ahead log: such a file can be read even in a read-only
    directory, but the connection never sees a later change.
    """
    db = _open(path, "ro&immutable=1" if still else "ro", _READ_TIMEOUT)
    with _close_on_failure(db, path):
        check_version(db, path, schema_of(path))
    return db


def open_unchecked(path: Path, *, mode: str = "ro") -> Connection:
    """Open a database file of any version, for upgrades and checks. Raises StoreError."""
    return _open(path, mode, _WRITE_TIMEOUT)


def _open(path: Path, mode: str, timeout: float) -> Connection:
    for suffix in ("", "-wal", "-shm"):
        check_file(path.with_name(path.name + suffix), missing_ok=bool(suffix))
    with store_errors(path):
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        db = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None)
    with _close_on_failure(db, path):
        db.execute("pragma trusted_schema = off")
    return db


def read_version(db: Connection) -> tuple[int, int]:
    """The application_id and the version in a file's header."""
    (application,) = db.execute("pragma application_id").fetchone()
    (number,) = db.execute("pragma user_version").fetchone()
    return application, number


def check_version(db: Connection, path: Path, schema: Schema) -> None:
    """Check that a file has exactly the version of a schema.

    Raises StoreBehind when the file is older, and what `check_kind` raises.
    """
    number = check_kind(db, path, schema)
    if number < schema.version:
        raise StoreBehind(
            f"{path} has version {number}, and this watchdeck needs {schema.version}."
            " `watchdeck collect` upgrades it, after a backup."
        )


def check_kind(db: Connection, path: Path, schema: Schema) -> int:
    """Check that a file belongs to a schema, and return the version of the file.

    Raises StoreCorrupt when it does not belong to it, StoreTooNew when the file is newer.
    """
    application, number = read_version(db)
    if application != schema.application or number < 1:
        raise StoreCorrupt(
            f"{path} is not a watchdeck {schema.name} file{_empty_hint(path)}."
            " Move it away and start the collector, or put a backup in its place."
        )
    if number > schema.version:
        raise StoreTooNew(
            f"{path} has version {number}, and this watchdeck knows versions up to"
            f" {schema.version}. Install the watchdeck that wrote it, or a newer one."
        )
    return number


def _empty_hint(path: Path) -> str:
    return ": it is empty" if path.stat().st_size == 0 else ""


@contextmanager
def transaction(db: Connection) -> Iterator[Connection]:
    """Commit all writes of the block, or none when it raises.

    The write lock is taken at once: a transaction that began by reading may fail to get it later.
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
    """A number that changes when another connection commits; reading it takes 5 us."""
    (number,) = db.execute("pragma data_version").fetchone()
    return int(number)


@contextmanager
def snapshot(db: Connection) -> Iterator[Connection]:
    """Let all reads of the block see one unchanging state of the file.

    Until the block ends, the WAL can only grow.
    """
    db.execute("begin")
    try:
        yield db
    finally:
        if db.in_transaction:
            db.execute("rollback")


_CORRUPTION_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""SQLITE_ERROR is an unknown table or column: in a file of the right version, damage too."""

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
def store_errors(path: Path) -> Iterator[None]:
    """Raise every SQLite error of the block as a StoreError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise _store_error(path, error) from error
    except UnicodeDecodeError as error:
        # the message about a damaged schema may quote bytes of it
        raise corruption_error(path, str(error)) from error


_DECODE_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    RecursionError,
    struct.error,
    zlib.error,
)
"""What decoding a row with damaged bytes can raise, where SQLite itself finds no error."""


@contextmanager
def corruption_as_error(path: Path) -> Iterator[None]:
    """Raise every SQLite error of the block as a StoreError that names the file. For readers.

    Unlike `store_errors`, it also raises StoreCorrupt for rows that cannot be decoded.
    """
    try:
        with store_errors(path):
            yield
    except _DECODE_ERRORS as error:
        raise corruption_error(path, f"{type(error).__name__}: {error}") from error


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code = extended & 0xFF
    if not os.path.lexists(path):
        return StoreMissing(f"{path} has gone. `watchdeck collect` makes a new store.")
    if code in _CORRUPTION_CODES:
        return corruption_error(path, str(error))
    reason = _REASONS.get(extended) or _REASONS.get(code, "cannot be used.")
    kind = StoreFull if code == sqlite3.SQLITE_FULL else StoreError
    return kind(f"{path} {reason} (SQLite: {error})")


def corruption_error(path: Path, detail: str) -> StoreCorrupt:
    """Build the StoreCorrupt for a damaged file, with the remedy in its text."""
    return StoreCorrupt(
        f"{path} is damaged ({detail}). `watchdeck restore BACKUP` puts a backup in its place, and"
        " keeps the old files; `watchdeck doctor` examines it."
    )


@contextmanager
def _close_on_failure(db: Connection, path: Path) -> Iterator[None]:
    try:
        with store_errors(path):
            yield
    except BaseException:
        db.close()
        raise


def copy_file(source: Path, target: Path, *, shown: Path | None = None) -> int:
    """Copy a consistent state of `source` to the new file `target` (0600), even during writes.

    Returns the size in bytes. The copy is compact, checked in full, and on disk. Raises StoreError,
    also when `target` exists; a failure leaves nothing behind. An error with the target names it,
    or `shown`, the place that it will have in the end.
    """
    if os.path.lexists(target):
        raise StoreError(f"{target} exists already, and is not overwritten. Name another place.")
    fresh = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    # created here, because SQLite would create it readable by others
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, FILE_MODE))
    try:
        with closing(open_unchecked(source)) as db, _copy_errors(source, shown or target):
            db.execute("vacuum into ?", (str(fresh),))
        check_integrity(fresh)
        sync(fresh)
        fresh.rename(target)
    finally:
        for suffix in ("", "-journal"):
            with suppress(FileNotFoundError):
                fresh.with_name(fresh.name + suffix).unlink()
    sync(target.parent)
    return target.stat().st_size


_TARGET_CODES = frozenset(
    (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_CLOSE,
    )
)
"""Extended codes of errors with what is written: while a file is copied, only the target."""


@contextmanager
def _copy_errors(source: Path, target: Path) -> Iterator[None]:
    """Raise every SQLite error of a copy as a StoreError that names the file to blame."""
    try:
        with store_errors(source):
            yield
    except StoreError as error:
        code = getattr(error.__cause__, "sqlite_errorcode", None)
        if code not in _TARGET_CODES:
            raise
        raise StoreFull(
            f"{target} cannot be written: its disk, or that of temporary files, is full or refuses"
            f" more. Free some space, or name another place. (SQLite: {error.__cause__})"
        ) from error


def check_integrity(path: Path) -> None:
    """Check every page of a file that nobody writes. Raises StoreError that lists the errors."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with store_errors(path), closing(sqlite3.connect(uri, uri=True)) as db:
        found = [row[0] for row in db.execute("pragma integrity_check(3)")]
    if found != ["ok"]:
        raise StoreError(f"the copy {path.name} is not sound: {'; '.join(found)}")
