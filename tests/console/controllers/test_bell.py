"""A bell and a notice for a new page, for who looks elsewhere."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from console import active_alerts as alerted
from console import boards
from console.active_alerts import MINUTE, alerts, raised, taken
from console.boards import NOW
from watchdeck.console import app
from watchdeck.console.app import Console
from watchdeck.console.controllers.bell import bell_sequence, unacknowledged_pages
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.domain.alerts.alert import Mute, MuteKind
from watchdeck.domain.board.board import Board
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.configuration import ConsoleSettings

PAGE = raised(12)


def board(*found: object) -> Board:
    return replace(boards.board(()), alerts=found)


def test_only_pages_call_that_nobody_has_and_nothing_mutes() -> None:
    muted = replace(raised(2), mutes=(Mute(MuteKind.SILENCE, "3", NOW + MINUTE),))
    notice = raised(3, severity=Severity.MEDIUM)
    assert list(unacknowledged_pages(board(PAGE, taken(raised(1)), muted, notice))) == [12]
    assert len(unacknowledged_pages(alerted.alerted(boards.board(())))) == 5


@pytest.mark.parametrize(
    ("view", "environ", "expected"),
    [
        pytest.param(ConsoleSettings(), {}, "", id="nothing is wanted"),
        pytest.param(ConsoleSettings(bell=True), {}, "\x07", id="a bell"),
        pytest.param(
            ConsoleSettings(notices="osc9"),
            {},
            "\x1b]9;latency-slow fraud-detector\x07",
            id="a notice",
        ),
        pytest.param(
            ConsoleSettings(notices="osc777", bell=True),
            {},
            "\x07\x1b]777;notify;watchdeck;latency-slow fraud-detector\x07",
            id="both",
        ),
        pytest.param(
            ConsoleSettings(notices="osc9"),
            {"TMUX": "x"},
            "\x1bPtmux;\x1b\x1b]9;latency-slow fraud-detector\x07\x1b\\",
            id="through tmux",
        ),
    ],
)
def test_a_page_is_told_as_a_person_wants_it(
    view: ConsoleSettings, environ: dict[str, str], expected: str
) -> None:
    assert bell_sequence([PAGE], view, environ) == expected


def test_many_pages_are_one_notice_and_nothing_in_it_is_obeyed() -> None:
    hostile = raised(1, rule="\x1b]0;x\x07;rm", model="a" * 500)
    said = bell_sequence([hostile, PAGE], ConsoleSettings(notices="osc9"), {})
    assert said.startswith("\x1b]9;^[]0,x^G,rm aaa")
    assert said.count("\x1b") == said.count("\x07") == 1
    assert len(said) < 140
    assert "and 1 more" in bell_sequence([PAGE, PAGE], ConsoleSettings(notices="osc9"), {})
    assert bell_sequence([], ConsoleSettings(bell=True), {}) == ""


class Terminal:
    """Keeps what is written to it."""

    def __init__(self, written: list[str]) -> None:
        self._written = written

    def write(self, data: str) -> None:
        self._written.append(data)


class Ringing(Console, inherit_bindings=False):
    """A console whose terminal remembers what it was told."""

    CSS_PATH = str(Path(app.__file__).with_name("console.tcss"))

    def __init__(self) -> None:
        view = ConsoleSettings(bell=True)
        settings = replace(boards.settings(), view=view)
        super().__init__(boards.Store(), clock=boards.clock, settings=settings)
        self.written: list[str] = []

    @property
    def output(self) -> Terminal:
        return Terminal(self.written)


async def test_what_was_there_before_does_not_call_and_what_comes_calls_once() -> None:
    console = Ringing()
    async with console.run_test() as pilot:

        async def see(made: Board) -> int:
            console.post_message(BoardUpdated(boards.snapshot(made)))
            await pilot.pause()
            return len(console.written)

        assert await see(board(PAGE)) == 0
        assert await see(board(PAGE, *alerts()[2:])) == 1
        assert await see(board(PAGE, *alerts()[2:])) == 1
        assert await see(board()) == 1
        assert await see(replace(board(PAGE), live=False)) == 1
        assert await see(board(PAGE)) == 2
