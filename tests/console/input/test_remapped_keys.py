"""Keys of a person's own on the running console: they work, ours do not, and all is told so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from console import boards
from console.boards import Store
from watchdeck.console.app import Console
from watchdeck.console.dialogs.help_screen import HelpScreen
from watchdeck.console.models.list_screen import ModelsScreen
from watchdeck.console.setup import console_settings
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.domain.settings.configuration import ConsoleSettings


@asynccontextmanager
async def shown(**keys: str) -> AsyncIterator[Pilot[None]]:
    named = {name.replace("_", ".", 1): value for name, value in keys.items()}
    settings = console_settings(Store(), ConsoleSettings(keys=named))
    console = Console(Store(), clock=boards.clock, settings=settings)
    async with console.run_test(size=(100, 40)) as pilot:
        console.post_message(BoardUpdated(boards.snapshot()))
        await pilot.pause()
        yield pilot


def text(pilot: Pilot[None]) -> str:
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


async def test_another_key_does_it_and_ours_does_not() -> None:
    async with shown(theme_next="F5", mode_models="F2") as pilot:
        await pilot.press("T", "2")
        assert pilot.app.theme == "dark"
        await pilot.press("f5", "f2")
        assert pilot.app.theme == "deuteranopia"
        assert isinstance(pilot.app.screen, ModelsScreen)


async def test_only_keys_that_are_not_ours_cost_time_at_every_key_pressed() -> None:
    async with shown(theme_next="F5") as pilot:
        assert pilot.app._keymap == {"theme.next": "f5"}


async def test_two_bindings_change_places() -> None:
    async with shown(list_down="up,k", list_up="down,j") as pilot:
        await pilot.press("2", "home")
        models = pilot.app.screen.query_one("#models")
        await pilot.press("up", "k")
        assert models.place.index == 2  # type: ignore[attr-defined]
        await pilot.press("j")
        assert models.place.index == 1  # type: ignore[attr-defined]


async def test_help_and_footer_tell_the_keys_that_work() -> None:
    async with shown(help_open="F1", quit="ctrl+x", list_filter="F6") as pilot:
        footer = text(pilot).splitlines()[-1]
        assert "F6 filter" in footer
        assert "F1 help" in footer
        assert "Ctrl+x quit" in footer
        await pilot.press("f1")
        assert isinstance(pilot.app.screen, HelpScreen)
        await pilot.press("end")
        row = next(line for line in text(pilot).splitlines() if "Leave; the collector" in line)
        assert row.split()[:1] == ["Ctrl+x"]
        assert row.split()[-1] == "quit"
        await pilot.press("ctrl+c")
        assert "Ctrl+x leaves the console" in text(pilot)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        pytest.param({"theme_nxt": "x"}, "Did you mean 'theme.next'?", id="an unknown id"),
        pytest.param({"theme_next": "s"}, "as models.sort is", id="a clash"),
        pytest.param({"theme_next": "ctrl+s"}, "flow control", id="a key that does not come"),
        pytest.param({"theme_next": "ctrl+s", "quit": "ctrl+q"}, "(2 such problems", id="several"),
    ],
)
async def test_a_bad_keymap_leaves_our_keys_and_says_why(keys: dict[str, str], said: str) -> None:
    async with shown(**keys) as pilot:
        banner = " ".join(text(pilot).split())
        assert "The keys are the usual ones:" in banner
        assert said in banner
        await pilot.press("T")
        assert pilot.app.theme == "deuteranopia"
