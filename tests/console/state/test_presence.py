"""Consoles on one store see each other, and where each looks."""

from console import boards
from console.boards import NOW, Store
from watchdeck.console.app import Console
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.state.services import ConsolePresence, Services
from watchdeck.domain.board.board import Presence

ANNA = Presence("anna from 10.0.0.7", "models", NOW, NOW)


class Seats:
    """Seats with somebody on one of them."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.left = False

    def write(self, presence: Presence) -> None:
        self.told.append(f"{presence.who}: {presence.view}")

    def leave(self) -> None:
        self.left = True

    def others(self, now: int) -> tuple[Presence, ...]:
        assert now == NOW
        return (ANNA,)


async def met(company: ConsolePresence, seats: Seats) -> str:
    """What the deck shows of the others, after a walk to the models and into one of them."""
    console = Console(
        Store(), clock=boards.clock, settings=boards.settings(), services=Services(company)
    )
    async with console.run_test(size=(120, 40)) as pilot:
        console.post_message(BoardUpdated(boards.snapshot()))
        for keys in ((), ("2",), ("enter",), ("1",)):
            await pilot.press(*keys)
            await pilot.pause()
            await console.workers.wait_for_complete()
            await pilot.pause()
        shown = "\n".join(strip.text for strip in console.screen._compositor.render_strips())
    assert seats.left == bool(seats.told)
    return shown


async def test_consoles_on_the_same_store_see_each_other_and_where_they_look() -> None:
    seats = Seats()
    assert "also here anna from 10.0.0.7 (models)" in await met(
        ConsolePresence(seats, "ben", NOW), seats
    )
    assert seats.told[0] == "ben: deck"
    assert "ben: models" in seats.told
    assert "ben: churn" in seats.told


async def test_a_console_without_a_name_is_not_seen() -> None:
    seats = Seats()
    assert "also here anna" in await met(ConsolePresence(seats, "", NOW), seats)
    assert seats.told == []
