"""Colours change at once, and a theme that cannot be had costs nothing but a word."""

import re
from collections.abc import Callable, Iterator

import pytest

from console import boards
from console.boards import Store
from console.pty_console import STUB, Terminal
from watchdeck.console.app import Console
from watchdeck.console.setup import console_settings
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.theme.themes import theme_files
from watchdeck.domain.settings.configuration import ConsoleSettings


async def test_every_theme_can_be_put_on_while_the_console_runs() -> None:
    console = Console(Store(), clock=boards.clock, settings=boards.settings())
    async with console.run_test(size=(80, 24)) as pilot:
        console.post_message(BoardUpdated(boards.snapshot()))
        await pilot.pause()
        seen = set()
        for name in sorted(theme_files({})):
            console.themes.set_theme(name)
            await pilot.pause()
            strips = console.screen._compositor.render_strips()
            row = next(strip for strip in strips if "CRITICAL" in strip.text)
            seen.add(tuple(str(segment.style) for segment in row))
        assert len(seen) == len(theme_files({}))


async def test_a_key_goes_through_the_themes_and_names_them() -> None:
    console = Console(Store(), clock=boards.clock, settings=boards.settings())
    async with console.run_test(size=(80, 24)) as pilot:
        await pilot.press("T")
        await pilot.pause()
        assert console.theme == "deuteranopia"
        assert console.view_state.notice == "theme deuteranopia"


async def test_a_theme_that_is_not_there_is_said_and_the_old_one_stays() -> None:
    console = Console(Store(), clock=boards.clock, settings=boards.settings())
    async with console.run_test(size=(80, 24)):
        console.themes.set_theme("drak")
        assert console.theme == "dark"
        assert "Did you mean 'dark'?" in console.view_state.notice


async def test_a_wrong_theme_in_the_configuration_is_said_at_the_start() -> None:
    settings = console_settings(Store(), ConsoleSettings(theme="lihgt", glyphs="ascii"))
    console = Console(Store(), clock=boards.clock, settings=settings)
    async with console.run_test(size=(80, 24)):
        assert console.theme == "dark"
        assert "Did you mean 'light'? The theme is dark." in console.view_state.notice


COLOUR = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")
"""A sequence that asks for a colour."""

RGB = re.compile(rb"[34]8;2;")
MANY = re.compile(rb"[34]8;5;")


@pytest.fixture
def walk() -> Iterator[Callable[..., bytes]]:
    opened: list[Terminal] = []

    def through(themes: int, **environ: str) -> bytes:
        """Every byte of a walk over the screens, in so many themes."""
        terminal = Terminal(STUB, "still", environ={"NO_COLOR": "", **environ})
        opened.append(terminal)
        terminal.wait_for(b"vision-ocr")
        seen = terminal.output
        for keys in (*[b"T"] * themes, b"\r", b"\x1b", b"2", b"?", b"Q"):
            terminal.type(keys)
            seen += terminal.read(0.3)
        assert terminal.ended() == 0
        return seen

    yield through
    for terminal in opened:
        terminal.close()


def test_no_color_sends_no_colour_whatever_the_theme(walk: Callable[..., bytes]) -> None:
    seen = walk(7, NO_COLOR="1")
    assert COLOUR.search(seen) is None
    assert b"\x1b[1m" in seen or b";1" in seen


@pytest.mark.parametrize(
    ("environ", "never", "ever"),
    [
        pytest.param({"COLORTERM": "truecolor"}, MANY, RGB, id="all colours"),
        pytest.param({"COLORTERM": "", "TERM": "xterm-256color"}, RGB, MANY, id="256"),
        pytest.param({"COLORTERM": "", "TERM": "screen"}, RGB, COLOUR, id="16, of screen"),
        pytest.param({"COLORTERM": "", "TERM": "xterm"}, MANY, COLOUR, id="16, of xterm"),
    ],
)
def test_a_terminal_gets_the_colours_that_it_has(
    walk: Callable[..., bytes],
    environ: dict[str, str],
    never: re.Pattern[bytes],
    ever: re.Pattern[bytes],
) -> None:
    seen = walk(1, **environ)
    assert never.search(seen) is None
    assert ever.search(seen) is not None
