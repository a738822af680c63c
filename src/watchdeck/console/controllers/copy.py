"""Copying a row: through the terminal, or into a file where it has no clipboard."""

from __future__ import annotations

from watchdeck.console.controllers.alerts import AlertController
from watchdeck.console.terminal.clipboard import osc52_sequence, save
from watchdeck.console.widgets.list import List


class CopyController(AlertController, inherit_bindings=False):
    """An application from which rows are copied."""

    def action_copy(self) -> None:
        """Hand the row under the cursor to the terminal's clipboard, or to a file."""
        focused = self.screen.focused
        found = focused if isinstance(focused, List) else next(iter(self.screen.query(List)), None)
        text = found.words if found else ""
        if not text:
            self.say("there is no row to copy")
            return
        environ = self._outlook.setting.environ
        if self._driver is not None and osc52_sequence(text, environ):
            self._driver.write(osc52_sequence(text, environ))
            self.say(f"asked the terminal to copy {len(text)} characters")
            return
        try:
            self.say(f"this terminal has no clipboard: the row is in {save(text)}")
        except OSError as error:
            self.say(f"the row could not be kept in a file: {error.strerror}")
