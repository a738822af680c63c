"""Creation, upgrade, backup and restore of the store, each with an audit row."""

from contextlib import closing
from pathlib import Path

from watchdeck.domain.values.operator import Operator
from watchdeck.store.backup import BackupResult, backup
from watchdeck.store.files.connection import Connection, open_writable, store_errors, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import MigrationResult, prepare
from watchdeck.store.quarantine import QuarantineResult, quarantine_damaged
from watchdeck.store.restore import RestoreResult, check_restored, restore
from watchdeck.store.state.audit import append_audit


def quarantine_store(
    directory: StoreDirectory, who: Operator, now: int
) -> tuple[QuarantineResult, ...]:
    """Move damaged files aside and save what can be read of them; an audit row for each.

    Raises StoreError.
    """
    done = quarantine_damaged(directory, now)
    if done:
        with (
            closing(open_writable(directory.state)) as db,
            store_errors(directory.state),
            transaction(db),
        ):
            for one in done:
                after = {"moved_to": str(one.moved_to), "why": one.why, "saved": one.saved}
                append_audit(db, now, who, "quarantine", one.file, None, after)
    return done


def prepare_store(
    directory: StoreDirectory, who: Operator, now: int
) -> tuple[MigrationResult, ...]:
    """Create or upgrade both files of the store; returns one result for each changed file.

    Each result becomes an audit row. Raises StoreError, also after an interrupted restore.
    """
    check_restored(directory)
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
    """Copy the store to `target`, and write an audit row with the operator and the copy's path.

    The copy does not contain that row, which is written later. Raises StoreError.
    """
    with closing(open_writable(directory.state)) as db:
        done = backup(directory, target, now=now)
        after = {"sizes": done.sizes, "audit": str(done.audit.head)}
        with store_errors(directory.state), transaction(db):
            append_audit(db, now, who, "backup", str(done.path.absolute()), None, after)
    return done


def restore_store(
    directory: StoreDirectory, source: Path, who: Operator, now: int
) -> RestoreResult:
    """Put a backup in the place of the store, upgrade it if need be, and write an audit row.

    The row is the next one of the restored audit. Raises StoreError, and CollectorRunning.
    """
    directory.create()
    with directory.hold_lock():
        done = restore(directory, source, now=now)
        prepare_store(directory, who, now)
        with (
            closing(open_writable(directory.state)) as db,
            store_errors(directory.state),
            transaction(db),
        ):
            old_files = done.old_files and str(done.old_files)
            after = {"sizes": done.sizes, "old_files": old_files}
            append_audit(db, now, who, "restore", str(source.absolute()), None, after)
    return done
