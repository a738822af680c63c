"""A copy of the whole store that can be used as a store: consistent, checked, or not there."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from watchdeck.errors import StoreError
from watchdeck.store.files.connection import check_kind, faults, open_unchecked
from watchdeck.store.files.copy import copy_file
from watchdeck.store.files.directory import DIRECTORY_MODE, StoreDirectory, sync
from watchdeck.store.schema.registry import schema_of
from watchdeck.store.state.audit import Verified, verify


class BackupResult(Struct, frozen=True):
    """A finished backup: the directory, its files' sizes in bytes, and its audit as it was found.

    A bad audit does not stop a backup: it is evidence.
    """

    path: Path
    at: int
    sizes: dict[str, int]
    audit: Verified


def backup(directory: StoreDirectory, target: Path, *, now: int) -> BackupResult:
    """Copy both files to a new directory; an existing one gets a new directory inside.

    The collector goes on meanwhile. To restore, put the two files where the store was. Raises
    StoreError, and then leaves nothing behind.
    """
    directory.check()
    place = target / _name(now) if target.is_dir() else target
    if os.path.lexists(place):
        raise StoreError(f"{place} exists already, and is not overwritten. Name another place.")
    fresh = place.with_name(f".{place.name}-{secrets.token_hex(4)}")
    try:
        _make(fresh)
        sizes = {path.name: _copied(path, fresh) for path in (directory.metrics, directory.state)}
        audit = _verified(fresh / directory.state.name)
        fresh.rename(place)
        sync(place.parent)
    except OSError as error:
        raise StoreError(f"{place} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return BackupResult(place, now, sizes, audit)


def _name(now: int) -> str:
    return f"watchdeck-{datetime.fromtimestamp(now // 1_000, UTC):%Y%m%dT%H%M%SZ}"


def _make(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"there is no directory {path.parent} for the backup. Make it first.")
    path.mkdir(DIRECTORY_MODE)


def _copied(path: Path, into: Path) -> int:
    with closing(open_unchecked(path)) as db, faults(path):
        check_kind(db, path, schema_of(path))
    return copy_file(path, into / path.name)


def _verified(path: Path) -> Verified:
    with closing(open_unchecked(path)) as db, faults(path):
        return verify(db)
