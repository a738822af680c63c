"""What changes is said once, in a plain line, whatever happens to the store."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from cli.models.test_board_output import NOW, board, model
from watchdeck.cli.models.status import (
    MAX_AGE,
    FollowState,
    differences,
    follow_board,
    new_lines,
)
from watchdeck.domain.board.board import Board, Change, Collector, CollectorState, Health
from watchdeck.errors import StoreError

OK = board(model("fraud", Health.OK), model("churn", Health.OK))
STOPPED = replace(OK, collector=Collector(CollectorState.STOPPED, OK.collector.heartbeat))
CHANGE = Change(7, "fraud", NOW, "version", "v2 \x1b[2J", "page")


def test_the_first_board_says_how_everything_is() -> None:
    assert list(differences(None, OK)) == [
        "collector: running",
        "collector: blind: no name can be resolved",
        "fraud: ok, it is ok",
        "churn: ok, it is ok",
    ]


@pytest.mark.parametrize(
    ("after", "lines"),
    [
        pytest.param(OK, [], id="nothing changed"),
        pytest.param(
            board(model("fraud", Health.CRITICAL), model("churn", Health.OK)),
            ["fraud: ok -> critical, it is critical"],
            id="a health changed",
        ),
        pytest.param(STOPPED, ["collector: running -> stopped"], id="the collector ended"),
        pytest.param(board(model("fraud", Health.OK)), ["churn: no longer watched"], id="gone"),
        pytest.param(
            replace(OK, collector=Collector(CollectorState.RUNNING)),
            ["collector: blind: no more"],
            id="it can see again",
        ),
        pytest.param(
            replace(OK, changes=(CHANGE,)), ["fraud: change: version v2 ^[[2J"], id="a change"
        ),
    ],
)
def test_only_what_is_otherwise_is_said(after: Board, lines: list[str]) -> None:
    assert list(differences(OK, after)) == lines


class Store:
    """Boards and failures, one after the other."""

    def __init__(self, *answers: Board | StoreError, changes: bool = True) -> None:
        self._answers = list(answers)
        self._changes = changes

    def has_changed(self) -> bool:
        return self._changes

    def board(self, now: int, at: int | None = None) -> Board:
        assert (now >= NOW, at) == (True, None)
        answer = self._answers.pop(0)
        if isinstance(answer, StoreError):
            raise answer
        return answer


def test_a_store_that_fails_is_said_once_and_so_is_its_return() -> None:
    store = Store(OK, StoreError("metrics.db is busy"), StoreError("metrics.db is busy"), OK)
    last = FollowState()
    said = [[line.partition(" ")[2] for line in new_lines(store, last, NOW + n)] for n in range(4)]
    assert said[1:] == [["metrics.db is busy"], [], ["the store is read again"]]


def test_a_silent_store_is_read_again_after_a_while() -> None:
    last = FollowState(OK, "", NOW)
    assert list(new_lines(Store(changes=False), last, NOW + MAX_AGE - 1)) == []
    (line,) = new_lines(Store(STOPPED, changes=False), last, NOW + MAX_AGE)
    assert line.endswith("collector: running -> stopped")


def test_following_goes_on_until_it_is_ended() -> None:
    said: list[str] = []
    left = [1, 2, 3]

    def pause(seconds: float) -> None:
        assert seconds > 0
        if not left:
            raise KeyboardInterrupt
        left.pop()

    with pytest.raises(KeyboardInterrupt):
        follow_board(Store(OK, OK, STOPPED, OK), lambda: NOW, pause, said.append)
    assert [line.split(" ", 1)[1] for line in said[-2:]] == [
        "collector: running -> stopped",
        "collector: stopped -> running",
    ]


def test_an_interrupt_ends_it_with_the_code_of_the_worst_model(tmp_path: Path) -> None:
    config = tmp_path / "watchdeck.toml"
    config.write_text('store = "store"\n[[endpoint]]\nname = "x"\nurl = "http://127.0.0.1:9"\n')
    command = [sys.executable, "-m", "watchdeck", "--config", str(config), "status", "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert b"there is no store" in child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate()
    assert (child.returncode, b"Traceback" in errors) == (3, False)


def test_a_reader_that_goes_away_ends_it(tmp_path: Path) -> None:
    config = tmp_path / "watchdeck.toml"
    config.write_text('store = "store"\n[[endpoint]]\nname = "x"\nurl = "http://127.0.0.1:9"\n')
    command = [sys.executable, "-m", "watchdeck", "--config", str(config), "status", "--follow"]
    reads, writes = os.pipe()
    os.close(reads)
    ended = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, check=False, timeout=30)
    os.close(writes)
    assert b"Traceback" not in ended.stderr
    assert b"BrokenPipe" not in ended.stderr
