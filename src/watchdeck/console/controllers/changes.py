"""`:change`: a marker on the model in focus, at the moment that is shown."""

from __future__ import annotations

import re
from functools import partial

from watchdeck.console.controllers.external_program import ExternalProgramController
from watchdeck.console.lines.relative_time import clock, offset
from watchdeck.console.state.services import AddChange
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.domain.board.change import SAID, ChangeKind, Marker
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError

_OPTION = re.compile(r"--(\S*?)(?:[= ]\s*(\S*)\s*(.*))?")


class MarkerError(ValueError):
    """A text that is no marker; it says what would be one."""


def parse_change(text: str) -> Marker:
    """What a person says happened: a note, or what follows `--what`, as in the shell.

    Raises MarkerError.
    """
    match = _OPTION.fullmatch(text)
    if match is None:
        return Marker(ChangeKind.NOTE, text)
    option, kind, words = match.groups(default="")
    if option != "what" or kind not in SAID:
        said = clean(text, 40)
        raise MarkerError(f"{said!r} is no change; write TEXT, or --what {'|'.join(SAID)} TEXT")
    return Marker(ChangeKind(kind), words)


class ChangeController(ExternalProgramController, inherit_bindings=False):
    """An application from which changes are marked."""

    def command_change(self, text: str) -> None:
        """Mark a change of the model in focus: when the chart's cursor or the past says, or now."""
        screen, mark = self.screen, self._desk.mark
        if self._outlook.setting.read_only or mark is None:
            self.say("this console is read-only: no change is marked from it")
        elif not isinstance(screen, BaseScreen) or not screen.subject:
            self.say("no model is in focus: go to its row, or open it")
        else:
            at = self._clock() if screen.pointed is None else screen.pointed
            try:
                keep = partial(self._mark, mark, screen.subject, parse_change(text), at)
            except MarkerError as error:
                self.say(str(error))
            else:
                self.run_worker(keep, thread=True, group="mark")

    def _mark(self, mark: AddChange, name: str, marker: Marker, at: int) -> None:
        try:
            number = mark(name, marker, at, self._clock())
        except WatchdeckError as error:
            self.call_from_thread(self.say, str(error))
        else:
            self.call_from_thread(self._marked, name, marker, at, number)

    def _marked(self, name: str, marker: Marker, at: int, number: int) -> None:
        zone = self._outlook.setting.zone
        when = f"{clock(at, zone, '%Y-%m-%d %H:%M:%S')} {offset(at, zone)}"
        said = f"{marker.what}: {clean(marker.text, 80)}"
        self.say(f"marked on {clean(name, 60)} at {when}: {said} (change {number})")
        if isinstance(self.screen, BaseScreen):
            self.screen.again()
