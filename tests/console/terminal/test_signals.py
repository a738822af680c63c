"""The console's life on a terminal that is slow, resized, stopped, or another than it was."""

from __future__ import annotations

import os
import re
import signal
import termios
from collections.abc import Callable, Iterator

import pytest

from console.pty_console import PATIENCE, RESTORED, STUB, Terminal
from console.terminal.emulator import Emulator

ENTERED = b"\x1b[?1049h"

COLOUR = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:[34][0-9]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")

UNKNOWN = re.compile(rb"\x1b\[[<>=?][0-9;]*u|\x1b\[\?[0-9;]*\$p|\x1b\[5n")
"""Sequences that the emulator does not know and would print."""

Start = Callable[..., Terminal]


@pytest.fixture
def start() -> Iterator[Start]:
    opened: list[Terminal] = []

    def begin(fleet: str = "still", **options: object) -> Terminal:
        terminal = Terminal(STUB, fleet, **options)  # type: ignore[arg-type]
        opened.append(terminal)
        terminal.wait_for(b"collector")
        terminal.read(0.5)
        return terminal

    yield begin
    for terminal in opened:
        terminal.close()


def shown(output: bytes, cells: int = 80, rows: int = 24) -> list[str]:
    """What these bytes leave on the screen."""
    emulator = Emulator(cells, rows)
    emulator.feed(UNKNOWN.sub(b"", output))
    return ["".join(cell.glyph for cell in row) for row in emulator.cells()]


def ends_unread(terminal: Terminal) -> int:
    """The exit code of a console whose terminal nobody reads."""
    for _ in range(int(PATIENCE / 0.05)):
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            terminal.pid = 0
            return os.waitstatus_to_exitcode(status)
        signal.sigtimedwait([], 0.05)
    raise AssertionError("still running")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_while_nobody_reads_and_the_terminal_is_restored(
    start: Start, number: signal.Signals
) -> None:
    terminal = start(cells=200, rows=60)
    for size in range(150, 200):
        terminal.resize(size, 60)
        terminal.type(b"\x0c")
    terminal.read(0)
    os.kill(terminal.pid, number)
    assert ends_unread(terminal) == 0
    assert b"\x1b[r\x1b[m" in terminal.read(0.5).partition(RESTORED)[0][-200:]
    assert RESTORED in terminal.output
    assert termios.tcgetattr(terminal.fd)[3] & termios.ECHO


def test_stopped_and_continued_it_draws_all_again(start: Start) -> None:
    terminal = start()
    picture = shown(terminal.output)
    os.kill(terminal.pid, signal.SIGTSTP)
    assert os.WIFSTOPPED(os.waitpid(terminal.pid, os.WUNTRACED)[1])
    terminal.wait_for(RESTORED)
    terminal.read(0.1)
    terminal.output = b""
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.wait_for(b"collector")
    terminal.read(0.5)
    assert terminal.output.startswith(ENTERED)
    assert shown(terminal.output) == picture
    terminal.type(b"Q")
    assert terminal.ended() == 0


def test_frozen_and_thawed_it_draws_all_again_and_leaves_the_terminal_as_it_was(
    start: Start,
) -> None:
    terminal = start()
    picture = shown(terminal.output)
    os.kill(terminal.pid, signal.SIGSTOP)
    terminal.output = b""
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.wait_for(b"collector")
    terminal.read(0.5)
    assert ENTERED not in terminal.output
    assert shown(terminal.output) == picture
    terminal.type(b"Q")
    assert terminal.ended() == 0
    assert termios.tcgetattr(terminal.fd)[3] & termios.ECHO


def test_what_another_program_wrote_is_gone_after_the_key_for_it(start: Start) -> None:
    terminal = start()
    picture = shown(terminal.output)
    rubbish = b"\x1b[31;44mwall: the system goes down\r\n"
    before = terminal.output
    terminal.output = b""
    terminal.type(b"\x0c")
    terminal.wait_for(b"collector")
    terminal.read(0.3)
    assert shown(before + rubbish + terminal.output) == picture


def test_after_a_storm_of_sizes_the_screen_is_that_of_the_last(start: Start) -> None:
    terminal = start()
    for number in range(100):
        terminal.resize(20 + number % 90, 5 + number % 40)
    terminal.resize(80, 24)
    terminal.read(1.5)
    terminal.output = b""
    terminal.resize(81, 24)
    terminal.read(1.5)
    terminal.output = b""
    terminal.resize(80, 24)
    terminal.wait_for(b"collector")
    terminal.read(0.5)
    settled = shown(terminal.output)
    assert settled == shown(start().output)


def test_a_vast_terminal_is_filled_and_left(start: Start) -> None:
    terminal = start()
    terminal.output = b""
    terminal.resize(2_000, 1_000)
    terminal.wait_for(b"collector")
    terminal.resize(1, 1)
    terminal.read(0.5)
    terminal.output = b""
    terminal.resize(80, 24)
    terminal.wait_for(b"collector")
    terminal.type(b"Q")
    assert terminal.ended() == 0


def test_a_terminal_that_answers_is_asked_and_its_answer_is_no_key(start: Start) -> None:
    terminal = start()
    question = b"\x1b[5n"
    assert question in terminal.output
    terminal.output = b""
    terminal.type(b"\x1b[0n")
    drawn = terminal.read(0.5).replace(question, b"")  # a busy machine lets it ask again
    assert drawn == b""
    terminal.type(b"\x1b[0")
    terminal.read(0.05)
    terminal.ask(b"n2", b"req/s")
    terminal.type(b"Q")
    assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        pytest.param({"NO_COLOR": "1"}, False, id="no colour is wanted"),
        pytest.param({"TERM": "vt220", "COLORTERM": ""}, False, id="no colour is there"),
        pytest.param({"TERM": "linux", "COLORTERM": ""}, True, id="sixteen colours"),
        pytest.param({"TERM": "screen-256color", "COLORTERM": ""}, True, id="256 colours"),
    ],
)
def test_colours_are_those_of_the_terminal(
    start: Start, environ: dict[str, str], *, coloured: bool
) -> None:
    terminal = start("live", environ=environ)
    for keys in (b"2", b"\x1b[B", b"\x1b[6~", b"\r", b"?"):
        terminal.type(keys)
        terminal.read(0.2)
    assert bool(COLOUR.search(terminal.output)) is coloured
    assert b"38;2;" not in terminal.output
    assert (b"38;5;" in terminal.output) is ("256" in environ.get("TERM", ""))
