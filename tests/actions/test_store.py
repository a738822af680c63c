"""What a person does to the store is done and entered, or neither."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from store.stores import NOW, whole
from watchdeck.actions.store import back_up, prepare_store
from watchdeck.domain.values.operator import Operator
from watchdeck.errors import StoreError
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.schema.registry import schema_of
from watchdeck.store.state.audit import verify

ANNA = Operator("anna", "10.0.0.9")


def entered(directory: StoreDirectory) -> list[tuple[str, str, str, str]]:
    with closing(open_readonly(directory.state)) as db:
        assert verify(db).first_bad is None
        return db.execute(
            "select who, origin, action, subject from audit order by number"
        ).fetchall()


def last_after(directory: StoreDirectory) -> dict[str, object]:
    with closing(open_readonly(directory.state)) as db:
        (text,) = db.execute("select after from audit order by number desc limit 1").fetchone()
        return dict(json.loads(text))


def test_a_new_store_begins_with_who_made_it(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "store")
    assert [one.before for one in prepare_store(directory, ANNA, NOW)] == [0, 0]
    assert entered(directory) == [
        ("anna", "10.0.0.9", "create", "metrics.db"),
        ("anna", "10.0.0.9", "create", "state.db"),
    ]
    state = schema_of(directory.state).version
    assert last_after(directory) == {"version": state, "copy": None}


def test_a_store_that_is_ready_is_left_as_it_is(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "store")
    prepare_store(directory, ANNA, NOW)
    assert prepare_store(directory, ANNA, NOW) == ()
    assert len(entered(directory)) == 2


def test_a_backup_is_entered_with_its_place_and_the_head_it_holds(tmp_path: Path) -> None:
    directory = whole(tmp_path / "store")
    done = back_up(directory, tmp_path / "copy", ANNA, NOW)
    assert entered(directory)[-1] == ("anna", "10.0.0.9", "backup", str(tmp_path / "copy"))
    assert last_after(directory) == {"sizes": done.sizes, "audit": str(done.audit.head)}
    assert len(entered(StoreDirectory(done.path))) == 1


def test_a_backup_that_failed_is_not_entered(tmp_path: Path) -> None:
    directory = whole(tmp_path / "store")
    with pytest.raises(StoreError, match="no directory"):
        back_up(directory, tmp_path / "absent" / "copy", ANNA, NOW)
    assert len(entered(directory)) == 1
