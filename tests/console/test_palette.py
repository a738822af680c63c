from pathlib import Path

import pytest

from watchdeck.console.draw.text import Ground, Role
from watchdeck.console.palette import NAMES, contrast, load_palette
from watchdeck.data import folder
from watchdeck.errors import ConfigError

THEMES = sorted(folder("themes").glob("*.toml"))
READABLE = 4.5
"""The least contrast of text, by WCAG 2 AA."""

VISIBLE = 3.0
"""The least contrast of what is not text: the rules between panels."""


@pytest.mark.parametrize("path", THEMES, ids=lambda path: path.stem)
def test_every_text_of_a_theme_is_readable_on_every_ground(path: Path) -> None:
    colours = load_palette(path).colours
    found = {
        f"{role} on {ground}": round(contrast(colours[role], colours[ground]), 2)
        for role in Role
        for ground in Ground
        if role is not Role.RULE and contrast(colours[role], colours[ground]) < READABLE
    }
    assert found == {}
    assert contrast(colours[Role.RULE], colours[Ground.PLAIN]) >= VISIBLE


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_theme_names_every_colour_that_is_missing_or_wrong(tmp_path: Path) -> None:
    theme = tmp_path / "mine.toml"
    colours = "\n".join(f'{name} = "#112233"' for name in NAMES if name != "ok")
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
        pytest.param(b"[colours]", id="no name"),
        pytest.param(b'name = "x"\ncolours = 3', id="no table"),
    ],
)
def test_a_theme_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    theme = tmp_path / "mine.toml"
    theme.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        load_palette(theme)
