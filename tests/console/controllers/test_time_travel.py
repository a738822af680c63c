"""The time machine at the keys: which moment is asked for, and what every screen says of it."""

from console import boards
from console.test_screens import Shown, shown
from watchdeck.console.widgets.prompt import HintLine
from watchdeck.domain.board.board import Board

MINUTE, HOUR = 60_000, 3_600_000


def then(at: int) -> Board:
    return boards.board(at=at, live=False, metrics_at=at - 1_000)


async def arrive(at: Shown) -> None:
    """The board of the moment that was asked for is there."""
    moment = at.console.time_travel.cursor.at
    assert moment is not None
    await at.see(boards.snapshot(then(moment)))


async def test_a_step_back_shows_the_past_and_says_so_on_every_screen() -> None:
    async with shown() as at:
        await at.board()
        await at.press("left_square_bracket")
        assert at.console.time_travel.cursor.at == boards.NOW - MINUTE
        assert "PAST" not in at.text()
        await arrive(at)
        assert at.lines()[0].endswith("PAST  Nov 23 04:59:00 UTC  1m ago  ||")
        assert "PAST: all is as it was at 2026-11-23 04:59:00 UTC" in at.lines()[1]
        await at.press("2")
        assert "PAST" in at.lines()[0]
        await at.press("enter")
        assert "PAST" in at.lines()[0]
        assert at.detail._wanted is not None
        assert at.detail._wanted.end == boards.NOW - MINUTE


async def test_nothing_is_claimed_of_a_moment_before_its_board_is_read() -> None:
    async with shown() as at:
        await at.board()
        await at.press("left_square_bracket")
        await arrive(at)
        await at.press("left_square_bracket")
        assert "04:59:00" in at.lines()[0]
        await arrive(at)
        assert "04:58:00" in at.lines()[0]


async def test_steps_are_those_of_the_charts_span() -> None:
    async with shown() as at:
        await at.board()
        await at.press("enter", *["minus"] * 3, "left_square_bracket")
        assert at.console.time_travel.cursor.at == boards.NOW - 2 * HOUR
        await at.press("right_square_bracket")
        assert at.console.time_travel.cursor.at is None


async def test_l_is_live_again() -> None:
    async with shown() as at:
        await at.board()
        await at.press("left_square_bracket")
        await arrive(at)
        await at.press("L")
        await at.board()
        assert "PAST" not in at.text()
        assert at.console.time_travel.cursor.at is None


async def test_the_past_plays_and_its_speed_is_said() -> None:
    async with shown() as at:
        await at.board()
        await at.press(*["left_square_bracket"] * 5)
        await arrive(at)
        await at.press("space", *["greater_than_sign"] * 2, "less_than_sign")
        at.clock.now += 1_000
        at.console.tick()
        assert at.console.time_travel.cursor.at == boards.NOW - 5 * MINUTE + 5_000
        await arrive(at)
        assert at.lines()[0].endswith("> 5x")
        await at.press("space")
        assert at.lines()[0].endswith("||")


async def test_playing_that_reaches_now_is_live() -> None:
    async with shown() as at:
        await at.board()
        await at.press("left_square_bracket", "space", *["greater_than_sign"] * 3)
        for _ in range(2):
            at.clock.now += 1_000
            at.console.tick()
        assert at.console.time_travel.cursor.at is None


async def test_what_is_live_cannot_be_played_and_says_what_works() -> None:
    async with shown() as at:
        await at.board()
        await at.press("space")
        assert "this is live" in at.text()


async def test_a_time_is_typed_and_told_as_it_is_meant() -> None:
    async with shown() as at:
        await at.board()
        await at.press("S")
        assert "14:30, yesterday 9:15" in at.text()
        await at.press(*"-2h")
        assert at.console.screen.query_one(HintLine).hint.words == "2026-11-23 03:00:00 UTC, 2h ago"
        await at.press("enter")
        assert at.console.time_travel.cursor.at == boards.NOW - 2 * HOUR
        await arrive(at)
        assert "03:00:00" in at.lines()[0]


async def test_a_time_that_is_none_is_said_and_stays_to_be_mended() -> None:
    async with shown() as at:
        await at.board()
        await at.press("S", *"noon", "enter")
        assert "'noon' is no moment" in at.text()
        await at.press("escape")
        assert "'noon'" not in at.text()
        assert at.console.time_travel.cursor.at is None


async def test_a_command_goes_to_a_time_and_back() -> None:
    async with shown() as at:
        await at.board()
        at.console.time_travel.seek("-1h")
        assert at.console.time_travel.cursor.at == boards.NOW - HOUR
        at.console.time_travel.seek("noon")
        await at.settle()
        assert "'noon' is no moment" in at.text()
        at.console.time_travel.go_live()
        assert at.console.time_travel.cursor.at is None
