"""Colours as data: a theme file gives every role and every ground its own."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchdeck.console.draw.text import Ground, Role
from watchdeck.errors import ConfigError

NAMES = (*(ground.value for ground in Ground), *(role.value for role in Role))
"""The colours that every theme has to give."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Palette:
    """A theme: its name, whether it is dark, and a `#rrggbb` for each of `NAMES`."""

    name: str
    dark: bool
    colours: dict[str, str]


def load_palette(path: Path) -> Palette:
    """Read a theme. Raises ConfigError that names every colour that is missing or wrong."""
    try:
        raw = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: the theme cannot be read: {error}") from error
    problems = _problems(raw)
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return Palette(str(raw["name"]), bool(raw.get("dark", True)), dict(raw["colours"]))


def _problems(raw: dict[str, Any]) -> list[str]:
    colours = raw.get("colours")
    if not isinstance(raw.get("name"), str) or not isinstance(colours, dict):
        return ["a theme has a name and a table [colours]."]
    missing = [f"colours.{name} is missing." for name in NAMES if name not in colours]
    unknown = [f"colours.{name} is not a colour of a theme." for name in {*colours} - {*NAMES}]
    wrong = [
        f"colours.{name} is {value!r}, not a colour such as #10141b."
        for name, value in colours.items()
        if name in NAMES and not (isinstance(value, str) and _HEX.fullmatch(value))
    ]
    return [*missing, *sorted(unknown), *wrong]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG computes it: 1 (none) to 21 (black on white)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return float(share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4)
