"""A backup is whole and checked, or it is not there."""

import os
import resource
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from store.stores import NOW, judged, whole
from watchdeck.domain.board.board import Health, HealthChange
from watchdeck.errors import StoreCorrupt, StoreError, StoreFull, StoreMissing, StoreTooNew
from watchdeck.store.backup import backup
from watchdeck.store.files.connection import check_integrity, copy_file, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import prepare
from watchdeck.store.reader import Reader


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    return whole(tmp_path / "store")


def test_a_backup_is_a_store_like_the_one_it_was_made_of(
    directory: StoreDirectory, tmp_path: Path
) -> None:
    done = backup(directory, tmp_path / "copy", now=NOW)
    with closing(Reader(directory)) as old, closing(Reader(StoreDirectory(done.path))) as new:
        assert new.board(NOW) == old.board(NOW)
    assert done.sizes == {
        path.name: path.stat().st_size for path in done.path.iterdir() if path.suffix == ".db"
    }
    assert (done.audit.rows, done.audit.first_bad) == (1, None)


def test_a_restored_backup_is_written_like_any_store(
    directory: StoreDirectory, tmp_path: Path
) -> None:
    restored = StoreDirectory(backup(directory, tmp_path / "copy", now=NOW).path)
    assert prepare(restored) == ()
    judged(restored, HealthChange("fraud", NOW, Health.DOWN, "down", "refused"))
    with closing(Reader(restored)) as reader:
        assert reader.board(NOW).models[1].health is Health.DOWN


def test_a_backup_is_for_its_owner_alone(directory: StoreDirectory, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        place = backup(directory, tmp_path / "copy", now=NOW).path
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == {0o600}


def test_an_existing_directory_gets_a_new_one_inside_named_by_the_time(
    directory: StoreDirectory, tmp_path: Path
) -> None:
    place = tmp_path / "backups"
    place.mkdir()
    assert backup(directory, place, now=NOW).path == place / "watchdeck-20261123T050000Z"
    with pytest.raises(StoreError, match="exists already"):
        backup(directory, place, now=NOW)
    assert len(list(place.iterdir())) == 1


def test_nothing_is_overwritten(directory: StoreDirectory, tmp_path: Path) -> None:
    place = tmp_path / "precious"
    place.write_text("precious")
    with pytest.raises(StoreError, match="not overwritten"):
        backup(directory, place, now=NOW)
    with pytest.raises(StoreError, match="not overwritten"):
        copy_file(directory.state, place)
    assert place.read_text() == "precious"


def test_a_place_that_is_not_there_is_named(directory: StoreDirectory, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no directory"):
        backup(directory, tmp_path / "absent" / "copy", now=NOW)


def test_a_missing_store_cannot_be_backed_up(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        backup(StoreDirectory(tmp_path / "none"), tmp_path / "copy", now=NOW)
    assert list(tmp_path.iterdir()) == []


def left_behind(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.iterdir() if path.name != "store")


@pytest.mark.parametrize("name", ["metrics.db", "state.db"])
def test_a_damaged_store_leaves_no_half_backup(
    directory: StoreDirectory, tmp_path: Path, name: str
) -> None:
    with (directory.path / name).open("r+b") as file:
        file.seek(2 * 16_384)
        file.write(b"\xff" * 8 * 16_384)
    with pytest.raises(StoreError, match=name):
        backup(directory, tmp_path / "copy", now=NOW)
    assert left_behind(tmp_path) == []


def test_a_newer_store_is_not_copied_by_an_older_program(
    directory: StoreDirectory, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(directory.state)) as db:
        db.execute("pragma user_version = 9")
    with pytest.raises(StoreTooNew):
        backup(directory, tmp_path / "copy", now=NOW)
    assert left_behind(tmp_path) == []


def test_a_store_with_a_broken_audit_is_still_backed_up_and_says_so(
    directory: StoreDirectory, tmp_path: Path
) -> None:
    with closing(open_writable(directory.state)) as db, transaction(db):
        db.execute("drop trigger audit_forgets_nothing")
        db.execute("delete from audit")
    assert backup(directory, tmp_path / "copy", now=NOW).audit.first_bad == 1


def test_a_disk_that_takes_no_more_leaves_no_half_backup(
    directory: StoreDirectory, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    try:
        said = rf"{tmp_path}/copy/metrics\.db cannot be written: its disk.* is full"
        with pytest.raises(StoreFull, match=said):
            backup(directory, tmp_path / "copy", now=NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_behind(tmp_path) == []


def test_a_place_that_may_not_be_written_is_named(directory: StoreDirectory) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        backup(directory, Path("/proc/copy"), now=NOW)


def test_a_copy_that_is_not_sound_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("create table deed (who text)")
        db.execute("insert into deed values (null)")
        db.execute("pragma writable_schema = on")
        db.execute("update sqlite_master set sql = 'create table deed (who text not null)'")
    with pytest.raises(StoreError, match="not sound: NULL value"):
        check_integrity(path)


def test_a_copy_of_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"no database" * 100)
    path.chmod(0o600)
    with pytest.raises(StoreCorrupt):
        copy_file(path, tmp_path / "copy")
    assert [found.name for found in tmp_path.iterdir()] == ["state.db"]
