"""Filtering, sorting and marking: by the name of the row, whatever moves."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace
from textual.pilot import Pilot

from console import active_alerts, boards
from console.boards import Store
from watchdeck.console.alerts.list_panel import AlertList
from watchdeck.console.app import Console
from watchdeck.console.models.columns import (
    MODEL_COLUMNS,
    SortOrder,
    choose_columns,
    filter_and_sort,
    next_order,
    sortable_columns,
)
from watchdeck.console.models.detail_screen import DetailScreen
from watchdeck.console.models.list_panel import ModelList
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.widgets.list import List
from watchdeck.domain.board.board import Model
from watchdeck.domain.board.filter import EVERYTHING, parse
from watchdeck.domain.settings.configuration import ConsoleSettings


class Desk:
    """A console in memory, and hands at its keys."""

    def __init__(self, console: Console, pilot: Pilot[None]) -> None:
        self.console = console
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        for _ in range(3):
            await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*(_KEYS.get(letter, letter) for letter in text))

    async def board(self, models: Sequence[Model]) -> None:
        self.console.post_message(BoardUpdated(boards.snapshot(boards.board(models))))
        await self.press()

    @property
    def list(self) -> ModelList:
        return self.console.screen.query_one(ModelList)

    @property
    def names(self) -> tuple[str, ...]:
        return self.list.rows.table.keys

    def text(self) -> str:
        strips = self.console.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)


_KEYS = {
    "/": "slash", "=": "equals_sign", "!": "exclamation_mark", ">": "greater_than_sign",
    '"': "quotation_mark", "|": "vertical_line", " ": "space", "@": "at", "%": "percent_sign",
    "(": "left_parenthesis", "-": "minus", "<": "less_than_sign", ":": "colon",
    "?": "question_mark",
}  # fmt: skip


@asynccontextmanager
async def desk(mode: str = "2", **view: object) -> AsyncIterator[Desk]:
    settings = replace(boards.settings(), view=ConsoleSettings(**view))  # type: ignore[arg-type]
    console = Console(Store(), clock=boards.clock, settings=settings)
    async with console.run_test(size=(120, 40)) as pilot:
        made = Desk(console, pilot)
        await made.board(boards.small_fleet())
        await made.press(mode)
        yield made


async def test_the_list_follows_every_letter_of_a_filter() -> None:
    async with desk() as at:
        await at.press("slash")
        await at.type("mm")
        assert set(at.names) == {"summariser", "recommender"}
        assert "2 of 8" in at.text()
        await at.type("e")
        assert at.names == ("recommender",)
        await at.press("enter")
        assert at.names == ("recommender",)
        assert "1 of 8 by /mme" in at.text()
        assert at.console.screen.focused is at.list


async def test_esc_shows_all_again_and_digits_are_only_letters_while_one_types() -> None:
    async with desk() as at:
        await at.press("slash")
        await at.type("p95>400ms 1Q")
        assert at.console.current_mode == "models"
        await at.press("escape")
        assert len(at.names) == 8
        assert "by /" not in at.text()


async def test_a_filter_that_cannot_be_read_is_told_under_its_letter() -> None:
    async with desk() as at:
        await at.press("slash")
        await at.type("churn p59>1s")
        line = next(line for line in at.text().splitlines() if "is no signal" in line)
        assert line.index("▼") == 2 + len("churn ")
        await at.press("enter")
        assert "is no signal" in at.text()


async def test_a_filter_that_cannot_be_read_filters_nothing() -> None:
    async with desk() as at:
        await at.press("slash")
        await at.type("zzz")
        assert not at.names
        await at.type("p>")
        assert len(at.names) == 8
        await at.press("enter")
        assert len(at.names) == 8
        await at.press("escape")
        await command(at, "filter churn")
        await command(at, "filter churn p59>1s")
        assert len(at.names) == 8


async def test_a_saved_filter_is_called_by_its_name() -> None:
    async with desk(filters={"bad": "health!=ok"}) as at:
        await at.press("slash")
        await at.type("@bad")
        await at.press("enter")
        assert len(at.names) == 4
        await at.press("slash", "ctrl+u")
        await at.type("@good")
        assert "Saved are @bad" in at.text()


async def test_the_filter_stays_while_boards_come_and_go() -> None:
    async with desk() as at:
        await at.press("slash")
        await at.type("churn")
        await at.press("enter")
        await at.board(boards.small_fleet()[2:])
        assert not at.names
        assert "no model matches /churn; 6 are watched" in at.text()
        await at.board(boards.small_fleet())
        assert at.names == ("churn",)


async def test_what_was_typed_before_comes_back_with_the_up_key() -> None:
    async with desk() as at:
        for text in ("churn", "vision"):
            await at.press("slash", "ctrl+u")
            await at.type(text)
            await at.press("enter")
        await at.press("slash", "up", "up")
        assert at.names == ("churn",)
        await at.press("down")
        assert at.names == ("vision-ocr",)


async def test_rows_are_sorted_by_any_column_and_the_cursor_keeps_its_row() -> None:
    async with desk() as at:
        at.list.go("embeddings")
        await at.press("s", "s", "s", "s")
        assert at.list.rows.order == SortOrder("p95")
        assert at.names[0] == "summariser"
        assert "p95↓" in at.text()
        assert at.list.cursor == "embeddings"
        await at.press("r")
        assert at.names[-1] in {"churn", "night-batch"}
        assert at.list.cursor == "embeddings"
        await at.press("R", "R", "R", "R")
        assert at.list.rows.order == SortOrder()


async def test_marks_stay_with_their_rows() -> None:
    async with desk() as at:
        at.list.go("embeddings")
        await at.press("v")
        assert at.list.cursor != "embeddings"
        await at.press("s")
        assert at.list.rows.table.marked == {"embeddings"}
        assert "1 marked" in at.text()
        await at.board(boards.small_fleet())
        assert at.list.rows.table.marked == {"embeddings"}
        await at.press("V")
        assert len(at.list.rows.table.marked) == 8
        await at.press("V")
        assert at.list.rows.table.marked == frozenset()


async def test_only_what_is_shown_is_marked_at_once() -> None:
    async with desk() as at:
        await at.press("slash")
        await at.type("mm")
        await at.press("enter", "V", "slash", "escape")
        assert at.list.rows.table.marked == {"summariser", "recommender"}


def test_what_has_no_value_stands_last_either_way() -> None:
    models = boards.small_fleet()
    for rising in (False, True):
        rows = filter_and_sort(models, MODEL_COLUMNS, EVERYTHING, SortOrder("p95", rising))
        assert {model.facts.name for model in rows[-2:]} == {"churn", "night-batch"}


def test_every_column_with_a_value_can_be_sorted_by() -> None:
    seen = []
    order = SortOrder()
    while (order := next_order(order, MODEL_COLUMNS, 1)).column:
        seen.append(order.column)
    assert tuple(seen) == sortable_columns(MODEL_COLUMNS)
    assert {"name", "kind", "p95", "errors", "seen"} <= {*seen}


def test_five_thousand_models_are_filtered_and_sorted_as_few_are() -> None:
    models = boards.large_fleet(5_000)
    rows = filter_and_sort(models, MODEL_COLUMNS, parse("health!=ok"), SortOrder("p95"))
    values = [m.latest.signals["latency_p95"].value for m in rows if m.latest]
    assert values == sorted(values, reverse=True)
    assert 0 < len(rows) < 5_000


async def test_the_columns_are_those_that_were_chosen_and_a_wrong_one_is_told() -> None:
    async with desk(columns=("p95", "memory_bytes", "name")) as at:
        assert [column.name for column in at.list.rows.columns] == ["p95", "memory_bytes", "name"]
        assert "memory bytes" in at.text()
    columns, wrong = choose_columns(("p59", "errors"))
    assert [column.name for column in columns] == ["name", "errors"]
    assert wrong == ("console.columns: there is no column 'p59'. Did you mean 'p99'?",)
    assert choose_columns(()) == (MODEL_COLUMNS, ())
    assert len(choose_columns(["p59"] * 1_000)[1]) == 50


async def command(at: Desk, line: str) -> None:
    await at.press("colon")
    await at.type(line)
    await at.press("enter")


async def test_a_command_does_what_a_key_does() -> None:
    async with desk("1") as at:
        await command(at, "models")
        assert at.console.current_mode == "models"
        await command(at, "sort p95")
        assert at.list.rows.order == SortOrder("p95")
        await command(at, "filter churn")
        assert at.names == ("churn",)
        await command(at, "theme light")
        assert at.console.theme == "light"
        await command(at, "model churn")
        assert isinstance(at.console.screen, DetailScreen)
        await command(at, "sort p95")
        assert "nothing to choose from here" in at.text()


async def test_a_command_that_is_none_stays_to_be_mended() -> None:
    async with desk() as at:
        await command(at, "thme light")
        assert "Did you mean 'theme'?" in at.text()
        await at.press("escape")
        assert "Did you mean" not in at.text()
        assert at.console.screen.focused is at.list


async def test_tab_completes_a_command() -> None:
    async with desk() as at:
        await at.press("colon")
        await at.type("the")
        await at.press("tab")
        await at.type("li")
        await at.press("tab", "enter")
        assert at.console.theme == "light"


async def test_a_filter_that_a_command_gives_and_that_cannot_be_read_is_said() -> None:
    async with desk() as at:
        await command(at, "filter p59>1s")
        assert "is no signal" in at.text()


async def test_the_alerts_are_filtered_by_a_command_and_by_a_saved_filter() -> None:
    async with desk("3", filters={"mine": "owner=risk"}) as at:
        board = replace(boards.board(boards.small_fleet()), alerts=active_alerts.alerts())
        at.console.post_message(BoardUpdated(boards.snapshot(board)))
        await at.press()
        rows = at.console.screen.query_one(AlertList).rows
        everything = rows.match_count
        await command(at, "filter @mine")
        mine = rows.match_count
        assert 0 < mine < everything
        assert f"{mine} of {everything} by /@mine" in at.text()
        await command(at, "filter rule=nothing")
        count = sum(one.episode.is_open for one in board.alerts)
        assert f"no alert matches /rule=nothing; {count} are open" in at.text()
        await at.press("slash", "ctrl+u")
        await at.type("sev=9")
        assert rows.match_count == 0
        await at.press("backspace")
        assert rows.match_count == everything
        assert "after sev= a value is missing" in at.text()


async def test_the_palette_finds_and_opens() -> None:
    async with desk("1") as at:
        await at.press("ctrl+p")
        await at.type("vocr")
        await at.press("enter")
        assert isinstance(at.console.screen, DetailScreen)
        assert at.console.screen.view == "vision-ocr"
        await at.press("escape", "ctrl+p", "down", "down")
        chosen = at.console.screen.query_one(List).cursor
        await at.press("enter")
        assert isinstance(at.console.screen, DetailScreen)
        assert chosen == f"model {at.console.screen.view}"


async def test_the_palette_can_be_left_with_nothing_done() -> None:
    async with desk() as at:
        await at.press("ctrl+p")
        await at.type("zzz")
        await at.press("enter")
        assert "nothing has these letters" in at.text()
        await at.press("escape")
        assert at.console.current_mode == "models"
        assert len(at.names) == 8
