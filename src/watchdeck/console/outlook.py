"""What the console hands down to the screen in view: what it sees, when, and how it is set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import TYPE_CHECKING

from watchdeck.console.draw.choice import chosen
from watchdeck.console.draw.grid import Dots
from watchdeck.console.keymap import remapped
from watchdeck.console.keys import KEYS, Key
from watchdeck.console.layouts import unknown
from watchdeck.console.paint import Brush
from watchdeck.console.palette import Palette
from watchdeck.console.sight import Place, Sight
from watchdeck.console.themes import DEFAULT, load_theme
from watchdeck.console.time.cursor import Past
from watchdeck.console.trends import Trend
from watchdeck.domain.presence import Presence
from watchdeck.domain.view import View
from watchdeck.errors import ConfigError

if TYPE_CHECKING:
    from watchdeck.domain.kind import Kind

_OLD_TERMINALS = ("linux", "vt100", "vt102", "vt220", "ansi")
"""Terminals whose fonts have no braille; blocks and most shapes they have."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays as it is from tick to tick: colours, shapes, clock, and which store this is.

    `problem` is what of the view could not be had, in words; `environ` tells where a person's own
    themes are.
    """

    brush: Brush
    dots: Dots = Dots.BRAILLE
    zone: tzinfo | None = None
    store: str = ""
    read_only: bool = False
    view: View = field(default_factory=View)
    problem: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[Key, ...] = KEYS


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a screen shows: the sight, drawn for the moment `now`; `notice` is said once.

    `kinds` are the kinds of server by name, once they are read; `trends` is the last hour of each
    model; `others` are the other consoles on this store; `past` tells how
    far away the moment shown is, None when it is now; `typed` is what was typed after each sign.
    """

    setting: Setting
    sight: Sight = field(default_factory=Sight)
    now: int = 0
    notice: str = ""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    trends: Mapping[str, Trend] = field(default_factory=dict)
    others: tuple[Presence, ...] = ()
    past: Past | None = None
    typed: dict[str, list[str]] = field(default_factory=dict)


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
