"""A line to type on is there once, wherever the focus went."""

import pytest

from console import boards
from console.boards import Store
from watchdeck.console.app import Console
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.widgets.prompt import Prompt


@pytest.mark.parametrize("keys", [(":", ":"), (":", "S"), ("S", ":"), ("slash", ":")])
async def test_a_line_is_asked_for_anew_after_a_click_took_the_focus(keys: tuple[str, str]) -> None:
    console = Console(Store(), clock=boards.clock, settings=boards.settings())
    async with console.run_test(size=(80, 24)) as pilot:
        console.post_message(BoardUpdated(boards.snapshot()))
        await pilot.press(keys[0])
        await pilot.pause()
        await pilot.click("#fleet", offset=(4, 3))
        await pilot.press(keys[1])
        await pilot.pause()
        [prompt] = console.screen.query(Prompt)
        assert prompt.has_focus_within
