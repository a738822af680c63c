"""No widget passes anything raw on to the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from rich.text import Text
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import DataTable, Input, Log, OptionList, RichLog, Static, TextArea
from textual.widgets.option_list import Option

from console.terminal.emulator import Emulator
from console.terminal.settling import settle
from watchdeck.console.terminal.app import DiffRenderedApp
from watchdeck.console.terminal.capabilities import TerminalCapabilities
from watchdeck.console.terminal.renderer import DiffRenderer

HOSTILE = "A\x1b]0;PWNED\x07B\x1b[2J\x9b31mC\x1b[6n\x1b]52;c;UFdO\x1b\\\u202eD\x08\x0e\x85E"

OWN = re.compile("\x1b\\[(?:[0-9;]*[mrHGCDKLM]|2J)|\r\n|\r|\x08+")
"""What the layer itself sends: looks, moves and erasing."""


def table() -> Widget:
    made: DataTable[Text] = DataTable()
    made.add_column(Text(HOSTILE))
    made.add_row(Text(HOSTILE), label=Text(HOSTILE))
    return made


def titled() -> Widget:
    made = Static()
    made.styles.border = ("round", "red")
    made.border_title = Content(HOSTILE)
    return made


class Lines(Log):
    def on_mount(self) -> None:
        self.write_line(HOSTILE)


class RichLines(RichLog):
    def on_mount(self) -> None:
        self.write(Text(HOSTILE))


WIDGETS: dict[str, Callable[[], Widget]] = {
    "text": lambda: Static(Text(HOSTILE)),
    "plain string": lambda: Static(HOSTILE, markup=False),
    "content": lambda: Static(Content(HOSTILE)),
    "table": table,
    "option": lambda: OptionList(Option(Content(HOSTILE))),
    "input": lambda: Input(HOSTILE),
    "text area": lambda: TextArea(HOSTILE),
    "border": titled,
    "log": Lines,
    "rich log": RichLines,
}


class Bare(DiffRenderedApp):
    """One widget, and no gate before ours."""

    def __init__(self, shown: Callable[[], Widget]) -> None:
        super().__init__()
        self.shown = shown

    def compose(self) -> ComposeResult:
        yield self.shown()


@pytest.mark.parametrize("name", WIDGETS)
async def test_nothing_raw_leaves(name: str) -> None:
    app = Bare(WIDGETS[name])
    async with app.run_test(size=(90, 12)) as pilot:
        wire = Emulator(90, 12)
        app.renderer = DiffRenderer(TerminalCapabilities(erases_in_colour=True), wire)
        app.refresh(layout=True)
        await settle(pilot)
        app.notify(HOSTILE, title=HOSTILE, markup=False)
        await pilot.pause()
    sent = b"".join(wire.frames).decode()
    left = OWN.sub("", sent)
    assert not [char for char in left if char < " " or "\x7f" <= char < "\xa0" or char == "\u202e"]
    assert "PWNED" in left
