"""Keys that come in one packet mean what they mean when they come one by one."""

from collections.abc import Callable

import pytest
from textual import events

from console.widgets.test_filter import Desk, desk
from watchdeck.console.dialogs.help_screen import HelpScreen
from watchdeck.console.models.detail_screen import SPANS, DetailScreen
from watchdeck.console.models.list_panel import ModelList
from watchdeck.console.widgets.prompt import PromptInput

_NAMES = {
    "\r": "enter", ":": "colon", "/": "slash", " ": "space", "-": "minus", "\x10": "ctrl+p",
    "?": "question_mark",
}  # fmt: skip


def filtered(at: Desk) -> bool:
    return set(at.names) == {"summariser", "recommender"}


def lit(at: Desk) -> bool:
    return at.console.theme == "light"


def opened(at: Desk) -> bool:
    screen = at.console.screen
    return isinstance(screen, DetailScreen) and screen.view == "vision-ocr"


def widened(at: Desk) -> bool:
    screen = at.console.screen
    return isinstance(screen, DetailScreen) and screen._span == SPANS[2]


def zoomed(at: Desk) -> bool:
    return any(models.has_class("-zoom") for models in at.console.screen.query(ModelList))


def helped(at: Desk) -> bool:
    return isinstance(at.console.screen, HelpScreen)


def begun(at: Desk) -> bool:
    return "change --what deploy " in [one.value for one in at.console.screen.query(PromptInput)]


@pytest.mark.parametrize(
    ("typed", "then"),
    [
        pytest.param("/mm\r", filtered, id="a filter"),
        pytest.param(":theme light\r", lit, id="a command, with letters that are keys elsewhere"),
        pytest.param("\x10vocr\r", opened, id="a search"),
        pytest.param("\r-", widened, id="a key of the screen that opens"),
        pytest.param("fa", zoomed, id="a letter of a panel"),
        pytest.param("?", helped, id="one key alone"),
        pytest.param("\x10chdeploy\r", begun, id="a command whose rest is still to be typed"),
    ],
)
async def test_what_is_typed_ahead_waits_for_what_it_is_meant_for(
    typed: str, then: Callable[[Desk], bool]
) -> None:
    async with desk("1") as at:
        for letter in typed:
            at.console.post_message(events.Key(_NAMES.get(letter, letter), letter))
        for _ in range(100):
            await at.pilot.pause(0.01)
            if then(at):
                break
        assert then(at)
