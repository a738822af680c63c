"""Change markers and identities."""

from pathlib import Path

from store.stores import state
from watchdeck.domain.board.board import Change
from watchdeck.domain.metrics.scrape import Identity
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
    first, second = Identity("1.2", 1_000, 3, 7), Identity(None, None, None, 8)
    with state(tmp_path) as db:
        save_identity(db, "a", first, 1)
        save_identity(db, "b", second, 1)
        assert read_identities(db) == {"a": first, "b": second}
        save_identity(db, "a", second, 2)
        assert read_identities(db)["a"] == second
