"""Restore: a checked backup takes the place of a store, whose files are moved aside."""

import os
import secrets
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from watchdeck.errors import StoreError
from watchdeck.store.files.connection import check_kind, copy_file, open_unchecked, store_errors
from watchdeck.store.files.directory import DIRECTORY_MODE, StoreDirectory, sync
from watchdeck.store.schema.registry import schema_of

UNFINISHED = "restore-unfinished"
"""A file that is in the directory of a store while a restore replaces its files."""

_SUFFIXES = ("-wal", "-shm", "-journal", "")
"""What belongs to a database file: a log of the old file must never meet the new one."""


_LOG_LAG = 10.0
"""Seconds: a checkpoint writes the file within moments of the log's last commit."""


class RestoreResult(Struct, frozen=True):
    """A finished restore."""

    sizes: dict[str, int]
    """Bytes by file name."""
    old_files: Path | None
    """Where the files are now that were in place before; None when there were none."""


def restore(directory: StoreDirectory, source: Path, *, now: int) -> RestoreResult:
    """Put the checked copies of a backup in the place of a store; the old files are moved aside.

    The caller holds the collector lock. A restore that is interrupted leaves a note, with which no
    collector starts until it was repeated. Raises StoreError; the store is then as before, unless
    the text says otherwise.
    """
    files = (directory.metrics, directory.state)
    note = directory.path / UNFINISHED
    fresh = directory.path / f".restore-{secrets.token_hex(4)}"
    try:
        fresh.mkdir(DIRECTORY_MODE)
        sizes = {path.name: _copy_checked(source / path.name, fresh) for path in files}
        note.write_text(f"{source.absolute()}\n")
        sync(directory.path)
        old_files = _move_aside(directory, now)
        for path in files:
            (fresh / path.name).rename(path)
        sync(directory.path)
        note.unlink()
        sync(directory.path)
    except OSError as error:
        raise StoreError(f"{directory.path} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return RestoreResult(sizes, old_files)


def check_restored(directory: StoreDirectory) -> None:
    """Raise StoreError after an interrupted restore, and when a file was replaced beside its log.

    SQLite would replay the log of the old file into the new one, and damage it.
    """
    for path in (directory.metrics, directory.state):
        _refuse_strange_log(path)
    note = directory.path / UNFINISHED
    if not os.path.lexists(note):
        return
    source = note.read_text(errors="replace").strip()
    raise StoreError(
        f"a restore of {directory.path} was interrupted. Run `watchdeck restore {source}` again;"
        " the files of before are in its folders before-restore-*."
    )


def _refuse_strange_log(path: Path) -> None:
    """Raise StoreError when a file is newer than the log beside it, which SQLite writes last."""
    log = path.with_name(f"{path.name}-wal")
    try:
        file, beside = path.stat(), log.stat()
    except OSError:
        return
    if beside.st_size and file.st_mtime - beside.st_mtime > _LOG_LAG:
        raise StoreError(
            f"{path} was replaced, and {log.name} of the file before lies beside it: SQLite would"
            f" damage the new one with it. Move {log.name} and {path.name}-shm away, or put a"
            " backup in place with `watchdeck restore BACKUP`, which does that."
        )


def _copy_checked(path: Path, into: Path) -> int:
    """Copy one file of a backup, which is checked in full on the way. Raises StoreError."""
    if not path.is_file():
        raise StoreError(
            f"{path} is not there. A backup is a directory with metrics.db and state.db, as"
            " `watchdeck backup` makes it."
        )
    with closing(open_unchecked(path)) as db, store_errors(path):
        check_kind(db, path, schema_of(path))
    return copy_file(path, into / path.name)


def _move_aside(directory: StoreDirectory, now: int) -> Path | None:
    """Move the files of the store into a new folder; None when there are none."""
    moment = datetime.fromtimestamp(now // 1_000, UTC)
    place = directory.path / f"before-restore-{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    found = [
        path.with_name(f"{path.name}{suffix}")
        for path in (directory.metrics, directory.state)
        for suffix in _SUFFIXES
        if os.path.lexists(path.with_name(f"{path.name}{suffix}"))
    ]
    if not found:
        return None
    place.mkdir(DIRECTORY_MODE)
    for path in found:
        path.rename(place / path.name)
    sync(place)
    return place
