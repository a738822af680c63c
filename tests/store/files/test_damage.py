"""Bytes flipped at random: whatever comes of it has a name, and never ends a reader."""

import random
import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from store.stores import NAMES, NOW, judged, scrape, whole, write
from watchdeck.domain.board.board import Health, HealthChange
from watchdeck.errors import StoreCorrupt, StoreError
from watchdeck.store.doctor import CheckStatus, examine
from watchdeck.store.files.connection import (
    corruption_as_error,
    open_readonly,
    open_writable,
    transaction,
)
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.reader import Reader
from watchdeck.store.state.audit import verify

FILES = ("metrics.db", "metrics.db-wal", "state.db", "state.db-wal", "state.db-shm")
COPIES = 60
FLIPS = 20


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of a store that is being written: files, logs and shared memory."""
    directory = whole(tmp_path_factory.mktemp("kept") / "store")
    with closing(open_writable(directory.metrics)), closing(open_writable(directory.state)):
        write(directory, NAMES, [scrape(name, NOW + 10_000) for name in NAMES])
        judged(directory, HealthChange("churn", NOW, Health.DOWN, "down", "refused"))
        return {path.name: path.read_bytes() for path in directory.path.iterdir()}


def chance(seed: int) -> random.Random:
    return random.Random(seed)


def flipped(content: bytes, by: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(FLIPS):
        made[by.randrange(len(made))] ^= by.randrange(1, 256)
    return bytes(made)


def truncated(content: bytes, by: random.Random) -> bytes:
    return content[: by.randrange(len(content))]


def ask_everything(reader: Reader) -> None:
    questions: list[Callable[[], object]] = [
        reader.has_changed,
        lambda: reader.board(NOW),
        lambda: reader.board(NOW, NOW - 20_000),
        lambda: reader.history("fraud", ("latency_p95", "up"), NOW - 60_000, NOW),
        lambda: reader.changes(0, NOW),
        lambda: reader.health_history("fraud", 0, NOW),
    ]
    for ask in questions:
        with suppress(StoreError):
            ask()


def lay(directory: StoreDirectory, content: dict[str, bytes]) -> None:
    shutil.rmtree(directory.path, ignore_errors=True)
    directory.create()
    for name, made in content.items():
        (directory.path / name).write_bytes(made)
        (directory.path / name).chmod(0o600)


@pytest.mark.parametrize("harm", [flipped, truncated])
@pytest.mark.parametrize(
    "name", ["metrics.db", "metrics.db-wal", "state.db", "state.db-wal", "state.db-shm"]
)
def test_any_damage_has_a_name_and_the_mended_store_is_read_again(
    tmp_path: Path,
    kept: dict[str, bytes],
    name: str,
    harm: Callable[[bytes, random.Random], bytes],
) -> None:
    directory = StoreDirectory(tmp_path / "store")
    with closing(Reader(directory)) as reader:
        for seed in range(COPIES):
            lay(directory, kept | {name: harm(kept[name], chance(seed))})
            ask_everything(reader)
        lay(directory, kept)
        assert reader.board(NOW).models[0].health is Health.DOWN


@pytest.mark.parametrize("name", ["metrics.db", "state.db"])
def test_damage_under_an_open_reader_has_a_name(
    tmp_path: Path, kept: dict[str, bytes], name: str
) -> None:
    directory = StoreDirectory(tmp_path / "store")
    for seed in range(COPIES):
        lay(directory, kept)
        with closing(Reader(directory)) as reader:
            reader.board(NOW)
            (directory.path / name).write_bytes(flipped(kept[name], chance(seed)))
            ask_everything(reader)


def test_a_doctor_survives_any_damage_and_finds_most_of_it(
    tmp_path: Path, kept: dict[str, bytes]
) -> None:
    directory = StoreDirectory(tmp_path / "store")
    names = ("metrics.db", "state.db")
    for seed in range(COPIES):
        name = names[seed % 2]
        lay(directory, kept | {name: flipped(kept[name], chance(seed))})
        assert all(finding.text for finding in examine(directory, NOW))
    lay(directory, kept)
    failed = [one.name for one in examine(directory, NOW) if one.state is CheckStatus.FAIL]
    assert failed == ["collector"]


def test_a_damaged_audit_is_bad_or_unreadable_and_never_sound_in_silence(
    tmp_path: Path, kept: dict[str, bytes]
) -> None:
    directory = StoreDirectory(tmp_path / "store")
    for seed in range(COPIES):
        lay(directory, kept | {"state.db": flipped(kept["state.db"], chance(seed))})
        with (
            suppress(StoreError),
            closing(open_readonly(directory.state)) as db,
            corruption_as_error(directory.state),
        ):
            row = "select who, subject from audit where number = 1"
            assert verify(db).first_bad or db.execute(row).fetchone() == ("anna", "store")


@pytest.mark.parametrize("facts", ['"a"', "[1]", "null", "{}", "[" * 100_000])
def test_a_column_that_holds_other_json_has_a_name(tmp_path: Path, facts: str) -> None:
    directory = whole(tmp_path / "store")
    with closing(open_writable(directory.metrics)) as db, transaction(db):
        db.execute("update endpoint set facts = :facts", {"facts": facts})
    with closing(Reader(directory)) as reader, pytest.raises(StoreCorrupt):
        reader.board(NOW)
