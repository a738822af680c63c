"""A damaged file is moved aside, and what can be read of it goes on."""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from store.alerts.made import ack, fire
from store.stores import ANNA, NOW, whole
from watchdeck.actions.store import quarantine_store
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.values.matcher import read_matcher
from watchdeck.store.alerts.acknowledgements import (
    read_acknowledgements,
    read_silences,
    save_acknowledgement,
    save_silence,
)
from watchdeck.store.alerts.episodes import read_open_episodes
from watchdeck.store.files.connection import open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.quarantine import quarantine_damaged
from watchdeck.store.reader import Reader
from watchdeck.store.state.audit import verify

SILENCE = Silence(0, (read_matcher("model=search"),), "anna", "work", NOW, NOW + 9_000_000)


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    """A store with three open alerts, an owner and a silence."""
    directory = whole(tmp_path / "store")
    with closing(open_writable(directory.state)) as db:
        first, *_ = (fire(db, model=model, at=NOW) for model in ("fraud", "churn", "search"))
        with transaction(db):
            assert save_acknowledgement(db, ack(first))
            save_silence(db, SILENCE)
    checkpoint(directory)
    return directory


def checkpoint(directory: StoreDirectory) -> None:
    for path in (directory.metrics, directory.state):
        with closing(sqlite3.connect(path)) as db:
            db.execute("pragma wal_checkpoint(truncate)")


def spoil(path: Path, statement: str) -> None:
    """Write into a file what this program never writes, and no type of SQLite forbids."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(statement)
        db.execute("pragma wal_checkpoint(truncate)")


def test_a_sound_store_is_left_alone(directory: StoreDirectory) -> None:
    assert quarantine_damaged(directory, NOW) == ()
    assert quarantine_damaged(StoreDirectory(directory.path / "nowhere"), NOW) == ()


def test_what_is_no_database_is_not_touched(directory: StoreDirectory) -> None:
    directory.state.write_bytes(b"notes of somebody")
    assert quarantine_damaged(directory, NOW) == ()
    assert directory.state.read_bytes() == b"notes of somebody"


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        pytest.param(
            "update episode set condition = 'melting' where id = 2", ["fraud", "search"],
            id="a word that is none",
        ),
        pytest.param(
            "update alert set labels = 'x' where model = 'churn'",
            ["fraud", "search"],
            id="text that is no JSON",
        ),
    ],
)  # fmt: skip
def test_a_state_that_cannot_be_loaded_is_saved_row_by_row(
    directory: StoreDirectory, statement: str, left: list[str]
) -> None:
    spoil(directory.state, statement)
    (done,) = quarantine_store(directory, ANNA, NOW)
    assert done.moved_to.is_file()
    assert done.words.startswith("state.db was damaged, and is now ")
    with closing(open_readonly(directory.state)) as db:
        models = [alert.model for _, alert in read_open_episodes(db)]
        assert verify(db).first_bad is None
        if left:
            assert [one.by for one in read_acknowledgements(db).values()] == ["anna"]
            assert [one.reason for one in read_silences(db, NOW)] == ["work"]
    assert models == left
    assert quarantine_damaged(directory, NOW) == ()


def test_metrics_that_cannot_be_read_begin_anew(directory: StoreDirectory) -> None:
    spoil(directory.metrics, "update endpoint set facts = '{'")
    (done,) = quarantine_store(directory, ANNA, NOW)
    assert (done.file, done.saved) == ("metrics.db", {})
    assert "nothing of it could be saved" in done.words
    with closing(Reader(directory)) as reader:
        assert reader.board(NOW).models == ()


def test_a_broken_chain_of_the_audit_is_saved_up_to_its_break(directory: StoreDirectory) -> None:
    with closing(sqlite3.connect(directory.state, isolation_level=None)) as db:
        (rows,) = db.execute("select count(*) from audit").fetchone()
        for (name,) in db.execute(
            "select name from sqlite_master where type = 'trigger'"
        ).fetchall():
            db.execute(f"drop trigger {name}")
        db.execute("update audit set previous = 'x' where number = 3")
        db.execute("update episode set condition = 'melting' where id = 2")
    (done,) = quarantine_store(directory, ANNA, NOW)
    assert rows > 3
    assert done.saved["audit"] == 2


@pytest.mark.parametrize("name", ["metrics", "state"])
def test_any_twenty_bytes_may_be_wrong(directory: StoreDirectory, name: str) -> None:
    """After the quarantine, both files can be read: what a collector needs is there or is new."""
    path: Path = getattr(directory, name)
    sound = path.read_bytes()
    for seed in range(12):
        chance, content = Random(seed), bytearray(sound)
        for _ in range(20):
            content[chance.randrange(100, len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        quarantine_damaged(directory, NOW + 1_000 * seed)
        assert quarantine_damaged(directory, NOW) == ()
        for suffix in ("-wal", "-shm"):
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
