"""A letter goes to a panel, and one panel can have the whole screen."""

from console.widgets.test_filter import desk
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.panel import Panel


def screen_of(at: object) -> BaseScreen:
    screen = at.console.screen  # type: ignore[attr-defined]
    assert isinstance(screen, BaseScreen)
    return screen


def heights(screen: BaseScreen) -> dict[str | None, int]:
    return {panel.id: panel.size.height for panel in screen.query(Panel) if panel.size.height}


async def test_a_letter_zooms_a_panel_and_z_gives_all_back() -> None:
    async with desk("1") as at:
        before = heights(screen_of(at))
        await at.press("f")
        assert "[a]" in at.text()
        assert "[s]" in at.text()
        await at.press("s")
        assert "[a]" not in at.text()
        assert screen_of(at).zoom.is_on
        zoomed = heights(screen_of(at))
        assert "fleet" not in zoomed
        assert zoomed["collector"] > before["collector"]
        await at.press("z")
        assert heights(screen_of(at)) == before


async def test_any_other_key_takes_the_letters_away_and_does_nothing_else() -> None:
    async with desk("1") as at:
        await at.press("f", "2")
        assert at.console.current_mode == "deck"
        assert "[a]" not in at.text()
        await at.press("2")
        assert at.console.current_mode == "models"


async def test_z_zooms_the_panel_with_the_focus() -> None:
    async with desk("1") as at:
        await at.press("z")
        assert [*heights(screen_of(at))] == ["top", "fleet", "footer"]
        await at.press("enter", "z")
        assert {"facts", "chart"} & {*heights(screen_of(at))} == set()
        await at.press("z", "escape", "z")
        assert not screen_of(at).zoom.is_on
