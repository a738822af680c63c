"""Copying a row to the terminal's clipboard, or to a file when it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.terminal.clipboard import osc52_sequence, save_to_file
from watchdeck.console.widgets.list import List


class ClipboardController:
    """Copies the row under the cursor."""

    def __init__(self, port: ConsolePort) -> None:
        self._port = port

    def keys(self) -> Mapping[str, Callable[[], object]]:
        """The function to call for each key binding, by the id of the binding."""
        return {"copy": self.copy_row}

    def copy_row(self) -> None:
        """Copy the row under the cursor to the terminal's clipboard; if it has none, to a file."""
        text = self._row()
        if not text:
            self._port.say("there is no row to copy")
            return
        environ, output = self._port.view_state.settings.environ, self._port.output
        if output is not None and osc52_sequence(text, environ):
            output.write(osc52_sequence(text, environ))
            self._port.say(f"asked the terminal to copy {len(text)} characters")
            return
        try:
            self._port.say(f"this terminal has no clipboard: the row is in {save_to_file(text)}")
        except OSError as error:
            self._port.say(f"the row could not be kept in a file: {error.strerror}")

    def _row(self) -> str:
        screen = self._port.current_screen
        if screen is None:
            return ""
        focused = screen.focused
        rows = focused if isinstance(focused, List) else next(iter(screen.query(List)), None)
        return rows.words if rows else ""
