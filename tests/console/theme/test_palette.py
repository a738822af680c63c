import math
import os
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest
from rich.style import Style

from watchdeck.console.lines.health import HEALTH_BADGES
from watchdeck.console.lines.line import Background, Role
from watchdeck.console.theme.styles import StyleSheet
from watchdeck.console.theme.themes import (
    COLOUR_NAMES,
    Palette,
    load_palette,
    load_theme,
    theme_files,
    user_theme_folder,
)
from watchdeck.errors import ConfigError
from watchdeck.resources import folder

THEMES = sorted(folder("themes").glob("*.toml"))
READABLE = 4.5
"""The least contrast of text, by WCAG 2 AA."""

VISIBLE = 3.0
"""The least contrast of what is not text: the rules between panels."""


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG computes it: 1 (none) to 21 (black on white)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


OWN_COLOURS = [path for path in THEMES if not load_palette(path).terminal]


@pytest.mark.parametrize("path", OWN_COLOURS, ids=lambda path: path.stem)
def test_every_text_of_a_theme_is_readable_on_every_ground(path: Path) -> None:
    colours = load_palette(path).colours
    found = {
        f"{role} on {ground}": round(contrast(colours[role], colours[ground]), 2)
        for role in Role
        for ground in Background
        if role is not Role.RULE and contrast(colours[role], colours[ground]) < READABLE
    }
    assert found == {}
    assert contrast(colours[Role.RULE], colours[Background.PLAIN]) >= VISIBLE


def test_there_is_a_theme_for_every_eye_and_terminal() -> None:
    assert {path.stem for path in THEMES} == {
        "ansi", "dark", "deuteranopia", "high-contrast", "light", "mono", "tritanopia"
    }  # fmt: skip
    assert [load_palette(path).name for path in THEMES] == [path.stem for path in THEMES]


def test_high_contrast_is_twice_as_high_as_needed() -> None:
    colours = load_palette(folder("themes") / "high-contrast.toml").colours
    least = min(
        contrast(colours[role], colours[ground])
        for role in Role
        for ground in Background
        if role is not Role.RULE
    )
    assert least >= 7


HEALTHS = (Role.OK, Role.WARNING, Role.CRITICAL, Role.DOWN, Role.UNKNOWN)

SEEN_BY = {
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""Linear RGB as such an eye sees it, after Machado, Oliveira and Fernandes (2009)."""


@pytest.mark.parametrize("name", SEEN_BY)
def test_healths_differ_for_the_eyes_that_a_theme_is_made_for(name: str) -> None:
    colours = load_palette(folder("themes") / f"{name}.toml").colours
    seen = {role: lab(colours[role], SEEN_BY[name]) for role in HEALTHS}
    apart = {
        f"{one} and {other}": math.dist(seen[one], seen[other])
        for one, other in combinations(HEALTHS, 2)
    }
    assert min(apart.values()) > 12, apart


def lab(colour: str, eye: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of a colour as an eye sees it."""
    raw = [linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5)]
    red, green, blue = (
        min(1.0, max(0.0, sum(w * v for w, v in zip(row, raw, strict=True)))) for row in eye
    )
    x = curve((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505)
    y = curve(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    z = curve((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def linear(share: float) -> float:
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)


def curve(share: float) -> float:
    return float(share ** (1 / 3) if share > 0.008856 else 7.787 * share + 16 / 116)


@pytest.mark.parametrize("name", ["mono", "ansi"])
def test_without_colours_of_its_own_a_theme_tells_by_shape_and_word(name: str) -> None:
    palette = load_palette(folder("themes") / f"{name}.toml")
    assert palette.terminal
    assert {style.color.triplet for style in every_style(palette) if style.color} == {None}
    marks = [(mark.shape, mark.word) for mark in HEALTH_BADGES.values()]
    assert (
        len({shape for shape, _ in marks}) == len({word for _, word in marks}) == len(HEALTH_BADGES)
    )


def every_style(palette: Palette) -> list[Style]:
    brush = StyleSheet(palette)
    return [brush.style(role, ground) for role in Role for ground in Background]


def test_the_row_of_the_cursor_differs_in_every_theme() -> None:
    for path in THEMES:
        brush = StyleSheet(load_palette(path))
        plain, cursor = (
            brush.style(Role.TEXT, ground) for ground in (Background.PLAIN, Background.CURSOR)
        )
        assert plain != cursor, path.stem


def test_a_persons_own_theme_wins_and_a_wrong_name_is_told_with_the_nearest(
    tmp_path: Path,
) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    own = user_theme_folder(environ)
    assert own is not None
    own.mkdir(parents=True)
    dark = (folder("themes") / "dark.toml").read_text()
    (own / "dark.toml").write_text(dark.replace("#10141b", "#000000"))
    (own / "mine.toml").write_text(dark.replace('"dark"', '"mine"'))
    assert load_theme("dark", environ).colours["background"] == "#000000"
    assert load_theme("mine", environ).name == "mine"
    assert set(theme_files(environ)) == {path.stem for path in THEMES} | {"mine"}
    with pytest.raises(ConfigError, match="Did you mean 'light'"):
        load_theme("ligth", environ)
    with pytest.raises(ConfigError, match="There are: ansi, dark"):
        load_theme("\x1b[2J", {"HOME": str(tmp_path)})


def test_a_theme_has_the_name_of_its_file_and_what_is_no_file_is_none(tmp_path: Path) -> None:
    """A key goes from theme to theme by these names; a pipe would be read for ever."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    own = user_theme_folder(environ)
    assert own is not None
    own.mkdir(parents=True)
    dark = (folder("themes") / "dark.toml").read_text()
    (own / "aa.toml").write_text(dark.replace('"dark"', '"zz"'))
    os.mkfifo(own / "pipe.toml")
    assert load_theme("aa", environ).name == "aa"
    assert set(theme_files(environ)) == {path.stem for path in THEMES} | {"aa"}


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_theme_names_every_colour_that_is_missing_or_wrong(tmp_path: Path) -> None:
    theme = tmp_path / "mine.toml"
    colours = "\n".join(f'{name} = "#112233"' for name in COLOUR_NAMES if name != "ok")
    theme.write_text(f'name = "mine"\n[colours]\n{colours}\npink = "#ffffff"\n')
    theme.write_text(theme.read_text().replace('down = "#112233"', 'down = "red"'))
    with pytest.raises(ConfigError) as caught:
        load_palette(theme)
    assert str(caught.value).splitlines() == [
        f"{theme}: colours.ok is missing.",
        f"{theme}: colours.pink is not a colour of a theme.",
        f"{theme}: colours.down is 'red', not a colour such as #10141b.",
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"name =", id="not TOML"),
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(b"a = " + b"[" * 100_000, id="nested without end"),
        pytest.param(b"a." * 100_000 + b"a = 1", id="a key of endless parts"),
        pytest.param(b"[colours]", id="no name"),
        pytest.param(b'name = "x"\ncolours = 3', id="no table"),
    ],
)
def test_a_theme_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    theme = tmp_path / "mine.toml"
    theme.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        load_palette(theme)
