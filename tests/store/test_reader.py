"""The board as the store gives it: live, of the past, and of a store that is not well."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store.stores import HOLD, NAMES, NOW, beat, judged, process, scrape, whole, write
from watchdeck.domain.board.board import Board, CollectorState, Health, HealthChange
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.errors import StoreCorrupt, StoreError, StoreMissing, StoreTooNew
from watchdeck.store.board import CHANGES_SHOWN, STALL_AFTER, STARTUP_GRACE, current_collector
from watchdeck.store.files.connection import open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import prepare
from watchdeck.store.reader import Reader
from watchdeck.store.state.health import record_health


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    return whole(tmp_path / "store")


@pytest.fixture
def reader(directory: StoreDirectory) -> Iterator[Reader]:
    with closing(Reader(directory)) as opened:
        yield opened


def healths(board: Board) -> dict[str, Health]:
    return {model.facts.name: model.health for model in board.models}


def touch(directory: StoreDirectory, at: int = NOW) -> None:
    judged(directory, HealthChange("fraud", at, Health.CRITICAL, "slow", "slower"))


def test_a_live_board_joins_what_was_measured_with_what_was_decided(reader: Reader) -> None:
    board = reader.board(NOW + 500)
    assert (board.live, board.at, board.metrics_at, board.state_at) == (
        *(True, NOW + 500),
        *(NOW, NOW - 20_000),
    )
    assert [model.facts.name for model in board.models] == list(NAMES)
    fraud = board.models[1]
    assert (fraud.health, fraud.why, fraud.since) == (Health.WARNING, "slow", NOW - 20_000)
    assert fraud.facts.owner == "risk"
    assert fraud.latest is not None
    assert (fraud.latest.at, fraud.latest.outcome) == (NOW, Outcome.OK)
    assert (fraud.latest.kind, fraud.latest.model_state) == ("vllm", ModelState.READY)
    assert fraud.latest.signals["latency_p95"].value == 0.2
    assert "error_ratio" not in fraud.latest.signals
    assert [change.text for change in board.changes] == ["version 1 → 2"]


def test_a_store_without_a_collector_shows_nothing_old_as_fresh(reader: Reader) -> None:
    board = reader.board(NOW + 60_000)
    assert board.collector.state is CollectorState.STOPPED
    assert set(healths(board).values()) == {Health.UNKNOWN}
    assert "no collector is running" in board.models[0].why


def test_a_model_before_its_first_scrape_is_unknown(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    prepare(directory)
    write(directory, ["new"], [])
    with closing(Reader(directory)) as reader:
        (model,) = reader.board(NOW).models
    assert (model.health, model.latest, model.since) == (Health.UNKNOWN, None, None)


def test_a_new_store_has_an_empty_board(tmp_path: Path) -> None:
    prepare(StoreDirectory(tmp_path))
    with closing(Reader(StoreDirectory(tmp_path))) as reader:
        board = reader.board(NOW)
    assert (board.models, board.changes, board.metrics_at, board.state_at) == ((), (), None, None)


def test_a_board_of_the_past_shows_what_was_true_then(reader: Reader) -> None:
    board = reader.board(NOW + 3_600_000, at=NOW - 25_000)
    assert (board.live, board.at) == (False, NOW - 25_000)
    assert healths(board) == dict.fromkeys(NAMES, Health.OK)
    assert board.models[1].latest is not None
    assert board.models[1].latest.at == NOW - 30_000
    assert board.collector.state is CollectorState.RUNNING
    assert [change.what for change in board.changes] == ["deploy"]


def test_a_board_of_a_time_without_scrapes_knows_nothing(reader: Reader) -> None:
    board = reader.board(NOW, at=NOW - 3_600_000)
    assert set(healths(board).values()) == {Health.UNKNOWN}
    assert board.collector.state is CollectorState.STOPPED
    assert board.changes == ()


def test_old_markers_leave_the_board_and_stay_in_the_store(reader: Reader) -> None:
    marked = NOW - 30_000
    assert reader.board(marked + CHANGES_SHOWN).changes
    assert not reader.board(marked + CHANGES_SHOWN + 1).changes
    assert [one.at for one in reader.changes(marked, marked + 1)] == [marked]
    assert reader.changes(marked, marked + 1, "churn") == ()


def test_histories_come_through_the_same_door(reader: Reader) -> None:
    (p95,) = reader.history("fraud", ("latency_p95",), NOW - 20_000, NOW + 1)
    assert (p95.times, p95.values) == ([NOW - 20_000, NOW - 10_000, NOW], [0.2, 0.2, 0.2])
    found = reader.health_history("fraud", NOW - 30_000, NOW)
    assert [one.health for one in found] == [Health.OK, Health.WARNING]


def test_a_change_of_either_file_is_seen_once(directory: StoreDirectory, reader: Reader) -> None:
    assert reader.has_changed()
    assert not reader.has_changed()
    touch(directory)
    assert reader.has_changed()
    assert not reader.has_changed()
    write(directory, NAMES, [scrape("fraud", NOW + 1)])
    assert reader.has_changed()
    assert not reader.has_changed()


def test_what_a_board_showed_is_no_change_any_more(
    directory: StoreDirectory, reader: Reader
) -> None:
    reader.board(NOW)
    assert not reader.has_changed()
    touch(directory)
    assert reader.board(NOW).models[1].health is Health.CRITICAL
    assert not reader.has_changed()


def test_an_unchanged_file_is_read_once_and_its_silence_is_seen(
    directory: StoreDirectory, reader: Reader
) -> None:
    later = NOW + 3_600_000
    before, after = (reader.board(now).models[1] for now in (NOW, later))
    assert before.latest is after.latest
    assert (before.health, after.health) == (Health.WARNING, Health.UNKNOWN)
    write(directory, NAMES, [scrape("fraud", later)])
    assert reader.board(later).models[1].health is Health.WARNING


@pytest.mark.parametrize("name", ["metrics.db", "state.db"])
@pytest.mark.parametrize("opened", [True, False], ids=["while it is read", "before it is read"])
def test_a_deleted_file_is_missing_and_a_new_one_is_read(
    directory: StoreDirectory, reader: Reader, name: str, *, opened: bool
) -> None:
    if opened:
        reader.board(NOW)
    away = directory.path.parent / name
    (directory.path / name).rename(away)
    for ask in (reader.has_changed, lambda: reader.board(NOW)):
        with pytest.raises(StoreMissing, match=name):
            ask()
    away.rename(directory.path / name)
    assert reader.has_changed()
    assert len(reader.board(NOW).models) == len(NAMES)


def test_a_replaced_store_is_read_from_the_new_files(
    directory: StoreDirectory, reader: Reader, tmp_path: Path
) -> None:
    reader.board(NOW)
    other = whole(tmp_path / "other")
    touch(other)
    for path in (directory.metrics, directory.state):
        for old in directory.path.glob(f"{path.name}*"):
            old.unlink()
        (other.path / path.name).rename(path)
    assert reader.has_changed()
    assert reader.board(NOW).models[1].health is Health.CRITICAL


def test_who_only_reads_a_store_that_nobody_writes_changes_nothing_in_it(
    directory: StoreDirectory, reader: Reader
) -> None:
    before = {path: path.stat() for path in (directory.path, *directory.path.iterdir())}
    assert reader.board(NOW).models
    assert not reader.has_changed()
    reader.close()
    assert {path: path.stat() for path in (directory.path, *directory.path.iterdir())} == before


def test_a_store_that_is_written_again_is_read_again(
    directory: StoreDirectory, reader: Reader
) -> None:
    os.utime(directory.state, (0, 0))  # the clock of files stands still for milliseconds
    reader.board(NOW)
    touch(directory, NOW - 10)
    assert not list(directory.path.glob("*-wal"))
    assert reader.has_changed()
    assert reader.board(NOW).models[1].health is Health.CRITICAL
    with closing(open_writable(directory.state)) as db:
        with transaction(db):
            record_health(db, [HealthChange("fraud", NOW - 5, Health.DOWN, "gone", "gone")])
        assert reader.has_changed()
        assert reader.board(NOW).models[1].health is Health.DOWN
        with transaction(db):
            record_health(db, [HealthChange("fraud", NOW - 4, Health.OK, "good", "good")])
        assert reader.has_changed()
    assert reader.board(NOW).models[1].health is Health.OK


def test_a_store_whose_directory_vanished_is_missing_until_it_is_back(
    directory: StoreDirectory, reader: Reader
) -> None:
    reader.board(NOW)
    away = directory.path.rename(directory.path.with_name("away"))
    with pytest.raises(StoreMissing, match="no store in"):
        reader.board(NOW)
    away.rename(directory.path)
    assert reader.board(NOW).models


def test_a_directory_that_became_open_to_everybody_is_not_read_anew(
    directory: StoreDirectory, reader: Reader
) -> None:
    directory.path.chmod(0o777)
    with pytest.raises(StoreError, match="written by everybody"):
        reader.board(NOW)


@pytest.mark.parametrize(
    ("pragma", "error"),
    [("user_version = 9", StoreTooNew), ("application_id = 5", StoreCorrupt)],
    ids=["newer", "somebody else's"],
)
@pytest.mark.parametrize("name", ["metrics.db", "state.db"])
@pytest.mark.parametrize("opened", [True, False], ids=["while it is read", "before it is read"])
def test_a_file_of_another_version_is_named(
    directory: StoreDirectory,
    reader: Reader,
    name: str,
    pragma: str,
    error: type[StoreError],
    *,
    opened: bool,
) -> None:
    if opened:
        reader.board(NOW)
    with closing(sqlite3.connect(directory.path / name)) as db:
        db.execute(f"pragma {pragma}")
    with pytest.raises(error, match=name):
        reader.board(NOW)


def test_a_locked_file_is_busy_and_is_read_when_it_is_free(
    directory: StoreDirectory, reader: Reader
) -> None:
    with closing(sqlite3.connect(directory.state, isolation_level=None)) as other:
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")
        other.execute("insert into identity (endpoint, at, resets) values ('a', 1, 0)")
        other.execute("commit")
        with pytest.raises(StoreError, match="busy"):
            reader.board(NOW)
    assert reader.board(NOW).models


def write_over(content: bytes, offset: int = 0) -> Callable[[Path], object]:
    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(content)

    return damage


def cut(size: int) -> Callable[[Path], object]:
    return lambda path: os.truncate(path, size)


DAMAGES = [
    pytest.param(write_over(b"\x00" * 100), id="no header"),
    pytest.param(write_over(b"garbage " * 2_000), id="garbage at the start"),
    pytest.param(write_over(b"\xff" * 40_000, 100), id="garbage after the header"),
    pytest.param(cut(0), id="empty"),
    pytest.param(cut(100), id="the header alone"),
    pytest.param(cut(9_000), id="a short end"),
]


@pytest.mark.parametrize("name", ["metrics.db", "state.db"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_corrupt_and_a_mended_one_is_read(
    directory: StoreDirectory,
    reader: Reader,
    tmp_path: Path,
    name: str,
    damage: Callable[[Path], object],
) -> None:
    path = directory.path / name
    shutil.copy(path, tmp_path / "good")
    damage(path)
    with pytest.raises(StoreCorrupt, match=name):
        reader.board(NOW)
    for old in directory.path.glob(f"{name}*"):
        old.unlink()
    shutil.copy(tmp_path / "good", path)
    assert reader.has_changed()
    assert reader.board(NOW).models


def test_words_that_no_enum_knows_are_damage(directory: StoreDirectory, reader: Reader) -> None:
    with closing(open_writable(directory.state)) as db, transaction(db):
        db.execute("update health set health = 'splendid'")
    with pytest.raises(StoreCorrupt, match="splendid"):
        reader.board(NOW)
    touch(directory, NOW + 1)
    with closing(open_writable(directory.state)) as db, transaction(db):
        db.execute("update health set health = 'ok' where health = 'splendid'")
    assert reader.board(NOW).models[1].health is Health.CRITICAL


def test_a_collector_is_stopped_when_nobody_holds_the_lock(directory: StoreDirectory) -> None:
    assert current_collector(directory, None, NOW).state is CollectorState.STOPPED
    assert current_collector(directory, beat(NOW), NOW).state is CollectorState.STOPPED


def test_a_collector_that_holds_the_lock_is_running_as_long_as_it_beats(
    directory: StoreDirectory,
) -> None:
    with process(HOLD, directory.path) as holder:
        for age, state in {
            0: CollectorState.RUNNING,
            STALL_AFTER: CollectorState.RUNNING,
            STALL_AFTER + 1: CollectorState.STALLED,
            -STALL_AFTER - 1: CollectorState.STALLED,
        }.items():
            seen = current_collector(directory, beat(NOW, holder.pid), NOW + age)
            assert (seen.state, seen.heartbeat) == (state, beat(NOW, holder.pid))


def test_a_collector_that_has_just_begun_is_not_stalled_by_its_predecessors_silence(
    directory: StoreDirectory,
) -> None:
    with process(HOLD, directory.path):
        began = directory.locked_at()
        assert began is not None
        for before in (None, beat(began - 3_600_000, 1)):
            running = current_collector(directory, before, began + STARTUP_GRACE)
            assert running.state is CollectorState.RUNNING
            stalled = current_collector(directory, before, began + STARTUP_GRACE + 1)
            assert stalled.state is CollectorState.STALLED


def test_reading_a_board_loads_nothing_heavy(directory: StoreDirectory) -> None:
    code = """
import sys
from pathlib import Path
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.reader import Reader
print(len(Reader(StoreDirectory(Path(sys.argv[1]))).board(0).models))
heavy = {"numpy", "pandas", "scipy", "sqlite_utils", "httpx", "textual", "rich"}
print(*sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, directory.path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "3\n\n"
