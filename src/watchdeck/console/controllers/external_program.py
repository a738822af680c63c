"""The terminal lent to a program of the person's own, and what is checked when it comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from textual import on
from textual.app import SuspendNotSupported

from watchdeck.console.controllers.config_check import ConfigCheck, check
from watchdeck.console.controllers.time_travel import TimeTravelController
from watchdeck.console.state.board_source import BoardSnapshot
from watchdeck.console.state.messages import BoardUpdated, EditRequested, PagerRequested
from watchdeck.console.state.services import Services
from watchdeck.console.terminal.external_program import (
    ProgramMissing,
    editor,
    pager,
    run_in_terminal,
)

Program = Callable[[Mapping[str, str]], list[str]]
"""Which program it is, by the environment."""


class ExternalProgramController(TimeTravelController, inherit_bindings=False):
    """An application that lends its terminal; meanwhile nothing of its own happens."""

    _desk: Services
    _lent = False
    _unseen: BoardSnapshot | None = None

    def _see(self, sight: BoardSnapshot) -> None:
        """Called by the watching thread; of what comes while nobody looks the newest is kept."""
        if self._lent:
            self._unseen = sight
        else:
            self.post_message(BoardUpdated(sight))

    def _lend(self, program: Program, *more: str, text: str | None = None) -> str:
        """Have a program run on the terminal; what went wrong with it, in words."""
        environ, wrong = self._outlook.setting.environ, ""
        try:
            command = [*program(environ), *more]
        except ProgramMissing as error:
            return str(error)
        self._lent = True
        try:
            with self.suspend():
                wrong = run_in_terminal(command, environ, text)
        except SuspendNotSupported:
            wrong = "this terminal cannot be lent to another program"
        self._lent = False
        if self._unseen is not None:
            self.post_message(BoardUpdated(self._unseen))
            self._unseen = None
        return wrong

    @on(PagerRequested)
    def _page(self, message: PagerRequested) -> None:
        wrong = self._lend(pager, text=message.text)
        if wrong:
            self.say(wrong)

    def command_edit(self, _text: str) -> None:
        """Edit the configuration in use."""
        self._edit()

    @on(EditRequested)
    def _edit(self) -> None:
        path = self._desk.config
        if self._outlook.setting.read_only:
            self.say("this console is read-only: the configuration is not edited from it")
        elif path is None:
            self.say("this console was opened without a configuration file")
        else:
            before = _content(path)
            wrong = self._lend(editor, str(path))
            look = partial(self._check, path, before, wrong)
            self.run_worker(look, thread=True, exclusive=True, group="check")

    def _check(self, path: Path, before: bytes, wrong: str) -> None:
        found = check(path, self._outlook.setting.environ)
        same = "" if _content(path) != before else "nothing was changed"
        self.call_from_thread(self._tell, found, wrong or same)

    def _tell(self, found: ConfigCheck, first: str) -> None:
        if found.problems:
            from watchdeck.console.dialogs.config_problems import ProblemsScreen

            self.push_screen(ProblemsScreen(self._outlook, self.current_mode, found.problems))
        self.say("; ".join(filter(None, (first, found.words))))


def _content(path: Path) -> bytes:
    """What is in a file; nothing when it cannot be read, which the check will say."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
