"""What a terminal shows of our bytes is what the compositor wanted, cell by cell."""

import random

import pytest
from textual.app import App
from textual.pilot import Pilot

from console import boards
from console.terminal.busy_app import EVENTS, Stage
from console.terminal.emulator import Emulator, Seen, wanted
from console.terminal.settling import settle
from watchdeck.console.app import Console
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.terminal.capabilities import TerminalCapabilities
from watchdeck.console.terminal.renderer import DiffRenderer

SIZES = ((80, 24), (61, 17), (64, 24), (37, 9), (80, 12))


def differing(wire: Emulator, app: App[None]) -> list[tuple[int, int, Seen, Seen]]:
    """Row, column, what is seen and what is wanted, where these are not the same."""
    rows = zip(wire.cells(), wanted(app), strict=True)
    return [
        (y, x, is_, should)
        for y, (here, there) in enumerate(rows)
        for x, (is_, should) in enumerate(zip(here, there, strict=True))
        if is_ != should
    ]


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(n, marks=pytest.mark.long) for n in range(2, 10))]
)
async def test_an_emulated_terminal_shows_what_the_compositor_wants(seed: int) -> None:
    chance = random.Random(seed)
    app = Stage(chance)
    size = chance.choice(SIZES)
    async with app.run_test(size=size) as pilot:
        wire = Emulator(*size)
        app.renderer = DiffRenderer(TerminalCapabilities(erases_in_colour=seed % 2 == 0), wire)
        app.refresh(layout=True)
        await settle(pilot)
        for number in range(50):
            await play(app, pilot, wire, chance)
            wrong = differing(wire, app)
            if wrong:  # something was still to be drawn
                await pilot.pause()
                wrong = differing(wire, app)
            assert not wrong, f"sequence {number}"


KEYS = ("down", "up", "pagedown", "pageup", "home", "end", "1", "2", "enter", "escape", "?")


async def test_the_console_itself_looks_the_same_on_an_emulated_terminal() -> None:
    chance = random.Random(0)
    app = Console(boards.Store(), clock=boards.clock)
    async with app.run_test(size=(80, 24)) as pilot:
        wire = Emulator(80, 24)
        app.renderer = DiffRenderer(TerminalCapabilities(erases_in_colour=True), wire)
        app.refresh(layout=True)
        for number in range(25):
            wire.free = chance.random() < 0.7
            models = boards.large_fleet(chance.randint(0, 60), number)
            app.post_message(BoardUpdated(boards.snapshot(boards.board(models))))
            await pilot.press(*chance.choices(KEYS, k=2))
            await settle(pilot)
            wire.free = True
            app.renderer.flush()
            assert not differing(wire, app), f"sequence {number}"


async def play(app: Stage, pilot: Pilot[None], wire: Emulator, chance: random.Random) -> None:
    """One sequence: some events, while the link may be slow, and in the end it is not."""
    wire.free = chance.random() < 0.7
    for _ in range(chance.randint(1, 5)):
        event = chance.choices([event for event, _ in EVENTS], [often for _, often in EVENTS])[0]
        event(app, chance)
        if chance.random() < 0.3:
            await settle(pilot)
    if chance.random() < 0.1:
        await resize(app, pilot, wire, chance)
    await settle(pilot)
    wire.free = True
    assert app.renderer is not None
    app.renderer.flush()


async def resize(app: Stage, pilot: Pilot[None], wire: Emulator, chance: random.Random) -> None:
    size = chance.choice(SIZES)
    wire.resize(*size)
    app.invalidate(size)
    await pilot.resize_terminal(*size)
