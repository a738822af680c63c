"""The view settings of a console: the configured ones, as far as the terminal supports them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from watchdeck.console.input.keymap import apply_keymap
from watchdeck.console.input.keys import Key
from watchdeck.console.lines.line import DotStyle
from watchdeck.console.models.columns import choose_columns
from watchdeck.console.state.board_source import StoreLocation
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.theme.layouts import layout_problem
from watchdeck.console.theme.styles import StyleSheet
from watchdeck.console.theme.themes import DEFAULT, Palette, load_theme
from watchdeck.domain.settings.configuration import ConsoleSettings
from watchdeck.errors import ConfigError

_OLD_TERMINALS = ("linux", "vt100", "vt102", "vt220", "ansi")
"""Values of TERM for terminals whose fonts have blocks and most shapes, but no braille."""


def dots_for(environ: Mapping[str, str]) -> DotStyle:
    """The finest dots for charts (braille, blocks or ASCII) that this terminal can show."""
    spoken = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    charset = spoken.partition(".")[2].lower().replace("-", "")
    if charset and not charset.startswith("utf8"):
        return DotStyle.ASCII
    return DotStyle.BLOCK if environ.get("TERM", "") in _OLD_TERMINALS else DotStyle.BRAILLE


def console_settings(
    directory: StoreLocation, wanted: ConsoleSettings | None = None, *, read_only: bool = False
) -> ViewSettings:
    """The configured view settings, with dots and colours that this terminal can show.

    A setting that cannot be used becomes its default; `problem` of the result says which.
    """
    view, environ = wanted or ConsoleSettings(), dict(os.environ)
    dots = dots_for(environ) if view.glyphs == "auto" else DotStyle(view.glyphs)
    palette, no_theme = _palette(view.theme, environ)
    keys, no_keys = _keys(view)
    _, no_columns = choose_columns(view.columns)
    problems = (no_keys, layout_problem(view.layout), no_theme, *no_columns)
    return ViewSettings(
        StyleSheet(palette, ascii=dots is DotStyle.ASCII),
        dots,
        store=str(directory.path),
        read_only=read_only,
        view=view,
        problem=" ".join(filter(None, problems)),
        environ=environ,
        keys=keys,
    )


def _keys(view: ConsoleSettings) -> tuple[tuple[Key, ...], str]:
    """The keys as configured and ""; with a problem the default keys and the reason."""
    keys, problems = apply_keymap(view.keys)
    if not problems:
        return keys, ""
    count = len(problems)
    more = f" ({count} such problems: `watchdeck check`)" if count > 1 else ""
    return keys, f"The keys are the usual ones: {problems[0]}{more}"


def _palette(name: str, environ: Mapping[str, str]) -> tuple[Palette, str]:
    """The palette of a theme and ""; if it cannot be loaded, the default one and the reason."""
    try:
        return load_theme(name, environ), ""
    except ConfigError as error:
        return load_theme(DEFAULT, {}), f"{error} The theme is {DEFAULT}."
