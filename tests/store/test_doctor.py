"""The self-check has three results, and each says what would work."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from store.stores import HOLD, NAMES, NOW, beat, process, whole, write
from watchdeck.actions.store import back_up
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.values.operator import Operator
from watchdeck.store.doctor import (
    CheckStatus,
    StoreCheckResult,
    _check_filesystem,
    _CheckContext,
    _run_check,
    examine,
)
from watchdeck.store.files.connection import open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.latest import save_heartbeat
from watchdeck.store.reader import Reader

PASS, FAIL, UNKNOWN = CheckStatus.PASS, CheckStatus.FAIL, CheckStatus.UNKNOWN


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    return whole(tmp_path / "store")


def found(
    directory: StoreDirectory, name: str, now: int = NOW, budget: int = 1 << 30
) -> StoreCheckResult:
    return next(one for one in examine(directory, now, budget) if one.name == name)


@contextmanager
def collected(directory: StoreDirectory, **said: object) -> Iterator[None]:
    """A collector runs, and its newest heartbeat says this."""
    with process(HOLD, directory.path) as holder:
        heartbeat = CollectorStatus(holder.pid, "0", NOW, NOW, **said)  # type: ignore[arg-type]
        with closing(open_writable(directory.metrics)) as db, transaction(db):
            save_heartbeat(db, heartbeat)
        yield


def test_a_store_that_is_well_passes_all_but_what_nobody_knows(
    directory: StoreDirectory,
) -> None:
    with collected(directory):
        results = {one.name: one.state for one in examine(directory, NOW + 1_000)}
    assert {name for name, state in results.items() if state is not PASS} == {"backups"}
    assert results["backups"] is UNKNOWN


def test_a_missing_store_fails_once_and_leaves_the_rest_unknown(tmp_path: Path) -> None:
    results = examine(StoreDirectory(tmp_path / "none"), NOW)
    assert [one.name for one in results if one.state is FAIL] == ["directory"]
    assert {one.state for one in results[1:]} == {UNKNOWN}


def test_a_file_that_is_missing_is_no_pass(directory: StoreDirectory) -> None:
    directory.metrics.unlink()
    results = {one.name: one.state for one in examine(directory, NOW)}
    assert results["versions"] is not PASS
    assert results["metrics.db"] is not PASS
    assert results["state.db"] is PASS


@pytest.mark.parametrize(
    ("said", "state", "words"),
    [
        pytest.param({"lag": 0.2}, PASS, "200 ms late", id="in time"),
        pytest.param({"lag": 1.5}, FAIL, "too busy", id="late"),
        pytest.param({"blind": "no network"}, FAIL, "no network", id="blind"),
        pytest.param({"storing": "disk full"}, FAIL, "disk full", id="cannot store"),
        pytest.param({"outside": "the sign of life did not arrive"}, FAIL, "arrive", id="unheard"),
        pytest.param({"dropped": 3}, FAIL, "3 scrapes were dropped", id="dropped scrapes"),
    ],
)
def test_what_the_collector_says_of_itself_is_judged(
    directory: StoreDirectory, said: dict[str, object], state: CheckStatus, words: str
) -> None:
    with collected(directory, **said):
        finding = found(directory, "lag")
    assert finding.state is state
    assert words in finding.text


def test_a_collector_that_is_silent_is_found_out(directory: StoreDirectory) -> None:
    with collected(directory):
        assert found(directory, "collector").state is PASS
        finding = found(directory, "collector", NOW + 60_000)
    assert finding.state is FAIL
    assert "does not tick" in finding.text
    assert "watchdeck collect" in found(directory, "collector").text


def test_a_store_over_its_budget_and_a_disk_without_room_fail(directory: StoreDirectory) -> None:
    assert found(directory, "size", budget=1_000).state is FAIL
    assert found(directory, "size").state is PASS
    assert found(directory, "room", budget=1 << 60).state is FAIL
    assert found(directory, "room").state is PASS


def test_a_log_that_a_forgotten_reader_lets_grow_fails(directory: StoreDirectory) -> None:
    log = directory.path / "metrics.db-wal"
    log.touch(0o600)
    os.truncate(log, 100 << 20)
    finding = found(directory, "log")
    assert finding.state is FAIL
    assert "100 MiB" in finding.text


def test_an_open_mode_fails_with_the_cure(directory: StoreDirectory) -> None:
    directory.state.chmod(0o644)
    finding = found(directory, "permissions")
    assert (finding.state, "chmod 600" in finding.text) == (FAIL, True)


def test_a_newer_file_fails_with_both_numbers(directory: StoreDirectory) -> None:
    with closing(sqlite3.connect(directory.state)) as db:
        db.execute("pragma user_version = 9")
    finding = found(directory, "versions")
    assert finding.state is FAIL
    assert "version 9" in finding.text


def test_a_broken_audit_fails_at_its_first_bad_row(directory: StoreDirectory) -> None:
    with closing(open_writable(directory.state)) as db, transaction(db):
        db.execute("drop trigger audit_keeps")
    assert "audit_keeps" in found(directory, "audit").text
    with closing(open_writable(directory.state)) as db, transaction(db):
        db.execute("update audit set who = 'eve'")
    finding = found(directory, "audit")
    assert finding.state is FAIL
    assert "row 1 was changed" in finding.text


def test_a_damaged_file_fails_and_the_other_passes(directory: StoreDirectory) -> None:
    with directory.metrics.open("r+b") as file:
        file.seek(5 * 16_384)
        file.write(b"\xff" * 16_384)
    assert found(directory, "metrics.db").state is FAIL
    assert found(directory, "state.db").state is PASS


def test_backups_are_known_by_their_place_and_age(
    directory: StoreDirectory, tmp_path: Path
) -> None:
    back_up(directory, tmp_path / "copy", Operator("anna"), NOW)
    assert found(directory, "backups", NOW + 60_000) == StoreCheckResult(
        "backups", PASS, f"the last known one is 1m old, in {tmp_path / 'copy'}"
    )
    assert found(directory, "backups", NOW + 9 * 86_400_000).state is UNKNOWN
    (tmp_path / "copy").rename(tmp_path / "moved")
    finding = found(directory, "backups")
    assert finding.state is UNKNOWN
    assert "not there now" in finding.text


def test_an_examination_changes_nothing_that_a_reader_could_see(
    directory: StoreDirectory,
) -> None:
    with closing(Reader(directory)) as reader:
        reader.board(NOW)
        examine(directory, NOW)
        assert not reader.has_changed()


@pytest.mark.parametrize(("kind", "state"), [("ext4", PASS), ("nfs4", FAIL), (None, UNKNOWN)])
def test_a_disk_that_other_machines_share_fails(kind: str | None, state: CheckStatus) -> None:
    assert _check_filesystem(kind)[0] is state


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_this_user_may_not_ask_is_no_pass(directory: StoreDirectory) -> None:
    os.seteuid(12_345)
    try:
        results = examine(directory, NOW)
    finally:
        os.seteuid(0)
    assert {one.state for one in results} == {FAIL}
    assert all("may not be looked at" in one.text for one in results)


def test_a_file_that_vanishes_while_it_is_asked_is_unknown(tmp_path: Path) -> None:
    def vanished(_: object) -> tuple[CheckStatus, str]:
        (tmp_path / "none").stat()
        raise AssertionError

    case = _CheckContext(StoreDirectory(tmp_path), NOW, 0)
    assert _run_check(vanished, case)[0] is UNKNOWN


def test_a_collector_that_never_ticked_is_unknown(tmp_path: Path) -> None:
    directory = whole(tmp_path)
    with closing(open_writable(directory.metrics)) as db:
        db.execute("delete from heartbeat")
    assert found(directory, "lag").state is UNKNOWN
    write(directory, NAMES, [])
    assert beat(NOW).lag == 0
    assert found(directory, "lag").state is PASS
