"""Create or upgrade the store, on somebody's behalf."""

from contextlib import closing
from pathlib import Path

from watchdeck.domain.values.operator import Operator
from watchdeck.store.backup import BackupResult, backup
from watchdeck.store.files.connection import Connection, open_writable, store_errors, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import MigrationResult, prepare
from watchdeck.store.state.audit import append_audit


def prepare_store(
    directory: StoreDirectory, who: Operator, now: int
) -> tuple[MigrationResult, ...]:
    """Bring both files to the version of this program, and enter what was done in the audit."""
    done = prepare(directory)
    if done:
        with (
            closing(open_writable(directory.state)) as db,
            store_errors(directory.state),
            transaction(db),
        ):
            for one in done:
                _enter(db, one, who, now)
    return done


def _enter(db: Connection, one: MigrationResult, who: Operator, now: int) -> None:
    before = {"version": one.before} if one.before else None
    after = {"version": one.after, "copy": one.copy and str(one.copy.absolute())}
    append_audit(db, now, who, "upgrade" if before else "create", one.path.name, before, after)


def back_up(directory: StoreDirectory, target: Path, who: Operator, now: int) -> BackupResult:
    """Copy the store to `target`, and enter in the audit who did it and where the copy is.

    The copy itself does not hold that entry: it is older. Raises StoreError.
    """
    with closing(open_writable(directory.state)) as db:
        done = backup(directory, target, now=now)
        after = {"sizes": done.sizes, "audit": str(done.audit.head)}
        with store_errors(directory.state), transaction(db):
            append_audit(db, now, who, "backup", str(done.path.absolute()), None, after)
    return done
