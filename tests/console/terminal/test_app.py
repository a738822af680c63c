"""An application with a link, with another, and without one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from textual.app import App, ComposeResult
from textual.widgets import Label

from console.terminal.emulator import Emulator
from console.terminal.settling import settle
from watchdeck.console.terminal.app import DiffRenderedApp
from watchdeck.console.terminal.capabilities import TerminalCapabilities
from watchdeck.console.terminal.renderer import DiffRenderer
from watchdeck.console.terminal.textual_update import mismatch_reason, read_update


class Hello(DiffRenderedApp):
    """Says hello."""

    def compose(self) -> ComposeResult:
        yield Label("hello", id="said")


def shown(wire: Emulator) -> str:
    return "".join(cell.glyph for cell in wire.cells()[0]).strip()


async def test_without_a_link_textual_draws() -> None:
    app = Hello()
    async with app.run_test(size=(20, 3)) as pilot:
        app.connect(None)
        app.redraw()
        app.invalidate((20, 3))
        await settle(pilot)
        assert app.renderer is None
        assert app.traffic is None


async def test_what_is_held_back_is_not_drawn_before_it_may_be() -> None:
    app = Hello()
    async with app.run_test(size=(20, 3)) as pilot:
        wire = Emulator(20, 3)
        app.renderer = DiffRenderer(TerminalCapabilities(), wire)
        with app.batch_update():
            app.refresh(layout=True)
            await pilot.pause()
            assert not wire.frames
        await pilot.pause()
        assert shown(wire) == "hello"


async def test_a_terminal_of_another_size_waits_for_its_layout() -> None:
    app = Hello()
    async with app.run_test(size=(20, 3)) as pilot:
        wire = Emulator(20, 3)
        app.renderer = DiffRenderer(TerminalCapabilities(), wire)
        app.refresh(layout=True)
        await settle(pilot)
        frames = len(wire.frames)
        app.invalidate((30, 3))
        assert len(wire.frames) == frames
        app.invalidate((20, 3))
        assert len(wire.frames) == frames + 1
        assert shown(wire) == "hello"


def test_this_textual_can_be_read() -> None:
    assert mismatch_reason(Hello()) == ""


def test_another_textual_is_left_to_draw_by_itself() -> None:
    stranger = cast("App[Any]", SimpleNamespace(_batch_count=0))
    assert "_display" in mismatch_reason(stranger)


def test_what_is_no_update_is_not_read() -> None:
    assert read_update(None) is None
    assert read_update("text") is None
