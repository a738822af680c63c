"""A backup takes the place of a store, and what was there is kept."""

import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from store.stores import ANNA, NOW, judged, whole
from watchdeck.actions.store import prepare_store, restore_store
from watchdeck.domain.board.board import Health, HealthChange
from watchdeck.errors import CollectorRunning, StoreError
from watchdeck.store.backup import backup
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.reader import Reader
from watchdeck.store.restore import UNFINISHED, check_restored
from watchdeck.store.state.audit import verify

LATER = NOW + 5_000


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    return whole(tmp_path / "store")


@pytest.fixture
def copy(directory: StoreDirectory, tmp_path: Path) -> Path:
    """A backup from before a model went down."""
    place = backup(directory, tmp_path / "copy", now=NOW).path
    judged(directory, HealthChange("fraud", LATER, Health.DOWN, "down", "refused"))
    return place


def health(directory: StoreDirectory) -> Health:
    with closing(Reader(directory)) as reader:
        board = reader.board(LATER)
    return next(one.health for one in board.models if one.facts.name == "fraud")


def test_a_restored_store_is_as_it_was_when_it_was_backed_up(
    directory: StoreDirectory, copy: Path
) -> None:
    with closing(Reader(StoreDirectory(copy))) as reader:
        then = reader.board(NOW)
    done = restore_store(directory, copy, ANNA, LATER)
    with closing(Reader(directory)) as reader:
        assert reader.board(NOW).models == then.models
    assert set(done.sizes) == {"metrics.db", "state.db"}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in directory.path.glob("*.db")}
    assert modes == {0o600}
    with closing(open_readonly(directory.state)) as db:
        assert verify(db).first_bad is None
        (action,) = db.execute("select action from audit order by number desc limit 1").fetchone()
    assert action == "restore"


def test_the_files_of_before_are_kept_with_their_logs(
    directory: StoreDirectory, copy: Path
) -> None:
    log = directory.path / "metrics.db-wal"
    log.write_bytes(b"an old log" * 99)
    done = restore_store(directory, copy, ANNA, LATER)
    assert done.old_files is not None
    kept = {path.name for path in done.old_files.iterdir()}
    assert {"metrics.db", "state.db", "metrics.db-wal"} <= kept
    assert not log.exists() or log.stat().st_size == 0
    assert stat.S_IMODE(done.old_files.stat().st_mode) == 0o700
    assert health(StoreDirectory(done.old_files)) is not None


def test_a_store_may_be_made_of_a_backup_alone(copy: Path, tmp_path: Path) -> None:
    fresh = StoreDirectory(tmp_path / "fresh")
    assert restore_store(fresh, copy, ANNA, LATER).old_files is None
    assert health(fresh) is not Health.DOWN


def test_a_running_collector_is_not_pulled_away_from(directory: StoreDirectory, copy: Path) -> None:
    with directory.hold_lock(), pytest.raises(CollectorRunning):
        restore_store(directory, copy, ANNA, LATER)
    assert not list(directory.path.glob("before-restore-*"))


def damage(copy: Path) -> None:
    content = bytearray((copy / "state.db").read_bytes())
    content[5_000:9_000] = b"x" * 4_000
    (copy / "state.db").write_bytes(content)


def take_away(copy: Path) -> None:
    (copy / "metrics.db").unlink()


@pytest.mark.parametrize("spoil", [damage, take_away])
def test_a_backup_that_is_not_whole_changes_nothing(
    directory: StoreDirectory, copy: Path, spoil: object
) -> None:
    assert callable(spoil)
    before = health(directory)
    spoil(copy)
    with pytest.raises(StoreError):
        restore_store(directory, copy, ANNA, LATER)
    assert health(directory) is before
    assert {path.name for path in directory.path.iterdir() if path.is_dir()} <= {"backups"}
    check_restored(directory)


def test_an_interrupted_restore_is_said_and_may_be_repeated(
    directory: StoreDirectory, copy: Path
) -> None:
    (directory.path / UNFINISHED).write_text(f"{copy}\n")
    directory.state.rename(directory.path / "elsewhere")
    with pytest.raises(StoreError, match=f"watchdeck restore {copy}"):
        prepare_store(directory, ANNA, LATER)
    restore_store(directory, copy, ANNA, LATER)
    assert prepare_store(directory, ANNA, LATER) == ()


def test_a_copy_by_hand_beside_an_old_log_is_refused_with_the_cure(
    directory: StoreDirectory,
) -> None:
    log = directory.path / "metrics.db-wal"
    log.write_bytes(b"an old log" * 99)
    moment = directory.metrics.stat().st_mtime
    os.utime(log, (moment - 60, moment - 60))
    with pytest.raises(StoreError, match="watchdeck restore BACKUP"):
        prepare_store(directory, ANNA, LATER)
    log.unlink()
    assert prepare_store(directory, ANNA, LATER) == ()


def test_a_place_that_cannot_be_written_is_said(copy: Path, tmp_path: Path) -> None:
    blocked = whole(tmp_path / "blocked")
    (blocked.path / UNFINISHED).mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        restore_store(blocked, copy, ANNA, LATER)
