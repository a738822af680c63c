"""Every size of terminal is used, and a layout that a person chose holds on all of them."""

import pytest
from textual.pilot import Pilot

from console import boards
from console.boards import Store
from watchdeck.console.app import Console
from watchdeck.console.models.detail_screen import DetailScreen
from watchdeck.console.setup import console_settings
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.theme.layouts import LAYOUTS
from watchdeck.domain.settings.configuration import ConsoleSettings

SIZES = [(80, 24), (100, 30), (120, 40), (160, 50)]
EACH_SIZE = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


def console(layout: str = "") -> Console:
    settings = console_settings(Store(), ConsoleSettings(layout=layout, glyphs="braille"))
    return Console(Store(), clock=boards.clock, settings=settings)


async def show(pilot: Pilot[None], *keys: str) -> None:
    pilot.app.post_message(BoardUpdated(boards.snapshot()))
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()


def size_of(pilot: Pilot[None], panel: str) -> tuple[int, int]:
    size = pilot.app.screen.query_one(panel).size
    return size.width, size.height


def covered(pilot: Pilot[None]) -> int:
    """How many cells belong to a panel; none lies over another."""
    screen = pilot.app.screen
    return sum(panel.size.area for panel in screen.query("Panel") if panel.display)


@EACH_SIZE
async def test_no_cell_of_a_screen_is_left_to_nobody(size: tuple[int, int]) -> None:
    for keys in ((), ("2",), ("enter",), ("question_mark",)):
        async with console().run_test(size=size) as pilot:
            await show(pilot, *keys)
            between = size[1] - 7 if keys == ("enter",) and size[0] >= 110 else 0
            assert covered(pilot) == size[0] * size[1] - between


@pytest.mark.parametrize(
    ("size", "beside", "explained"),
    [
        pytest.param((80, 24), False, True, id="80x24: one over the other"),
        pytest.param((100, 30), False, True, id="100x30: the same, more rows"),
        pytest.param((120, 40), True, False, id="120x40: side by side"),
        pytest.param((160, 50), True, True, id="160x50: signals with their meaning"),
    ],
)
async def test_a_model_takes_the_room_there_is(
    size: tuple[int, int],
    beside: bool,  # noqa: FBT001
    explained: bool,  # noqa: FBT001
) -> None:
    async with console().run_test(size=size) as pilot:
        await show(pilot, "enter")
        chart, signals = (pilot.app.screen.query_one(f"#{name}") for name in ("chart", "signals"))
        assert (chart.region.y == signals.region.y) is beside
        assert chart.size.width >= 60
        assert chart.size.height >= 9
        lines = [str(line) for line in signals._lines]  # type: ignore[attr-defined]
        heads = next(line for line in lines if line.startswith(" signal "))
        assert ("what it is" in heads) is explained


@EACH_SIZE
async def test_a_layout_holds_on_every_size(size: tuple[int, int]) -> None:
    app = console("focus")
    async with app.run_test(size=size) as pilot:
        await show(pilot)
        assert size_of(pilot, "#fleet") == (size[0], size[1] - 2)
        await pilot.press("enter")
        await pilot.pause()
        assert size_of(pilot, "#chart") == (size[0], size[1] - 7)
        app.themes.set_layout("signals")
        await pilot.pause()
        assert size_of(pilot, "#signals") == (size[0], size[1] - 7)
        app.themes.set_layout("stacked")
        await pilot.pause()
        assert size_of(pilot, "#chart")[0] == size_of(pilot, "#signals")[0] == size[0]
        app.themes.set_layout("auto")
        await pilot.pause()
        assert app.screen.query_one("#signals").size.area
        assert app.screen.query_one("#chart").size.area


async def test_keys_still_choose_a_signal_that_is_not_shown() -> None:
    app = console("focus")
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, "enter")
        before = pilot.app.screen.query_one("#chart")._lines[0]  # type: ignore[attr-defined]
        await pilot.press("tab")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        assert app.screen.query_one("#chart")._lines[0] != before  # type: ignore[attr-defined]


async def test_a_layout_that_is_not_there_is_said_and_the_old_one_stays() -> None:
    app = console("fokus")
    async with app.run_test(size=(80, 24)) as pilot:
        assert "there is no layout 'fokus'. Did you mean 'focus'?" in app.view_state.notice
        app.themes.set_layout("nothing")
        assert f"There are: {', '.join(one.name for one in LAYOUTS)}." in app.view_state.notice
        await show(pilot)
        assert app.screen.query_one("#collector").size.area


async def test_a_layout_is_chosen_by_a_command() -> None:
    async with console().run_test(size=(80, 24)) as pilot:
        await show(pilot, "colon", *"layout focus", "enter")
        assert size_of(pilot, "#fleet") == (80, 22)


async def test_every_layout_has_its_rules() -> None:
    app = console()
    async with app.run_test():
        rules = "".join(str(css) for css in app.stylesheet.source.values())
        assert [one.name for one in LAYOUTS[1:] if one.style not in rules] == []
