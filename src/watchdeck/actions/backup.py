"""Back the store up, on somebody's behalf."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from watchdeck.domain.operator import Operator
from watchdeck.store.audit import append
from watchdeck.store.backup import BackedUp, backup
from watchdeck.store.connect import faults, transaction, writing
from watchdeck.store.directory import StoreDirectory


def back_up(directory: StoreDirectory, target: Path, who: Operator, now: int) -> BackedUp:
    """Copy the store to `target`, and enter in the audit who did it and where the copy is.

    The copy itself does not hold that entry: it is older. Raises StoreError.
    """
    with closing(writing(directory.state)) as db:
        done = backup(directory, target, now=now)
        after = {"sizes": done.sizes, "audit": str(done.audit.head)}
        with faults(directory.state), transaction(db):
            append(db, now, who, "backup", str(done.path.absolute()), None, after)
    return done
