"""Colours as data: a theme file gives every role and every ground its own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct

from watchdeck.console.lines.line import Background, Role
from watchdeck.domain.values.text import clean
from watchdeck.errors import ConfigError

NAMES = (*(ground.value for ground in Background), *(role.value for role in Role))
"""The colours that every theme has to give."""

REVERSE = "reverse"
"""The ground that changes places with the text, where a terminal has colours of its own."""

_OWN = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_TERMINAL = ("default", REVERSE, *_OWN, *(f"bright_{name}" for name in _OWN))
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


class Palette(Struct, frozen=True):
    """A theme: its name, whether it is dark, and a colour for each of `NAMES`.

    A colour is `#rrggbb`; in a theme of the `terminal`'s own colours it is one of the sixteen,
    `default`, or for a ground `reverse`.
    """

    name: str
    dark: bool
    colours: dict[str, str]
    terminal: bool = False


def load_palette(path: Path) -> Palette:
    """Read a theme. Raises ConfigError that names every colour that is missing or wrong."""
    try:
        raw = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: the theme cannot be read: {error}") from error
    problems = _problems(raw)
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return Palette(
        str(raw["name"]),
        bool(raw.get("dark", True)),
        dict(raw["colours"]),
        bool(raw.get("terminal", False)),
    )


def _problems(raw: dict[str, Any]) -> list[str]:
    colours = raw.get("colours")
    if not isinstance(raw.get("name"), str) or not isinstance(colours, dict):
        return ["a theme has a name and a table [colours]."]
    missing = [f"colours.{name} is missing." for name in NAMES if name not in colours]
    unknown = [f"colours.{name} is not a colour of a theme." for name in {*colours} - {*NAMES}]
    own = bool(raw.get("terminal", False))
    example = "bright_red" if own else "#10141b"
    wrong = [
        f"colours.{name} is {clean(repr(value), 60)}, not a colour such as {example}."
        for name, value in colours.items()
        if name in NAMES and not _is_colour(value, terminal=own)
    ]
    return [*missing, *sorted(unknown), *wrong]


def _is_colour(value: object, *, terminal: bool) -> bool:
    if not isinstance(value, str):
        return False
    return value in _TERMINAL if terminal else _HEX.fullmatch(value) is not None


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG computes it: 1 (none) to 21 (black on white)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return float(share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4)
