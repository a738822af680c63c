"""One picture a screen at 80x24 and 120x40, by a clock that stands still."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from console import boards
from console.boards import Store
from watchdeck.console.app import Console
from watchdeck.console.messages import HistoryRead, SightChanged
from watchdeck.console.screens.detail import DetailScreen

SIZES = [pytest.param((80, 24), id="80x24"), pytest.param((120, 40), id="120x40")]

Compare = Callable[..., bool]


def console() -> Console:
    return Console(Store(), clock=boards.clock, setting=boards.setting())


async def show(pilot: Pilot[None], *keys: str) -> None:
    pilot.app.post_message(SightChanged(boards.sight()))
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()


async def deck(pilot: Pilot[None]) -> None:
    await show(pilot)


async def models(pilot: Pilot[None]) -> None:
    await show(pilot, "2", "down")


async def detail(pilot: Pilot[None]) -> None:
    await show(pilot, "2", "down", "enter")
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, DetailScreen)
    assert screen._wanted is not None
    found = boards.found(screen._wanted)
    screen.post_message(HistoryRead(screen._wanted, found))
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", [deck, models, detail], ids=lambda screen: screen.__name__)
def test_a_screen_looks_as_it_did(
    snap_compare: Compare, screen: Callable[[Pilot[None]], object], size: tuple[int, int]
) -> None:
    assert snap_compare(console(), terminal_size=size, run_before=screen)
