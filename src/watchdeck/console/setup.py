"""The setting of a console: what a view asks for, as far as this terminal has it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from watchdeck.console.input.keymap import remapped
from watchdeck.console.input.keys import Key
from watchdeck.console.lines.glyphs import Dots
from watchdeck.console.models.column_choice import chosen
from watchdeck.console.state.board_source import Place
from watchdeck.console.state.view_state import Setting
from watchdeck.console.theme.layouts import unknown
from watchdeck.console.theme.palette import Palette
from watchdeck.console.theme.styles import Brush
from watchdeck.console.theme.themes import DEFAULT, load_theme
from watchdeck.domain.settings.console import View
from watchdeck.errors import ConfigError

_OLD_TERMINALS = ("linux", "vt100", "vt102", "vt220", "ansi")
"""Terminals whose fonts have no braille; blocks and most shapes they have."""


def dots_for(environ: Mapping[str, str]) -> Dots:
    """The finest dots that this terminal and its locale can show."""
    spoken = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    charset = spoken.partition(".")[2].lower().replace("-", "")
    if charset and not charset.startswith("utf8"):
        return Dots.ASCII
    return Dots.BLOCK if environ.get("TERM", "") in _OLD_TERMINALS else Dots.BRAILLE


def default_setting(
    directory: Place, view: View | None = None, *, read_only: bool = False
) -> Setting:
    """The setting that a view asks for, with the shapes that this terminal can show."""
    setting = _drawn(directory, view or View(), read_only=read_only)
    keys, keyless = _keys(setting.view)
    told = (keyless, unknown(setting.view.layout), setting.problem)
    return replace(setting, keys=keys, problem=" ".join(filter(None, told)))


def _keys(view: View) -> tuple[tuple[Key, ...], str]:
    """The keys that are wanted, else the usual ones and why."""
    keys, wrong = remapped(view.keys)
    if not wrong:
        return keys, ""
    more = f" ({len(wrong)} such problems: `watchdeck check`)" if len(wrong) > 1 else ""
    return keys, f"The keys are the usual ones: {wrong[0]}{more}"


def _drawn(directory: Place, wanted: View, *, read_only: bool) -> Setting:
    """Colours and shapes, and what of them could not be had."""
    dots = dots_for(os.environ) if wanted.glyphs == "auto" else Dots(wanted.glyphs)
    environ = dict(os.environ)
    palette, problem = _palette(wanted.theme, environ)
    _, wrong = chosen(wanted.columns)
    brush = Brush(palette, ascii=dots is Dots.ASCII)
    said = " ".join(filter(None, (problem, *wrong)))
    return Setting(brush, dots, None, str(directory.path), read_only, wanted, said, environ)


def _palette(name: str, environ: Mapping[str, str]) -> tuple[Palette, str]:
    """The theme of this name, else the usual one and why."""
    try:
        return load_theme(name, environ), ""
    except ConfigError as error:
        return load_theme(DEFAULT, {}), f"{error} The theme is {DEFAULT}."
