"""Backup: a consistent and checked copy of both files, which can be used as a store."""

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
from watchdeck.store.state.audit import AuditVerification, verify


class BackupResult(Struct, frozen=True):
    """A finished backup."""

    path: Path
    at: int
    """Time of the backup (ms UTC)."""
    sizes: dict[str, int]
    """Bytes by file name."""
    audit: AuditVerification
    """The check of the copied audit; a broken one does not stop a backup, which is evidence."""


def backup(directory: StoreDirectory, target: Path, *, now: int) -> BackupResult:
    """Copy both database files of a store to the new directory `target`.

    When `target` exists, the new directory is made inside it. The collector may run meanwhile.
    `restore` puts it in the place of a store. Raises StoreError, and then leaves no copy behind.
    """
    directory.check()
    place = target / _directory_name(now) if target.is_dir() else target
    if os.path.lexists(place):
        raise StoreError(f"{place} exists already, and is not overwritten. Name another place.")
    fresh = place.with_name(f".{place.name}-{secrets.token_hex(4)}")
    try:
        _make_directory(fresh)
        sizes = {
            path.name: _copy_database(path, fresh, place)
            for path in (directory.metrics, directory.state)
        }
        audit = _verify_audit(fresh / directory.state.name)
        fresh.rename(place)
        sync(place.parent)
    except OSError as error:
        raise StoreError(f"{place} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return BackupResult(place, now, sizes, audit)


def _directory_name(now: int) -> str:
    return f"watchdeck-{datetime.fromtimestamp(now // 1_000, UTC):%Y%m%dT%H%M%SZ}"


def _make_directory(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"there is no directory {path.parent} for the backup. Make it first.")
    path.mkdir(DIRECTORY_MODE)


def _copy_database(path: Path, into: Path, place: Path) -> int:
    with closing(open_unchecked(path)) as db, store_errors(path):
        check_kind(db, path, schema_of(path))
    return copy_file(path, into / path.name, shown=place / path.name)


def _verify_audit(path: Path) -> AuditVerification:
    with closing(open_unchecked(path)) as db, store_errors(path):
        return verify(db)
