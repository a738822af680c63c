"""Colours on terminals that show all, some, or none."""

import pytest
from rich.color import Color

from watchdeck.console.terminal.capabilities import ColourDepth, depth_of
from watchdeck.console.terminal.colour import nearest_colour, sgr_parameters


@pytest.mark.parametrize(
    ("environ", "system", "expected"),
    [
        pytest.param(
            {"TERM": "xterm-256color"}, "truecolor", ColourDepth.TRUECOLOUR, id="what rich found"
        ),
        pytest.param(
            {"TERM": "xterm-256color"}, "256", ColourDepth.ANSI_256, id="ssh without COLORTERM"
        ),
        pytest.param({"TERM": "linux"}, "standard", ColourDepth.ANSI_16, id="sixteen"),
        pytest.param(
            {"TERM": "xterm", "NO_COLOR": "1"}, "truecolor", ColourDepth.NONE, id="no colour"
        ),
        pytest.param(
            {"TERM": "xterm", "NO_COLOR": ""}, "256", ColourDepth.ANSI_256, id="empty is not set"
        ),
        pytest.param({"TERM": "vt220"}, "standard", ColourDepth.NONE, id="older than colour"),
        pytest.param(
            {"TERM": "xterm-mono"}, "standard", ColourDepth.NONE, id="monochrome by its name"
        ),
        pytest.param({"TERM": "xterm"}, None, ColourDepth.NONE, id="nothing found"),
        pytest.param(
            {"TERM": "xterm"}, "windows", ColourDepth.ANSI_16, id="a system of another world"
        ),
    ],
)
def test_the_depth_of_a_terminal(
    environ: dict[str, str], system: str | None, expected: ColourDepth
) -> None:
    assert depth_of(environ, system) is expected


@pytest.mark.parametrize(
    ("fore", "back", "depth", "expected"),
    [
        ("#0a141e", "#000001", ColourDepth.TRUECOLOUR, ("38;2;10;20;30", "48;2;0;0;1")),
        ("#0a141e", "#ffffff", ColourDepth.ANSI_256, ("38;5;233", "48;5;231")),
        ("#ff0000", "#000000", ColourDepth.ANSI_16, ("91", "40")),
        ("#ff0000", "#000000", ColourDepth.NONE, ("", "")),
        ("default", "default", ColourDepth.TRUECOLOUR, ("", "")),
        ("red", "bright_blue", ColourDepth.TRUECOLOUR, ("31", "104")),
        ("color(123)", "color(7)", ColourDepth.ANSI_256, ("38;5;123", "47")),
        ("color(196)", "color(232)", ColourDepth.ANSI_16, ("91", "40")),
    ],
)
def test_a_colour_becomes_what_the_terminal_has(
    fore: str, back: str, depth: ColourDepth, expected: tuple[str, str]
) -> None:
    assert sgr_parameters(Color.parse(fore), Color.parse(back), depth) == expected


@pytest.mark.parametrize("depth", [ColourDepth.ANSI_16, ColourDepth.ANSI_256])
@pytest.mark.parametrize("back", ["#10141b", "#101010", "#f0f0f0", "#fafaff", "#202020"])
def test_text_never_sinks_into_its_ground(back: str, depth: ColourDepth) -> None:
    fore, ground = sgr_parameters(
        Color.parse("#12151c" if back < "#8" else "#fbfbfb"), Color.parse(back), depth
    )
    assert fore.removeprefix("38;5;") != ground.removeprefix("48;5;")
    assert (int(fore) + 10 if fore.isdigit() else 0) != (int(ground) if ground.isdigit() else -1)


def test_text_that_is_meant_to_be_hidden_stays_hidden() -> None:
    same = Color.parse("#10141b")
    assert sgr_parameters(same, same, ColourDepth.ANSI_16) == ("30", "40")


def test_dark_grounds_stay_apart_on_256_colours() -> None:
    grounds = [(0x10, 0x14, 0x1B), (0x1A, 0x21, 0x2D), (0x24, 0x33, 0x4B)]
    assert len({nearest_colour(ground, ColourDepth.ANSI_256) for ground in grounds}) == 3


@pytest.mark.parametrize(
    ("role", "number"),
    [
        *(("#7bd88f", 2), ("#f5cf5b", 11), ("#ff8a94", 9), ("#5ec8e5", 14), ("#c4b2ff", 12)),
        *(("#a2adbd", 8), ("#ffffff", 15), ("#10141b", 0), ("#24334b", 4)),
    ],
)
def test_soft_colours_keep_their_hue_among_sixteen(role: str, number: int) -> None:
    assert nearest_colour(Color.parse(role).get_truecolor(), ColourDepth.ANSI_16) == number


def test_the_nearest_of_a_colour_that_exists_is_itself() -> None:
    assert nearest_colour((95, 135, 175), ColourDepth.ANSI_256) == 67
    assert nearest_colour((8, 8, 8), ColourDepth.ANSI_256) == 232
    assert nearest_colour((0, 205, 0), ColourDepth.ANSI_16) == 2
