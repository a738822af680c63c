"""Steps: how a file comes to be, and how it moves on without losing what is in it."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from watchdeck.errors import StoreCorrupt, StoreError
from watchdeck.store.files.connection import Connection, open_unchecked, store_errors
from watchdeck.store.migrations import create_file, upgrade
from watchdeck.store.schema.registry import MigrationStep, Schema, apply_step

FIRST = """
create table deed (number integer primary key not null, text text not null) strict;
insert into deed values (1, 'a; b');
create trigger keeps before delete on deed
begin
    select raise(abort, 'kept');
end;
"""


def third(db: Connection) -> None:
    for number, text in db.execute("select number, text from deed").fetchall():
        db.execute("update deed set text = ? where number = ?", (text.upper(), number))


STEPS: tuple[MigrationStep, ...] = (FIRST, "alter table deed add column rev integer;", third)


def schema(steps: tuple[MigrationStep, ...]) -> Schema:
    return Schema("test", 4_711, steps, page_size=16_384, auto_vacuum="INCREMENTAL")


def upgraded(path: Path, *versions: int) -> None:
    create_file(path, schema(STEPS[: versions[0]]))
    for version in versions[1:]:
        with closing(open_unchecked(path, mode="rw")) as db:
            upgrade(db, schema(STEPS[:version]))


def contents(path: Path) -> tuple[list[object], ...]:
    asked = (
        "select type, name, tbl_name, sql from sqlite_master order by name",
        "select id, migration_set, name, length(applied_at) from _sqlite_migrations order by id",
        "select * from deed order by number",
        "pragma user_version",
        "pragma application_id",
        "pragma page_size",
        "pragma auto_vacuum",
        "pragma journal_mode",
    )
    with closing(open_unchecked(path)) as db:
        return tuple(db.execute(question).fetchall() for question in asked)


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param((1, 2, 3), id="a step at a time"),
        pytest.param((1, 3), id="two steps at once"),
        pytest.param((3, 3), id="nothing to do"),
    ],
)
def test_an_upgraded_file_is_the_same_as_a_new_one(
    tmp_path: Path, versions: tuple[int, ...]
) -> None:
    create_file(tmp_path / "new.db", schema(STEPS))
    upgraded(tmp_path / "old.db", *versions)
    assert contents(tmp_path / "old.db") == contents(tmp_path / "new.db")
    assert contents(tmp_path / "new.db")[2] == [(1, "A; B", None)]


def test_steps_that_fail_leave_the_file_at_the_version_it_had(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    upgraded(path, 1)
    before = contents(path)
    failing = (*STEPS, "insert into deed values (2, 'b', 1); insert into deed values (2, 'b', 1);")
    with closing(open_unchecked(path, mode="rw")) as db:
        with pytest.raises(StoreError, match="UNIQUE"), store_errors(path):
            upgrade(db, schema(failing))
        assert not db.in_transaction
    assert contents(path) == before


def test_a_file_that_cannot_be_made_is_not_there_at_all(tmp_path: Path) -> None:
    with pytest.raises(StoreCorrupt, match="no such table"):
        create_file(tmp_path / "new.db", schema((*STEPS, "insert into unknown values (1);")))
    assert list(tmp_path.iterdir()) == []


def test_a_step_that_ends_within_a_statement_is_an_error(tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(tmp_path / "any.db")) as db,
        pytest.raises(ValueError, match="within a statement: create table a"),
    ):
        apply_step(db, "create table a (b integer);\ncreate table a (c")


def test_a_new_file_does_not_wait_for_the_library_that_upgrades(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from watchdeck.store.migrations import create_file
from watchdeck.store.schema.registry import schema_of
path = Path(sys.argv[1]) / "state.db"
create_file(path, schema_of(path))
print(*sorted({"sqlite_utils", "pandas", "numpy"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
