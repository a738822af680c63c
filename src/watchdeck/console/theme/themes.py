"""Themes: palettes read from bundled files and from the user's folder, which wins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.config.reading.files import parse, read_file
from watchdeck.config.reading.problems import ConfigProblems
from watchdeck.console.lines.line import Background, Role
from watchdeck.domain.values.text import clean
from watchdeck.errors import ConfigError
from watchdeck.resources import folder

DEFAULT = "dark"

_MAX_FILES = 200

COLOUR_NAMES = (*(background.value for background in Background), *(role.value for role in Role))
"""The colours that every theme must define."""

REVERSE = "reverse"
"""A background "colour" that swaps text and background, in themes of terminal colours."""

_ANSI_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")

_TERMINAL_COLOURS = (
    "default",
    REVERSE,
    *_ANSI_COLOURS,
    *(f"bright_{name}" for name in _ANSI_COLOURS),
)

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


class Palette(Struct, frozen=True):
    """A theme: its name, whether it is dark, and a colour for each of `COLOUR_NAMES`.

    A colour is `#rrggbb`. In a theme of `terminal` colours it is one of the terminal's sixteen,
    `default`, or `reverse` for a background.
    """

    name: str
    dark: bool
    colours: dict[str, str]
    terminal: bool = False


def load_palette(path: Path) -> Palette:
    """Read a theme file. Raises ConfigError that lists every missing or wrong colour."""
    try:
        raw = parse(str(path), read_file(path).text)
    except ConfigProblems as error:
        raise ConfigError(f"{path}: the theme cannot be read: {error.problems[0]}") from error
    problems = _palette_problems(raw)
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return Palette(
        str(raw["name"]),
        bool(raw.get("dark", True)),
        dict(raw["colours"]),
        bool(raw.get("terminal", False)),
    )


def _palette_problems(raw: dict[str, Any]) -> list[str]:
    colours = raw.get("colours")
    if not isinstance(raw.get("name"), str) or not isinstance(colours, dict):
        return ["a theme has a name and a table [colours]."]
    missing = [f"colours.{name} is missing." for name in COLOUR_NAMES if name not in colours]
    unknown = [
        f"colours.{name} is not a colour of a theme." for name in {*colours} - {*COLOUR_NAMES}
    ]
    terminal = bool(raw.get("terminal", False))
    example = "bright_red" if terminal else "#10141b"
    wrong = [
        f"colours.{name} is {clean(repr(value), 60)}, not a colour such as {example}."
        for name, value in colours.items()
        if name in COLOUR_NAMES and not _is_colour(value, terminal=terminal)
    ]
    return [*missing, *sorted(unknown), *wrong]


def _is_colour(value: object, *, terminal: bool) -> bool:
    if not isinstance(value, str):
        return False
    return value in _TERMINAL_COLOURS if terminal else _HEX.fullmatch(value) is not None


def user_theme_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder of the user's own themes, which may not exist; None without a home folder."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        base = f"{environ.get('HOME', '')}/.config"
    return None if base == "/.config" else Path(base) / "watchdeck" / "themes"


def theme_files(environ: Mapping[str, str]) -> dict[str, Path]:
    """All theme files by theme name; only regular files, as a pipe might never end."""
    found: dict[str, Path] = {}
    for place in (folder("themes"), user_theme_folder(environ)):
        if place is not None and place.is_dir():
            files = (path for path in sorted(place.glob("*.toml"))[:_MAX_FILES] if path.is_file())
            found |= {path.stem: path for path in files}
    return found


def load_theme(name: str, environ: Mapping[str, str]) -> Palette:
    """The palette of a theme, named after its file, whatever name the file contains.

    Raises ConfigError when the theme is unknown (listing the known ones) or its file is wrong.
    """
    known = theme_files(environ)
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
        raise ConfigError(f"there is no theme {clean(name, 40)!r}. {hint}")
    return replace(load_palette(known[name]), name=name)
