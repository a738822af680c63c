from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from console import boards
from console.boards import Store
from watchdeck.console.app import Console
from watchdeck.console.controllers.port import NOTICE_LASTS
from watchdeck.console.dialogs.help_screen import HelpScreen
from watchdeck.console.models.detail_screen import FIRST_SPAN, SPANS, DetailScreen
from watchdeck.console.models.list_screen import ModelsScreen
from watchdeck.console.overview.screen import DeckScreen
from watchdeck.console.state.board_source import BoardProblem, BoardSnapshot
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.widgets.list import List
from watchdeck.domain.board.board import (
    Board,
    Change,
    Collector,
    CollectorState,
    Health,
    History,
    Model,
)
from watchdeck.domain.kinds.kind import Kind, SignalSpec


class Clock:
    def __init__(self) -> None:
        self.now = boards.NOW

    def __call__(self) -> int:
        return self.now


class Shown:
    """A console on a screen in memory, and a person at it."""

    def __init__(self, console: Console, pilot: Pilot[None], clock: Clock) -> None:
        self.console = console
        self.pilot = pilot
        self.clock = clock

    async def see(self, sight: BoardSnapshot) -> None:
        self.console.post_message(BoardUpdated(sight))
        await self.settle()

    async def board(self, models: Sequence[Model] | None = None, **changes: object) -> None:
        await self.see(boards.snapshot(boards.board(models, **changes)))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(3):
            await self.pilot.pause()

    def lines(self) -> list[str]:
        strips = self.console.screen._compositor.render_strips()
        return [strip.text.rstrip() for strip in strips]

    def text(self) -> str:
        return "\n".join(self.lines())

    @property
    def list(self) -> List[Any]:
        return self.console.screen.query_one(List)

    @property
    def detail(self) -> DetailScreen:
        assert isinstance(self.console.screen, DetailScreen)
        return self.console.screen


@asynccontextmanager
async def shown(cells: int = 80, rows: int = 24, **options: object) -> AsyncIterator[Shown]:
    clock = Clock()
    console = Console(Store(), clock=clock, settings=boards.settings(), **options)  # type: ignore[arg-type]
    async with console.run_test(size=(cells, rows)) as pilot:
        yield Shown(console, pilot, clock)


async def test_before_the_first_board_the_console_says_what_it_does() -> None:
    async with shown() as at:
        await at.settle()
        assert "reading the store" in at.text()


async def test_the_deck_shows_the_fleet_worst_first_and_the_collector() -> None:
    async with shown() as at:
        await at.board()
        lines = at.lines()
        assert lines[4].startswith("▌✖ DOWN      churn")
        assert lines[-4].startswith(" ● running  pid 4711")
        assert " ".join(lines[-1].split()) == "Enter open a ack s sort / filter ? help Q quit"


async def test_digits_switch_modes_and_those_of_modes_that_do_not_exist_do_nothing() -> None:
    async with shown() as at:
        await at.board()
        await at.press("2")
        assert isinstance(at.console.screen, ModelsScreen)
        await at.press("8", "9", "0")
        assert isinstance(at.console.screen, ModelsScreen)
        await at.press("1")
        assert isinstance(at.console.screen, DeckScreen)


async def test_the_digit_of_the_mode_in_view_leads_to_its_first_screen() -> None:
    async with shown() as at:
        await at.board()
        await at.press("enter", "b", "1")
        assert isinstance(at.console.screen, DeckScreen)


async def test_the_cursor_stays_on_its_model_while_rows_move() -> None:
    async with shown() as at:
        await at.board()
        await at.press("2", "down", "down", "down")
        assert at.list.cursor == "search-ranker"
        moved = [replace(m, health=Health.DOWN) for m in boards.small_fleet()]
        await at.board(moved)
        assert at.list.cursor == "search-ranker"
        assert at.list.place.index == 5


async def test_until_the_cursor_is_moved_it_stays_on_the_worst_model() -> None:
    async with shown() as at:
        await at.board()
        healthy = boards.model("churn")
        await at.board([healthy, *(m for m in boards.small_fleet() if m.facts.name != "churn")])
        assert at.list.cursor == "fraud-detector"


async def test_cursor_and_scroll_are_kept_over_a_detail_and_over_modes() -> None:
    async with shown() as at:
        await at.board(boards.large_fleet(200))
        await at.press("2", *["pagedown"] * 3, "up", "up")
        before = at.list.place
        assert before.top > 0
        await at.press("enter")
        assert at.lines()[1].startswith(f"── {before.key} ─")
        await at.press("escape")
        assert at.list.place == before
        await at.press("1", "2")
        assert at.list.place == before


async def test_the_last_page_of_many_models_is_reached() -> None:
    async with shown() as at:
        await at.board(boards.large_fleet(1_000))
        await at.press("2", "end")
        assert "981-1000 of 1000" in at.lines()[1]
        assert "▌" in at.lines()[-2]
        await at.press("home")
        assert at.list.place.index == 0


async def test_screens_that_are_not_in_view_rest_until_they_are() -> None:
    async with shown() as at:
        await at.board()
        deck = at.console.screen
        await at.press("2")
        await at.board([boards.model("only-one")])
        assert isinstance(deck, DeckScreen)
        assert len(deck.state.models) == 8
        await at.press("1")
        assert len(deck.state.models) == 1
        assert "only-one" in at.text()


async def test_a_model_is_opened_with_its_chart_and_its_signals() -> None:
    async with shown(120, 40) as at:
        await at.board()
        await at.press("2", "down", "enter")
        wanted = at.detail._wanted
        assert wanted is not None
        assert (wanted.endpoint, wanted.columns[0]) == ("fraud-detector", "latency_p95")
        assert wanted.end - wanted.start == FIRST_SPAN
        assert "reading the history" in at.text()
        at.detail.show_history(wanted, boards.found(wanted))
        await at.settle()
        assert "400 ms┤" in at.text()
        assert "── latency_p95  last 1h ──" in at.text()
        assert "p50 180 ms" in at.text()


async def test_the_chart_is_read_with_a_cursor_that_leaves_at_its_end() -> None:
    async with shown(120, 40) as at:
        await at.board()
        await at.press("2", "down", "enter")
        wanted = at.detail._wanted
        assert wanted is not None
        deploy = Change(1, "fraud-detector", wanted.end - 600_000, "deploy", "1 → 2", "collector")
        at.detail.show_history(wanted, boards.found(wanted, deploy))
        await at.settle()
        await at.press(*["h"] * 9, "shift+left")
        assert "04:49" in next(line for line in at.lines() if "── latency_p95" in line)
        assert "◆ Nov 23 04:50 10m ago  deploy: 1 → 2" in at.text()
        await at.press(*["l"] * 9)
        assert at.detail._cursor is not None
        await at.press("shift+right")
        assert at.detail._cursor is None
        await at.press("l")
        assert at.detail._cursor is None


async def test_a_cursor_that_time_has_left_behind_points_at_nothing() -> None:
    async with shown(120, 40) as at:
        await at.board()
        await at.press("2", "down", "enter")
        wanted = at.detail._wanted
        assert wanted is not None
        at.detail.show_history(wanted, boards.found(wanted))
        await at.settle()
        await at.press("h", "h")
        pointed = at.detail.pointed
        assert pointed is not None
        await at.board(at=pointed - 60_000, live=False)
        assert at.detail.pointed == pointed - 60_000


async def test_the_signal_is_compared_with_itself_earlier() -> None:
    async with shown(120, 40) as at:
        await at.board()
        await at.press("2", "down", "enter", "c")
        wanted = at.detail._wanted
        assert wanted is not None
        assert wanted.earlier == 86_400_000
        at.detail.show_history(wanted, boards.found(wanted))
        await at.settle()
        assert "yesterday 252 ms" in at.text()
        await at.press("c", "c")
        assert at.detail._wanted is not None
        assert at.detail._wanted.earlier == 0


async def test_before_a_change_is_reached_also_by_quick_fingers() -> None:
    async with shown(120, 40) as at:
        await at.board()
        await at.press("2", "down", "enter")
        wanted = at.detail._wanted
        assert wanted is not None
        deploy = Change(1, "fraud-detector", wanted.end - 600_000, "deploy", "1 → 2", "collector")
        at.detail.show_history(wanted, boards.found(wanted, deploy))
        await at.settle()
        await at.press("c", "c", "c")
        assert at.detail._wanted is not None
        assert at.detail._wanted.earlier == 600_000


async def test_the_signal_and_the_window_of_the_chart_are_chosen_by_keys() -> None:
    async with shown() as at:
        await at.board()
        await at.press("enter")
        assert at.list.cursor == "latency_p95"
        await at.press("escape", "down", "enter", "right")
        assert at.detail._wanted is not None
        assert at.detail._wanted.columns[0] == "latency_p99"
        await at.press("left", "up")
        assert at.detail._wanted.columns[0] == "latency_p50"
        await at.press(*["minus"] * 9)
        assert at.detail._wanted.end - at.detail._wanted.start == SPANS[-1]
        await at.press("plus")
        assert at.detail._wanted.end - at.detail._wanted.start == SPANS[-2]


async def test_an_answer_that_is_no_longer_wanted_is_dropped() -> None:
    async with shown() as at:
        await at.board()
        await at.press("down", "enter")
        late = at.detail._wanted
        assert late is not None
        await at.press("right")
        at.detail.show_history(late, boards.found(late))
        await at.settle()
        assert "reading the history" in at.text()


async def test_a_history_that_cannot_be_read_says_why() -> None:
    async with shown() as at:
        await at.board()
        await at.press("down", "enter")
        assert at.detail._wanted is not None
        at.detail.show_history(at.detail._wanted, None, "metrics.db is damaged.")
        await at.settle()
        assert "metrics.db is damaged." in at.text()


async def test_a_detail_lives_on_the_newest_board() -> None:
    async with shown() as at:
        await at.board()
        await at.press("enter")
        assert "DOWN" in at.lines()[2]
        await at.board([boards.model("churn")])
        assert "● ok" in at.lines()[2]
        await at.board([])
        assert "this model is no longer configured" in at.text()


async def test_help_lists_the_keys_of_the_screen_and_gives_way_to_digits() -> None:
    async with shown() as at:
        await at.board()
        await at.press("question_mark")
        assert isinstance(at.console.screen, HelpScreen)
        assert "Open the model under the cursor" in at.text()
        await at.press("question_mark", "2")
        assert isinstance(at.console.screen, ModelsScreen)
        await at.press("1")
        assert isinstance(at.console.screen, DeckScreen)
        await at.press("question_mark", "escape")
        assert isinstance(at.console.screen, DeckScreen)


async def test_trouble_with_the_store_dims_every_panel_and_says_why_until_it_is_over() -> None:
    async with shown() as at:
        await at.board()
        await at.see(BoardSnapshot(boards.board(), BoardProblem.BROKEN, "the store is locked."))
        assert at.lines()[1].strip() == "✖ the store is locked."
        assert sum("the store is locked" in line for line in at.lines()) == 3
        row = next(line for line in at.list._lines if "churn" in str(line))
        assert {span.role for span in row.spans} == {"muted"}
        await at.board()
        assert "the store is locked" not in at.text()


async def test_a_stopped_collector_is_said_on_every_screen() -> None:
    async with shown() as at:
        await at.board(collector=Collector(CollectorState.STOPPED))
        assert "no collector is running" in at.lines()[1]
        await at.press("2")
        assert "no collector is running" in at.lines()[1]


async def test_an_empty_store_says_what_to_do() -> None:
    async with shown() as at:
        await at.board([])
        assert "no model is watched yet" in at.text()


@pytest.mark.parametrize(("cells", "rows"), [(59, 24), (80, 15), (20, 5), (1, 1)])
async def test_a_terminal_that_is_too_small_is_told_the_size_it_needs(
    cells: int, rows: int
) -> None:
    async with shown(cells, rows) as at:
        await at.board()
        assert at.lines()[0] == "watchdeck needs 60x16"[:cells]


@pytest.mark.parametrize(("cells", "rows"), [(60, 16), (500, 100)])
async def test_every_size_with_a_layout_shows_the_worst_model(cells: int, rows: int) -> None:
    async with shown(cells, rows) as at:
        await at.board()
        assert "✖ DOWN" in at.text()
        await at.press("2")
        assert "✖ DOWN" in at.text()
        await at.press("enter")
        assert "✖ DOWN" in at.text()


async def test_a_notice_goes_after_its_time_and_ages_move_on() -> None:
    async with shown(notice="started a collector (pid 7)") as at:
        await at.board()
        assert at.lines()[1].strip() == "→ started a collector (pid 7)"
        at.clock.now += NOTICE_LASTS
        at.console.tick()
        await at.settle()
        assert "started a collector" not in at.text()
        assert "15s ago" in at.lines()[1]


async def test_control_c_says_how_to_leave_and_q_leaves() -> None:
    async with shown() as at:
        await at.board()
        await at.press("ctrl+c")
        assert "Q leaves the console" in at.text()
        await at.press("Q")
        assert not at.console.is_running


async def test_a_click_and_the_wheel_move_the_cursor() -> None:
    async with shown() as at:
        await at.board()
        await at.pilot.click(List, offset=(5, 5))
        await at.settle()
        assert at.list.cursor == "night-batch"
        at.list.action_move(-2)
        assert at.list.cursor == "churn"


class Source(boards.Uneventful):
    """One board, and a history that remembers who asked for it."""

    def __init__(self, asked: list[str]) -> None:
        self._asked = asked

    def has_changed(self) -> bool:
        return False

    def board(self, now: int, at: int | None = None) -> Board:
        return boards.board(at=at or now)

    def history(
        self, endpoint: str, columns: Sequence[str], start: int, end: int, points: int | None = None
    ) -> tuple[History, ...]:
        self._asked.append(f"{endpoint} {columns[0]} {end - start} {points}")
        return (boards.history(columns[0], end, end - start),)

    def close(self) -> None:
        """Nothing is open."""


async def test_the_source_of_the_signal_under_the_cursor_is_named() -> None:
    spec = SignalSpec("latency_p95", histogram=("seconds",), quantile=0.95)
    async with shown(120, 40) as at:
        await at.board()
        at.console.show(
            replace(
                at.console.view_state,
                kinds={"mlserver": Kind("mlserver", "MLServer", signals=(spec,))},
            )
        )
        await at.press("2", "down", "enter")
        assert "from 95 % quantile of histogram seconds" in at.text()
        await at.press("down", "down", "down")
        assert "its kind of server tells no source of it" in at.text()
