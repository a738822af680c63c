"""Consoles on the same store see each other."""

import json
import os
from pathlib import Path

import pytest

from watchdeck.domain.board.board import PRESENCE_TIMEOUT, Presence
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.presence import PresenceFile, read_presence

NOW = 1_790_000_000_000
ANNA = Presence("anna from 10.0.0.7", "models", NOW - 60_000, NOW - 1_000)
BEN = Presence("ben", "fraud-detector", NOW - 90_000, NOW - 2_000)


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    made = StoreDirectory(tmp_path / "store")
    made.create()
    return made


def test_each_console_sees_the_others_and_not_itself(directory: StoreDirectory) -> None:
    one, other = PresenceFile(directory), PresenceFile(directory)
    one.write(ANNA)
    other.write(BEN)
    assert (one.others(NOW), other.others(NOW)) == ((BEN,), (ANNA,))
    assert read_presence(directory.consoles, NOW) == (BEN, ANNA)


def test_where_a_console_looks_is_told_anew_and_it_can_leave(directory: StoreDirectory) -> None:
    one, other = PresenceFile(directory), PresenceFile(directory)
    one.write(ANNA)
    one.write(BEN)
    assert other.others(NOW) == (BEN,)
    one.leave()
    one.leave()
    assert other.others(NOW) == ()
    assert list(directory.consoles.iterdir()) == []


def test_a_console_that_is_silent_is_not_there_and_is_cleared_away_later_by_who_has_a_seat(
    directory: StoreDirectory,
) -> None:
    one, other, onlooker = PresenceFile(directory), PresenceFile(directory), PresenceFile(directory)
    one.write(ANNA)
    other.write(BEN)
    assert other.others(ANNA.at + PRESENCE_TIMEOUT) == ()
    assert onlooker.others(ANNA.at + 11 * PRESENCE_TIMEOUT) == ()
    assert len(list(directory.consoles.iterdir())) == 2
    assert other.others(ANNA.at + 11 * PRESENCE_TIMEOUT) == ()
    assert len(list(directory.consoles.iterdir())) == 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="broken"),
        pytest.param("[1]", id="a list"),
        pytest.param('{"who": "x", "view": "y", "since": "z", "at": 1}', id="a time that is none"),
        pytest.param("[" * 2_000, id="deep"),
        pytest.param('{"who": "' + "x" * 5_000 + '"}', id="too long"),
    ],
)
def test_a_file_of_somebody_else_is_nobody(directory: StoreDirectory, content: str) -> None:
    directory.consoles.mkdir()
    (directory.consoles / "1-x.json").write_text(content)
    assert PresenceFile(directory).others(NOW) == ()


def test_links_and_pipes_are_not_followed(directory: StoreDirectory, tmp_path: Path) -> None:
    directory.consoles.mkdir()
    secret = tmp_path / "secret"
    secret.write_text(json.dumps({"who": "x", "view": "", "since": 1, "at": NOW}))
    (directory.consoles / "1-link.json").symlink_to(secret)
    os.mkfifo(directory.consoles / "2-pipe.json")
    assert PresenceFile(directory).others(NOW) == ()


def test_what_a_file_says_is_cleaned(directory: StoreDirectory) -> None:
    one, other = PresenceFile(directory), PresenceFile(directory)
    one.write(Presence("\x1b]0;evil\x07", "[red]" + "x" * 100, NOW, NOW))
    (seen,) = other.others(NOW)
    assert seen.who == "^[]0;evil^G"
    assert len(seen.view) == 60


def test_a_folder_that_cannot_be_written_is_no_failure(directory: StoreDirectory) -> None:
    directory.consoles.write_text("a file")
    seat = PresenceFile(directory)
    seat.write(ANNA)
    seat.leave()
    assert seat.others(NOW) == ()


def test_the_files_are_their_owners_alone(directory: StoreDirectory) -> None:
    PresenceFile(directory).write(ANNA)
    (path,) = directory.consoles.iterdir()
    assert (path.stat().st_mode & 0o777, directory.consoles.stat().st_mode & 0o777) == (
        0o600,
        0o700,
    )
