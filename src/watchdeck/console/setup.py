"""The setting of a console: what a view asks for, as far as this terminal has it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec.structs import replace

from watchdeck.console.input.keymap import apply_keymap
from watchdeck.console.input.keys import Key
from watchdeck.console.lines.glyphs import DotStyle
from watchdeck.console.models.column_choice import chosen
from watchdeck.console.state.board_source import StoreLocation
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.theme.layouts import unknown
from watchdeck.console.theme.palette import Palette
from watchdeck.console.theme.styles import StyleSheet
from watchdeck.console.theme.themes import DEFAULT, load_theme
from watchdeck.domain.settings.console import ConsoleSettings
from watchdeck.errors import ConfigError

_OLD_TERMINALS = ("linux", "vt100", "vt102", "vt220", "ansi")
"""Terminals whose fonts have no braille; blocks and most shapes they have."""


def dots_for(environ: Mapping[str, str]) -> DotStyle:
    """The finest dots that this terminal and its locale can show."""
    spoken = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    charset = spoken.partition(".")[2].lower().replace("-", "")
    if charset and not charset.startswith("utf8"):
        return DotStyle.ASCII
    return DotStyle.BLOCK if environ.get("TERM", "") in _OLD_TERMINALS else DotStyle.BRAILLE


def default_setting(
    directory: StoreLocation, view: ConsoleSettings | None = None, *, read_only: bool = False
) -> ViewSettings:
    """The setting that a view asks for, with the shapes that this terminal can show."""
    setting = _drawn(directory, view or ConsoleSettings(), read_only=read_only)
    keys, keyless = _keys(setting.view)
    told = (keyless, unknown(setting.view.layout), setting.problem)
    return replace(setting, keys=keys, problem=" ".join(filter(None, told)))


def _keys(view: ConsoleSettings) -> tuple[tuple[Key, ...], str]:
    """The keys that are wanted, else the usual ones and why."""
    keys, wrong = apply_keymap(view.keys)
    if not wrong:
        return keys, ""
    more = f" ({len(wrong)} such problems: `watchdeck check`)" if len(wrong) > 1 else ""
    return keys, f"The keys are the usual ones: {wrong[0]}{more}"


def _drawn(directory: StoreLocation, wanted: ConsoleSettings, *, read_only: bool) -> ViewSettings:
    """Colours and shapes, and what of them could not be had."""
    dots = dots_for(os.environ) if wanted.glyphs == "auto" else DotStyle(wanted.glyphs)
    environ = dict(os.environ)
    palette, problem = _palette(wanted.theme, environ)
    _, wrong = chosen(wanted.columns)
    brush = StyleSheet(palette, ascii=dots is DotStyle.ASCII)
    said = " ".join(filter(None, (problem, *wrong)))
    return ViewSettings(brush, dots, None, str(directory.path), read_only, wanted, said, environ)


def _palette(name: str, environ: Mapping[str, str]) -> tuple[Palette, str]:
    """The theme of this name, else the usual one and why."""
    try:
        return load_theme(name, environ), ""
    except ConfigError as error:
        return load_theme(DEFAULT, {}), f"{error} The theme is {DEFAULT}."
