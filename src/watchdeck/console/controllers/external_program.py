"""Running the operator's pager or editor on the terminal, and checking the edited file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from textual.app import SuspendNotSupported

from watchdeck.console.controllers.config_check import ConfigCheck, check_config
from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.input.commands import Command
from watchdeck.console.state.board_source import BoardSnapshot
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.terminal.external_program import (
    ProgramNotFound,
    editor_command,
    pager_command,
    run_in_terminal,
)

Program = Callable[[Mapping[str, str]], list[str]]
"""A function from environment variables to the command line of a program."""


class ExternalProgramController:
    """Runs a pager or an editor on the terminal; the console stands still meanwhile.

    `suspend` returns a context manager that gives up the terminal while it is open.
    `config` is the configuration file to edit, None when there is none.
    """

    def __init__(
        self,
        port: ConsolePort,
        suspend: Callable[[], AbstractContextManager[None]],
        config: Path | None,
    ) -> None:
        self._port = port
        self._suspend = suspend
        self._config = config
        self._is_lent = False
        self._waiting: BoardSnapshot | None = None

    def commands(self) -> tuple[Command, ...]:
        """The command that edits the configuration file."""
        words = "Edit the configuration, and have it checked"
        return (Command("edit", words, lambda _: self.edit()),)

    def receive(self, snapshot: BoardSnapshot) -> None:
        """Post a snapshot to the console; while a program has the terminal, keep it until then.

        Runs on the poller's thread.
        """
        if self._is_lent:
            self._waiting = snapshot
        else:
            self._port.post_message(BoardUpdated(snapshot))

    def page(self, text: str) -> None:
        """Show `text` in the operator's pager; if that fails, show the reason as a notice."""
        problem = self._run(pager_command, text=text)
        if problem:
            self._port.say(problem)

    def edit(self) -> None:
        """Open the configuration file in the editor, then check it and show the result."""
        path = self._config
        if self._port.view_state.settings.read_only:
            self._port.say("this console is read-only: the configuration is not edited from it")
        elif path is None:
            self._port.say("this console was opened without a configuration file")
        else:
            before = _read(path)
            problem = self._run(editor_command, str(path))
            look = partial(check_config, path, self._port.view_state.settings.environ)
            self._port.run_in_thread(look, partial(self._show_check, before, problem), "check")

    def _run(self, program: Program, *more: str, text: str | None = None) -> str:
        """Run a program on the terminal; returns the problem in words, empty without one."""
        environ, problem = self._port.view_state.settings.environ, ""
        try:
            command = [*program(environ), *more]
        except ProgramNotFound as error:
            return str(error)
        self._is_lent = True
        try:
            with self._suspend():
                problem = run_in_terminal(command, environ, text)
        except SuspendNotSupported:
            problem = "this terminal cannot be lent to another program"
        self._is_lent = False
        if self._waiting is not None:
            self._port.post_message(BoardUpdated(self._waiting))
            self._waiting = None
        return problem

    def _show_check(self, before: bytes, problem: str, found: ConfigCheck) -> None:
        if found.problems:
            from watchdeck.console.dialogs.config_problems import ProblemsScreen

            state, mode = self._port.view_state, self._port.current_mode
            self._port.push_screen(ProblemsScreen(state, mode, found.problems))
        is_same = "nothing was changed" if _read(found.path) == before else ""
        self._port.say("; ".join(filter(None, (problem or is_same, found.words))))


def _read(path: Path) -> bytes:
    """The bytes of a file; empty when it cannot be read, which the check reports."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
