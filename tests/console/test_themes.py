"""Colours change at once, and a theme that cannot be had costs nothing but a word."""

from console import boards
from console.boards import Store
from watchdeck.console.app import Console
from watchdeck.console.messages import SightChanged
from watchdeck.console.outlook import default_setting
from watchdeck.console.themes import themes
from watchdeck.domain.view import View


async def test_every_theme_can_be_put_on_while_the_console_runs() -> None:
    console = Console(Store(), clock=boards.clock, setting=boards.setting())
    async with console.run_test(size=(80, 24)) as pilot:
        console.post_message(SightChanged(boards.sight()))
        await pilot.pause()
        seen = set()
        for name in sorted(themes({})):
            console.action_theme(name)
            await pilot.pause()
            strips = console.screen._compositor.render_strips()
            row = next(strip for strip in strips if "CRITICAL" in strip.text)
            seen.add(tuple(str(segment.style) for segment in row))
        assert len(seen) == len(themes({}))


async def test_a_key_goes_through_the_themes_and_names_them() -> None:
    console = Console(Store(), clock=boards.clock, setting=boards.setting())
    async with console.run_test(size=(80, 24)) as pilot:
        await pilot.press("T")
        await pilot.pause()
        assert console.theme == "deuteranopia"
        assert console._outlook.notice == "theme deuteranopia"


async def test_a_theme_that_is_not_there_is_said_and_the_old_one_stays() -> None:
    console = Console(Store(), clock=boards.clock, setting=boards.setting())
    async with console.run_test(size=(80, 24)):
        console.action_theme("drak")
        assert console.theme == "dark"
        assert "Did you mean 'dark'?" in console._outlook.notice


async def test_a_wrong_theme_in_the_configuration_is_said_at_the_start() -> None:
    setting = default_setting(Store(), View(theme="lihgt", glyphs="ascii"))
    console = Console(Store(), clock=boards.clock, setting=setting)
    async with console.run_test(size=(80, 24)):
        assert console.theme == "dark"
        assert "Did you mean 'light'? The theme is dark." in console._outlook.notice
