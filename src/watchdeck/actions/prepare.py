"""Create or upgrade the store, on somebody's behalf."""

from __future__ import annotations

from contextlib import closing

from watchdeck.domain.operator import Operator
from watchdeck.store.audit import append
from watchdeck.store.connect import Connection, faults, transaction, writing
from watchdeck.store.directory import StoreDirectory
from watchdeck.store.migrations import Prepared, prepare


def prepare_store(directory: StoreDirectory, who: Operator, now: int) -> tuple[Prepared, ...]:
    """Bring both files to the version of this program, and enter what was done in the audit."""
    done = prepare(directory)
    if done:
        with (
            closing(writing(directory.state)) as db,
            faults(directory.state),
            transaction(db),
        ):
            for one in done:
                _enter(db, one, who, now)
    return done


def _enter(db: Connection, one: Prepared, who: Operator, now: int) -> None:
    before = {"version": one.before} if one.before else None
    after = {"version": one.after, "copy": one.copy and str(one.copy.absolute())}
    append(db, now, who, "upgrade" if before else "create", one.path.name, before, after)
