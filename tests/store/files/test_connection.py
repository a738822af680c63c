"""Opening the files of a store: what is refused, in words, and what SQLite is told."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.stores import state, state_only
from watchdeck.errors import StoreBehind, StoreCorrupt, StoreError, StoreMissing, StoreTooNew
from watchdeck.store.files.connection import (
    check_version,
    open_readonly,
    open_unchecked,
    open_writable,
    snapshot,
    store_errors,
    transaction,
)
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.schema.registry import Schema, schema_of


def tamper(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def test_what_people_did_is_on_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert db.execute("pragma synchronous").fetchone() == (2,)
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)
        assert db.execute("pragma foreign_keys").fetchone() == (1,)


def test_samples_may_be_written_with_fewer_waits(tmp_path: Path) -> None:
    with closing(open_writable(state_only(tmp_path).state, synchronous="NORMAL")) as db:
        assert db.execute("pragma synchronous").fetchone() == (1,)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with (
        closing(open_readonly(state_only(tmp_path).state)) as db,
        pytest.raises(StoreError, match="read-only"),
        store_errors(tmp_path),
    ):
        db.execute("delete from identity")


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="watchdeck collect"):
        open_readonly(tmp_path / "state.db")


def test_a_newer_file_is_refused_with_both_numbers(tmp_path: Path) -> None:
    path = state_only(tmp_path).state
    known = schema_of(path).version
    tamper(path, "pragma user_version = 70")
    for opened in (open_readonly, open_writable):
        with pytest.raises(StoreTooNew, match=rf"version 70.*up to {known}"):
            opened(path)


def test_an_older_file_is_refused_with_what_upgrades_it(tmp_path: Path) -> None:
    path = state_only(tmp_path).state
    known = schema_of(path)
    newer = Schema(known.name, known.application, (*known.steps, "select 1;"))
    said = f"version {known.version}.* needs {newer.version}"
    with closing(open_unchecked(path)) as db, pytest.raises(StoreBehind, match=said):
        check_version(db, path, newer)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="an empty file"),
        pytest.param(b"not a database at all" * 100, id="a text"),
        pytest.param(b"SQLite format 3\x00", id="a header and nothing after it"),
    ],
)
def test_a_file_that_is_no_store_is_corrupt(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    path.chmod(0o600)
    for opened in (open_readonly, open_writable):
        with pytest.raises(StoreCorrupt, match=r"(watchdeck restore BACKUP|Move it away)"):
            opened(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_no_store_and_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    tamper(path, "create table theirs (x)", "pragma user_version = 1")
    path.chmod(0o600)
    before = path.read_bytes()
    for opened in (open_readonly, open_writable):
        with pytest.raises(StoreCorrupt, match="not a watchdeck state file"):
            opened(path)
    assert path.read_bytes() == before


def test_a_directory_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    with pytest.raises(StoreCorrupt, match="not a file"):
        open_readonly(tmp_path / "state.db")


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_file_behind_a_symbolic_link_is_refused(tmp_path: Path, suffix: str) -> None:
    directory = state_only(tmp_path / "store")
    path = directory.path / f"state.db{suffix}"
    elsewhere = tmp_path / "elsewhere"
    if path.exists():
        path.rename(elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(StoreError, match="symbolic link"):
        open_readonly(directory.state)


def test_a_file_of_another_name_has_no_schema(tmp_path: Path) -> None:
    path = state_only(tmp_path).state.rename(tmp_path / "other.db")
    with pytest.raises(StoreError, match=r"metrics\.db and state\.db"):
        open_readonly(path)


def test_a_path_with_signs_that_mean_something_in_an_address_is_opened(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "a b?c#d%20e")
    with state(directory.path) as db:
        assert db.execute("select rows from audit_head").fetchone() == (0,)


def test_a_transaction_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        with pytest.raises(sqlite3.IntegrityError), transaction(db):
            db.executemany("insert into identity (endpoint, at, resets) values (?, 1, 0)", "aba")
        assert db.execute("select count(*) from identity").fetchone() == (0,)
        assert not db.in_transaction


def test_a_full_disk_undoes_the_whole_transaction_and_recovers_when_there_is_room(
    tmp_path: Path,
) -> None:
    many = [(f"{number:0500}",) for number in range(500)]
    fill = "insert into identity (endpoint, at, resets) values (?, 1, 0)"
    with state(tmp_path) as db:
        (pages,) = db.execute("pragma page_count").fetchone()
        db.execute(f"pragma max_page_count = {pages + 3}")
        with (
            pytest.raises(StoreError, match="disk is full"),
            store_errors(tmp_path),
            transaction(db),
        ):
            db.executemany(fill, many)
        assert not db.in_transaction
        db.execute("pragma max_page_count = 1000000")
        with transaction(db):
            db.executemany(fill, many)
        assert db.execute("select count(*) from identity").fetchone() == (500,)


def test_a_writer_that_meets_another_says_that_the_file_is_busy(tmp_path: Path) -> None:
    with state(tmp_path) as db, closing(open_writable(tmp_path / "state.db")) as other:
        other.execute("pragma busy_timeout = 0")
        with (
            transaction(db),
            pytest.raises(StoreError, match="busy"),
            store_errors(tmp_path),
            transaction(other),
        ):
            pass


def test_a_snapshot_stays_as_it_is_while_others_write(tmp_path: Path) -> None:
    with state(tmp_path) as db, closing(open_readonly(tmp_path / "state.db")) as reader:
        count = "select count(*) from identity"
        with snapshot(reader):
            assert reader.execute(count).fetchone() == (0,)
            db.execute("insert into identity (endpoint, at, resets) values ('a', 1, 0)")
            assert reader.execute(count).fetchone() == (0,)
        assert reader.execute(count).fetchone() == (1,)


def test_a_snapshot_that_the_file_itself_ended_is_over(tmp_path: Path) -> None:
    with closing(open_readonly(state_only(tmp_path).state)) as reader:
        with snapshot(reader):
            reader.execute("rollback")
        assert not reader.in_transaction


def test_an_unknown_table_in_a_file_of_the_right_version_is_damage(tmp_path: Path) -> None:
    with (
        state(tmp_path) as db,
        pytest.raises(StoreCorrupt, match="no such table"),
        store_errors(tmp_path),
    ):
        db.execute("select * from absent")


def test_a_file_that_went_away_under_a_connection_is_missing(tmp_path: Path) -> None:
    with (
        state(tmp_path) as db,
        pytest.raises(StoreMissing, match="has gone"),
        store_errors(tmp_path / "none.db"),
    ):
        db.execute("select * from absent")
