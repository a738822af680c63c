"""A row is copied through the terminal, or into a file that only its owner reads."""

import os
import signal
import stat
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import boards
from console.boards import Store
from console.pty_console import RESTORED, STUB, Terminal
from watchdeck.console.app import Console
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.terminal.clipboard import MAX_BYTES, osc52_sequence, save_to_file
from watchdeck.console.widgets.list import List


def test_a_terminal_is_asked_in_its_own_words() -> None:
    plain = "\x1b]52;c;w6k=\x07"
    assert osc52_sequence("é", {"TERM": "xterm"}) == plain
    wrapped = "\x1bPtmux;\x1b\x1b]52;c;w6k=\x07\x1b\\"
    assert osc52_sequence("é", {"TERM": "screen", "TMUX": "/tmp/x"}) == plain + wrapped
    assert osc52_sequence("é", {"TERM": "screen", "STY": "1"}) == f"{plain}\x1bP{plain}\x1b\\"


@pytest.mark.parametrize(
    ("text", "term"),
    [
        pytest.param("x" * (MAX_BYTES + 1), "xterm", id="too much"),
        pytest.param("x", "linux", id="no clipboard"),
    ],
)
def test_what_a_terminal_cannot_keep_is_not_sent(text: str, term: str) -> None:
    assert osc52_sequence(text, {"TERM": term}) == ""


def test_a_file_is_for_its_owner_alone() -> None:
    path = Path(save_to_file("a\tb"))
    try:
        assert path.read_text() == "a\tb"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        path.unlink()


async def test_a_row_that_cannot_be_sent_is_in_a_file_whose_path_is_said() -> None:
    settings = ViewSettings(boards.settings().styles, environ={"TERM": "linux"})
    console = Console(Store(), clock=boards.clock, settings=settings)
    async with console.run_test(size=(80, 24)) as pilot:
        await pilot.press("y")
        assert console.view_state.notice == "there is no row to copy"
        console.post_message(BoardUpdated(boards.snapshot()))
        await pilot.pause()
        await pilot.press("y")
        text = taken(console.view_state.notice.rpartition(" ")[2])
        assert text == console.screen.query_one("#fleet", List).words
        assert text.startswith("✖ DOWN\tchurn\t")


def taken(path: str) -> str:
    """What is in a file, which is gone then."""
    text = Path(path).read_text()
    Path(path).unlink()
    return text


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    begun = Terminal(STUB, "small", environ={"TMUX": ""})
    begun.wait_for(b"vision-ocr")
    yield begun
    begun.close()


def test_a_key_copies_the_whole_row_not_what_there_is_room_for(terminal: Terminal) -> None:
    terminal.ask(b"y", b"\x1b]52;c;")
    terminal.wait_for(b"asked the terminal")
    sent = terminal.output.partition(b"\x1b]52;c;")[2].partition(b"\x07")[0]
    assert b64decode(sent).decode().endswith("failed scrapes in a row: refused")
    terminal.type(b"Q")
    assert terminal.ended() == 0


def test_a_key_stops_it_and_it_comes_back_as_it_was(terminal: Terminal) -> None:
    terminal.output = b""
    terminal.type(b"\x1a")
    assert os.WIFSTOPPED(os.waitpid(terminal.pid, os.WUNTRACED)[1])
    terminal.wait_for(RESTORED)
    terminal.output = b""
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.wait_for(b"vision-ocr")
    terminal.ask(b"2", b"req/s")
    terminal.type(b"Q")
    assert terminal.ended() == 0
