"""A store comes into being, or up to a version, whole or not at all."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from store.stores import HOLD, NOW, act, process, whole
from watchdeck.errors import StoreBehind, StoreCorrupt, StoreError, StoreTooNew
from watchdeck.store.alerts.episodes import read_open_episodes
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.files.filesystem import bytes_in
from watchdeck.store.migrations import prepare
from watchdeck.store.reader import Reader
from watchdeck.store.schema.registry import Schema, schema_of
from watchdeck.store.state.audit import verify

STEP = "create table later (id integer primary key not null) strict;"


def next_version(path: Path) -> Schema:
    """The schema of a watchdeck that is one version on."""
    known = schema_of(path)
    return Schema(
        known.name, known.application, (*known.steps, STEP), known.page_size, known.auto_vacuum
    )


def refused_version(path: Path) -> Schema:
    """A version whose step for the state cannot be taken."""
    known = next_version(path)
    steps = (*known.steps[:-1], "insert into absent values (1);")
    return Schema(known.name, known.application, steps if known.name == "state" else known.steps)


KNOWN = [schema_of(Path(name)).version for name in ("metrics.db", "state.db")]
NEXT = [number + 1 for number in KNOWN]


def versions(directory: StoreDirectory) -> list[int]:
    found = []
    for path in (directory.metrics, directory.state):
        with closing(sqlite3.connect(path)) as db:
            found += [row[0] for row in db.execute("pragma user_version")]
    return found


def test_a_store_is_made_once_with_files_for_its_owner_alone(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "store")
    assert [(one.path.name, one.before) for one in prepare(directory)] == [
        ("metrics.db", 0),
        ("state.db", 0),
    ]
    assert prepare(directory) == ()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.path.iterdir()}
    assert set(modes.values()) == {0o600}


def test_metrics_are_laid_out_for_large_rows_and_give_space_back(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    prepare(directory)
    with closing(open_readonly(directory.metrics)) as db:
        asked = ("page_size", "auto_vacuum", "journal_mode")
        found = [db.execute(f"pragma {name}").fetchone()[0] for name in asked]
    assert found == [16_384, 2, "wal"]


def test_a_file_that_is_missing_beside_another_is_made(tmp_path: Path) -> None:
    directory = whole(tmp_path)
    directory.metrics.unlink()
    assert [one.path for one in prepare(directory)] == [directory.metrics]


def test_an_older_store_is_upgraded_after_a_copy_of_each_file(tmp_path: Path) -> None:
    directory = whole(tmp_path / "store")
    done = prepare(directory, next_version)
    assert [(one.before, one.after) for one in done] == list(zip(KNOWN, NEXT, strict=True))
    assert versions(directory) == NEXT
    said = f"{NEXT[0]}.*up to {KNOWN[0]}"
    with closing(Reader(directory)) as reader, pytest.raises(StoreTooNew, match=said):
        reader.board(NOW)
    copies = [one.copy for one in done if one.copy]
    assert [copy.name for copy in copies] == [
        f"metrics-v{KNOWN[0]}-1.db",
        f"state-v{KNOWN[1]}-1.db",
    ]
    for copy, path in zip(copies, (directory.metrics, directory.state), strict=True):
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        copy.replace(path)
    with closing(Reader(directory)) as reader:
        assert len(reader.board(NOW).models) == 3


def test_a_step_that_fails_leaves_its_file_as_it_was_and_the_copy_beside_it(
    tmp_path: Path,
) -> None:
    directory = whole(tmp_path / "store")
    with pytest.raises(StoreError, match="no such table"):
        prepare(directory, refused_version)
    assert versions(directory) == [NEXT[0], KNOWN[1]]
    prepare(directory, next_version)
    assert versions(directory) == NEXT
    copies = sorted(path.name for path in directory.backups.iterdir())
    assert copies == [f"metrics-v{KNOWN[0]}-1.db", *(f"state-v{KNOWN[1]}-{n}.db" for n in (1, 2))]


def test_a_newer_file_is_refused_before_the_other_one_is_touched(tmp_path: Path) -> None:
    directory = whole(tmp_path / "store")
    prepare(directory, next_version)
    directory.metrics.unlink()
    with pytest.raises(StoreTooNew, match=rf"state\.db has version {NEXT[1]}.*up to {KNOWN[1]}"):
        prepare(directory)
    assert not directory.metrics.exists()


def test_an_empty_file_is_not_taken_for_a_new_store(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    directory.state.touch(0o600)
    with pytest.raises(StoreCorrupt, match="it is empty"):
        prepare(directory)
    assert directory.state.read_bytes() == b""


def test_a_store_is_not_upgraded_under_a_running_collector(tmp_path: Path) -> None:
    directory = whole(tmp_path / "store")
    with (
        process(HOLD, directory.path) as holder,
        pytest.raises(StoreBehind, match=f"process {holder.pid}.*Stop that one"),
    ):
        prepare(directory, next_version)
    assert versions(directory) == KNOWN


def test_the_collector_itself_upgrades_while_it_holds_the_lock(tmp_path: Path) -> None:
    directory = whole(tmp_path / "store")
    with directory.hold_lock():
        prepare(directory, next_version)
    assert versions(directory) == NEXT


def test_what_a_killed_preparation_left_is_cleared_away(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    (tmp_path / ".state.db-0a1b2c3d").write_text("half")
    (tmp_path / ".state.db-0a1b2c3d-journal").write_text("half")
    prepare(directory)
    assert not list(tmp_path.glob(".*"))


def test_what_a_killed_upgrade_left_is_not_counted_and_cleared_away(tmp_path: Path) -> None:
    directory = whole(tmp_path)
    directory.backups.mkdir()
    before = bytes_in(tmp_path)
    for name in (".state-v1-1.db-0a1b2c3d", ".metrics-v1-2.db-0a1b2c3d-journal"):
        (directory.backups / name).write_text("half")
    (directory.backups / "state-v1-1.db").write_text("whole")
    assert bytes_in(tmp_path) == before + len("whole")
    prepare(directory)
    assert [path.name for path in directory.backups.iterdir()] == ["state-v1-1.db"]


PREPARE = """
import sys
from itertools import count
from pathlib import Path
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.alerts.episodes import read_open_episodes
from watchdeck.store.migrations import prepare
print("begins", flush=True)
for number in count():
    prepare(StoreDirectory(Path(sys.argv[1]) / str(number)))
    print(number, flush=True)
"""


@pytest.mark.parametrize("lines", range(8))
def test_a_preparation_that_is_killed_is_done_by_the_next(tmp_path: Path, lines: int) -> None:
    with process(PREPARE, tmp_path) as child:
        assert child.stdout is not None
        for _ in range(lines):
            child.stdout.readline()
        child.kill()
        child.wait()
    for path in tmp_path.iterdir():
        directory = StoreDirectory(path)
        prepare(directory)
        with closing(Reader(directory)) as reader:
            assert reader.board(NOW).models == ()
        assert [half for half in path.iterdir() if half.name.startswith(".")] == []


def test_two_processes_that_prepare_one_store_make_one(tmp_path: Path) -> None:
    code = PREPARE.replace("str(number)", '"store"').replace("count()", "range(1)")
    with process(code, tmp_path) as one, process(code, tmp_path) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    with closing(Reader(StoreDirectory(tmp_path / "store"))) as reader:
        assert reader.board(NOW).models == ()


def first_version(path: Path) -> Schema:
    """The schema of the first watchdeck."""
    known = schema_of(path)
    return Schema(
        known.name, known.application, known.steps[:1], known.page_size, known.auto_vacuum
    )


def test_the_state_of_the_first_version_gains_alerts_and_keeps_its_audit(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    prepare(directory, first_version)
    with closing(sqlite3.connect(directory.state, isolation_level=None)) as db:
        act(db, 3)
    prepare(directory)
    with closing(open_readonly(directory.state)) as db:
        assert read_open_episodes(db) == ()
        assert verify(db).rows == 3
