"""The real console in a pseudo terminal: what reaches it, and what does not end it badly."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.hostile import raw
from console.pty_console import RESTORED, STUB, Terminal
from console.stub import HOSTILE
from watchdeck.console.run import refuse_bad_terminal
from watchdeck.errors import WatchdeckError

Start = Callable[..., Terminal]


@pytest.fixture
def start() -> Iterator[Start]:
    opened: list[Terminal] = []

    def begin(fleet: str = "small", **options: object) -> Terminal:
        terminal = Terminal(STUB, fleet, **options)  # type: ignore[arg-type]
        opened.append(terminal)
        terminal.wait_for(b"collector")
        return terminal

    yield begin
    for terminal in opened:
        terminal.close()


def test_nothing_raw_from_data_reaches_the_terminal_and_no_string_is_markup(start: Start) -> None:
    terminal = start("hostile", cells=120, rows=40)
    terminal.wait_for(b"[/nope]")
    seen = terminal.output
    for keys in (b"2", b"\r", b"\x1b", *[b"\x1b[B\r", b"\x1b"] * (len(HOSTILE) - 1), b"?"):
        terminal.type(keys)
        seen += terminal.read(0.4)
    assert not raw(seen)
    assert b"[@click=app.quit]click[/]" in seen
    assert b"^[]0;PWNED^Gtitle" in seen
    terminal.type(b"Q")
    assert terminal.ended() == 0


def test_a_defect_ends_it_with_a_restored_terminal_and_plain_words(start: Start) -> None:
    terminal = start("defect")
    terminal.wait_for(b"churn")
    terminal.type(b"\r")
    assert terminal.ended() == 1
    said = terminal.output[terminal.output.index(RESTORED) :]
    assert b"RuntimeError: ^[]0;PWNED^Gtitle" in said
    assert b"\x1b]0;" not in terminal.output
    assert b"self = " not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_restores_the_terminal(
    start: Start, number: signal.Signals
) -> None:
    terminal = start()
    os.kill(terminal.pid, number)
    assert terminal.ended() == 0
    assert RESTORED in terminal.output


@pytest.mark.parametrize("ignore_hangup", [False, True])
def test_it_ends_when_its_terminal_is_gone(start: Start, ignore_hangup: bool) -> None:  # noqa: FBT001
    terminal = start(ignore_hangup=ignore_hangup)
    terminal.hang_up()
    _, status = os.waitpid(terminal.pid, 0)
    terminal.pid = 0
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(b"\xff", id="a byte that is never UTF-8"),
        pytest.param(b"\xc3(", id="half a character"),
        pytest.param(b"\x1b[200~caf\xe9\x1b[201~", id="a paste in another encoding"),
        pytest.param(b"\x1b[113:81;2u\x1b[99999999999999999999u", id="keys nobody has"),
        pytest.param(bytes(range(0x80, 0x100)) * 20, id="noise"),
    ],
)
def test_bad_bytes_on_the_keyboard_do_not_end_it(start: Start, keys: bytes) -> None:
    terminal = start()
    terminal.type(keys)
    terminal.read(0.3)
    terminal.ask(b"2", b"req/s")
    terminal.type(b"Q")
    assert terminal.ended() == 0


def test_sizes_that_no_screen_has_do_not_end_it(start: Start) -> None:
    terminal = start()
    for cells, rows in ((1, 1), (0, 0), (500, 1), (1, 300), (70, 20)):
        terminal.resize(cells, rows)
        terminal.read(0.1)
    terminal.output = b""
    terminal.resize(100, 30)
    terminal.wait_for(b"/srv/store")
    terminal.type(b"Q")
    assert terminal.ended() == 0


def test_nothing_is_sent_while_nothing_changes(start: Start) -> None:
    terminal = start("still")
    terminal.wait_for(b"vision-ocr")
    terminal.read(1.0)
    assert terminal.read(1.5) == b""


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"NO_COLOR": "1"}, id="no colour"),
        pytest.param({"TERM": "vt100", "COLORTERM": ""}, id="an old terminal"),
        pytest.param({"LC_ALL": "de_DE.ISO-8859-1"}, id="no Unicode"),
    ],
)
def test_it_shows_health_by_word_on_any_terminal(start: Start, environ: dict[str, str]) -> None:
    terminal = start(environ=environ)
    terminal.wait_for(b"DOWN")
    terminal.type(b"Q")
    assert terminal.ended() == 0


def test_a_dumb_terminal_is_refused_with_what_works_there() -> None:
    with pytest.raises(WatchdeckError, match=r"'dumb' \(TERM\)\. `watchdeck status`"):
        refuse_bad_terminal({"TERM": "dumb"}, has_terminal=True)
    refuse_bad_terminal({"TERM": "xterm"}, has_terminal=True)


def test_without_a_terminal_it_is_refused() -> None:
    with pytest.raises(WatchdeckError, match="needs a terminal"):
        refuse_bad_terminal({"TERM": "xterm"}, has_terminal=False)


FIRST_FRAME = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from console.stub import Source, clock
from console import boards
from watchdeck.console.app import Console
console = Console(boards.Store(), clock=clock, open_source=lambda: Source("small"))
async def main():
    async with console.run_test(size=(80, 24)) as pilot:
        while not console.screen.state.models:
            await pilot.pause()
        await pilot.pause()
        print(*sorted({heavy!r} & set(sys.modules)))
asyncio.run(main())
"""


def test_the_first_frame_loads_nothing_heavy() -> None:
    heavy = {"numpy", "pandas", "scipy", "sqlite_utils", "httpx"}
    code = FIRST_FRAME.format(tests=str(Path(STUB).parents[1]), heavy=heavy)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
