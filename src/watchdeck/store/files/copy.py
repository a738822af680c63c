"""A whole and checked copy of one SQLite file, while others go on writing to it."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from watchdeck.errors import StoreError
from watchdeck.store.files.connection import faults, open_unchecked
from watchdeck.store.files.directory import FILE_MODE, sync


def copy_file(source: Path, target: Path) -> int:
    """Copy one moment of `source` to `target` (0600), which must not exist; its size in bytes.

    The copy is compact, checked in full, and has reached the disk when this returns. Nothing is
    left behind on failure. Raises StoreError.
    """
    if os.path.lexists(target):
        raise StoreError(f"{target} exists already, and is not overwritten. Name another place.")
    fresh = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    # made by us, so that it is never readable by others, not even while it grows
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, FILE_MODE))
    try:
        with closing(open_unchecked(source)) as db, faults(source):
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


def check_integrity(path: Path) -> None:
    """Read every page of a file that nobody writes. Raises StoreError with what is wrong."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with faults(path), closing(sqlite3.connect(uri, uri=True)) as db:
        found = [row[0] for row in db.execute("pragma integrity_check(3)")]
    if found != ["ok"]:
        raise StoreError(f"the copy {path.name} is not sound: {'; '.join(found)}")
