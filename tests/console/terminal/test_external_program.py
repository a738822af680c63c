"""A person's own pager and editor get the terminal, and it comes back as it was."""

from __future__ import annotations

import os
import select
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console import boards
from console.boards import Store
from console.pty_console import RESTORED, STUB, Terminal
from console.terminal.test_signals import shown
from watchdeck.console.app import Console
from watchdeck.console.controllers.config_check import check_config
from watchdeck.console.state.messages import BoardUpdated, PagerRequested
from watchdeck.console.state.services import Services
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.terminal.external_program import (
    ProgramNotFound,
    editor_command,
    pager_command,
    run_in_terminal,
)

GOOD = '[[endpoint]]\nname = "fraud"\nurl = "http://127.0.0.1:1"\n'

PAGER = """\
cat > "$1"
stty -a < /dev/tty | grep -o ' echo '
printf 'PAGED %s' "$LESSSECURE$LESS"
read line < /dev/tty
"""

EDITOR = """\
printf 'EDITING '
read line < /dev/tty
printf '%s' "$line" | tr '|' '\\n' > "$1"
"""

Start = Callable[..., Terminal]


def script(folder: Path, text: str) -> Path:
    """A program, in a folder whose name has a blank."""
    path = folder / "my tools" / "program"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)
    return path


@pytest.fixture
def start() -> Iterator[Start]:
    opened: list[Terminal] = []

    def begin(*args: str, **environ: str) -> Terminal:
        terminal = Terminal(STUB, *args, cells=100, environ=environ)
        opened.append(terminal)
        terminal.wait_for(b"4711")
        return terminal

    yield begin
    for terminal in opened:
        terminal.close()


def paged(start: Start, folder: Path, fleet: str) -> tuple[Terminal, Path]:
    """A console that shows the answers of the worst model, with a pager for them."""
    kept = folder / "kept"
    terminal = start(fleet, PAGER=f"'{script(folder, PAGER)}' {kept}", LESS="-X")
    terminal.ask(b"\r", b"signals")
    terminal.ask(b"x", b"/metrics")
    terminal.read(0.3)
    return terminal, kept


def test_answers_are_read_in_the_persons_own_pager_and_the_screen_is_there_again(
    start: Start, tmp_path: Path
) -> None:
    terminal, kept = paged(start, tmp_path, "still")
    picture = shown(terminal.output, 100)
    terminal.ask(b"P", b"PAGED 1-X -+F")
    assert RESTORED in terminal.output
    assert b" echo " in terminal.output
    assert termios.tcgetattr(terminal.fd)[3] & termios.ICANON
    assert kept.read_text().startswith(" /metrics  200  just now\n   server: stub\n   up 1\n")
    terminal.ask(b"\r", b"/metrics")
    terminal.read(0.3)
    assert shown(terminal.output, 100) == picture
    terminal.type(b"Q")
    assert terminal.ended() == 0


def test_nothing_raw_reaches_the_pager(start: Start, tmp_path: Path) -> None:
    terminal, kept = paged(start, tmp_path, "hostile")
    terminal.ask(b"P", b"PAGED 1")
    text = kept.read_text()
    assert "^[]0;PWNED^Gtitle" in text
    assert not [c for c in text if c != "\n" and (c < " " or c in "\x7f\x9b\u202e\u2066\u200b")]


def test_control_c_ends_the_pager_and_not_the_console(start: Start, tmp_path: Path) -> None:
    terminal, _ = paged(start, tmp_path, "still")
    terminal.ask(b"P", b"PAGED 1")
    terminal.ask(b"\x03", b"ended by signal 2")
    terminal.ask(b"2", b"req/s")
    terminal.type(b"Q")
    assert terminal.ended() == 0


def test_the_console_ends_when_the_terminal_goes_while_it_is_lent(
    start: Start, tmp_path: Path
) -> None:
    terminal, _ = paged(start, tmp_path, "still")
    terminal.ask(b"P", b"PAGED 1")
    terminal.hang_up()
    ended, _, _ = select.select([os.pidfd_open(terminal.pid)], [], [], 10)
    assert ended
    os.waitpid(terminal.pid, 0)
    terminal.pid = 0


def test_the_configuration_is_edited_until_it_has_no_problem(start: Start, tmp_path: Path) -> None:
    config = tmp_path / "watchdeck.toml"
    config.write_text(GOOD)
    terminal = start("still", str(config), VISUAL="", EDITOR=f"'{script(tmp_path, EDITOR)}'")
    terminal.ask(b":edit\r", b"EDITING")
    terminal.ask(b'[[endpoint]]|nme = "x"|every = "soon"\r', b"3 problems")
    terminal.wait_for(b"endpoint[0].nme")
    terminal.ask(b"\r", b"EDITING")
    terminal.ask(GOOD.replace("\n", "|").encode() + b"\r", b"no problems")
    terminal.wait_for(b"at its next start")
    terminal.ask(b"2", b"req/s")
    terminal.type(b"Q")
    assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        pytest.param({"PAGER": "no-such"}, "PAGER is 'no-such', which is no program here", id="no"),
        pytest.param({"PAGER": "a 'b"}, "cannot be read: No closing quotation", id="half a quote"),
        pytest.param({"PAGER": "\x1b[2J"}, r"is '\^\[\[2J'", id="a control sequence"),
        pytest.param({"PAGER": "a" * 5_000}, "has 5000 characters; at most 4096", id="too long"),
        pytest.param({}, "PAGER name no program, and none of less, more is", id="none at all"),
    ],
)
def test_without_a_pager_it_is_said_why(environ: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(ProgramNotFound, match=said):
        pager_command(environ | {"PATH": str(tmp_path)})


def test_visual_comes_before_editor_and_both_before_what_is_usual(tmp_path: Path) -> None:
    program = script(tmp_path, "")
    program.rename(program.with_name("vi"))
    path = str(program.parent)
    assert editor_command({"PATH": path, "VISUAL": "vi -n", "EDITOR": "ed"}) == ["vi", "-n"]
    assert editor_command({"PATH": path, "VISUAL": " ", "EDITOR": "vi"}) == ["vi"]
    assert editor_command({"PATH": path}) == ["vi"]


def test_a_program_that_does_not_end_well_is_said(tmp_path: Path) -> None:
    program = script(tmp_path, "exit 3")
    assert run_in_terminal([str(program)], {}, "text").endswith("ended with code 3")
    program.write_text("neither a program nor a script")
    assert "could not be started" in run_in_terminal([str(program)], {})


def test_the_check_tells_every_problem_and_what_it_means_for_who_runs(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    path.write_text(GOOD)
    assert check_config(path, {}).words.startswith(
        "watchdeck.toml: 1 endpoint, no problems. A running"
    )
    path.write_text(GOOD + '[console]\ntheme = "drak"\nlayout = "none"\n')
    found = check_config(path, {})
    assert [one.key for one in found.problems] == ["console.theme", "console.layout"]
    assert "2 problems. A running collector goes on with what it read" in found.words


@pytest.mark.parametrize(
    ("read_only", "config", "said"),
    [
        pytest.param(True, Path("x.toml"), "this console is read-only", id="a read-only console"),
        pytest.param(False, None, "without a configuration file", id="no file"),
        pytest.param(False, Path("x.toml"), "none of editor, nano, vi is", id="no editor"),
    ],
)
async def test_an_edit_that_cannot_be_is_refused_with_words(
    *, read_only: bool, config: Path | None, said: str, tmp_path: Path
) -> None:
    styles, environ = boards.settings().styles, {"PATH": str(tmp_path)}
    settings = ViewSettings(styles, read_only=read_only, environ=environ)
    console = Console(
        Store(), clock=boards.clock, settings=settings, services=Services(config=config)
    )
    async with console.run_test(size=(80, 24)) as pilot:
        console.post_message(BoardUpdated(boards.snapshot()))
        await pilot.press("colon", *"edit", "enter")
        await pilot.pause()
        await console.workers.wait_for_complete()
        assert said in console.view_state.notice


async def test_a_terminal_that_cannot_be_lent_is_said() -> None:
    settings = ViewSettings(boards.settings().styles, environ={"PAGER": "/bin/cat"})
    console = Console(Store(), clock=boards.clock, settings=settings)
    async with console.run_test(size=(80, 24)) as pilot:
        console.post_message(PagerRequested("text"))
        await pilot.pause()
        assert "cannot be lent" in console.view_state.notice
