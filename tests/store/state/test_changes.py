"""Change markers and identities."""

from contextlib import closing
from pathlib import Path

from store.stores import state
from watchdeck.domain.board.board import Change
from watchdeck.domain.board.identity_history import KnownIdentity
from watchdeck.domain.metrics.scrape import Identity
from watchdeck.store.files.connection import open_unchecked
from watchdeck.store.migrations import create_file, upgrade
from watchdeck.store.schema.registry import Schema, schema_of
from watchdeck.store.state.changes import (
    read_changes,
    read_identities,
    record_change,
    save_identity,
)


def test_markers_come_back_oldest_first_and_only_those_of_the_window(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        for at, endpoint in ((30, "a"), (10, "b"), (20, "a"), (20, "b")):
            record_change(db, endpoint, at, "deploy", f"at {at}", "collector")
        assert [(one.at, one.id) for one in read_changes(db, 10, 30)] == [(10, 2), (20, 3), (20, 4)]
        assert [one.at for one in read_changes(db, 0, 99, "a")] == [20, 30]
        assert read_changes(db, 20, 21, "b") == (
            Change(4, "b", 20, "deploy", "at 20", "collector"),
        )


def test_of_too_many_markers_the_newest_are_read(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        for at in range(5):
            assert record_change(db, "a", at, "restart", "again", "collector") == at + 1
        assert [one.at for one in read_changes(db, 0, 9, limit=2)] == [3, 4]


def test_an_identity_is_what_was_saved_last_unknown_parts_included(tmp_path: Path) -> None:
    first = KnownIdentity(
        Identity("1.2", 1_000, 3, 7, "0.9", "aa11, valid until 2027-01-01", "10.0.0.1"),
        *(5, 6, {"version": ("1.1", "1.2"), "host": ("10.0.0.1",)}),
    )
    second = KnownIdentity(Identity(resets=8))
    with state(tmp_path) as db:
        save_identity(db, "a", first, 1)
        save_identity(db, "b", second, 1)
        assert read_identities(db) == {"a": first, "b": second}
        save_identity(db, "a", second, 2)
        assert read_identities(db)["a"] == second


def test_an_identity_of_an_older_store_is_known_after_the_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    schema = schema_of(path)
    older = Schema(schema.name, schema.application, schema.steps[:2])
    create_file(path, older)
    with closing(open_unchecked(path, mode="rw")) as db:
        db.execute("insert into identity values ('a', 1, '1.2', 1000, 3, 7)")
        db.commit()
        upgrade(db, schema)
        assert read_identities(db) == {"a": KnownIdentity(Identity("1.2", 1_000, 3, 7))}
