"""Capabilities of the terminal, read from its environment variables."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

_COLOURLESS = ("vt52", "vt100", "vt102", "vt220", "vt320")
"""TERM values from before colour; these terminals would print the codes or drop them."""

_ERASING_IN_COLOUR = (
    "xterm", "linux", "rxvt", "alacritty", "foot", "konsole", "vte", "gnome", "putty", "st-",
    "ghostty", "wezterm", "contour", "mintty", "iterm", "tmux",
)  # fmt: skip
"""Beginnings of TERM of terminals with background colour erase (bce); GNU screen has none."""


class ColourDepth(StrEnum):
    """How many colours a terminal shows, by the names that rich gives them."""

    TRUECOLOUR = "truecolor"
    ANSI_256 = "256"
    ANSI_16 = "standard"
    NONE = "none"


class TerminalCapabilities(Struct, frozen=True):
    """Colours and characters that a terminal can show, and how it erases."""

    depth: ColourDepth = ColourDepth.TRUECOLOUR
    charset: str = "utf-8"
    erases_in_colour: bool = False
    """Whether erased cells get the current background colour."""


def reduce_colours(capabilities: TerminalCapabilities) -> TerminalCapabilities:
    """The capabilities with 256 colours instead of true colour, for a slow link.

    One of 256 colours takes 5 bytes, a true colour 12.
    """
    if capabilities.depth is ColourDepth.TRUECOLOUR:
        return replace(capabilities, depth=ColourDepth.ANSI_256)
    return capabilities


def capabilities_of(
    environ: Mapping[str, str], system: str | None, encoding: str | None
) -> TerminalCapabilities:
    """The capabilities of a terminal for which rich found the colour system `system`."""
    charset = codecs.lookup(encoding or "utf-8").name
    return TerminalCapabilities(depth_of(environ, system), charset, _erases_in_colour(environ))


def depth_of(environ: Mapping[str, str], system: str | None) -> ColourDepth:
    """The colour depth to use; NO_COLOR and old terminals win over what rich found."""
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR") or term in _COLOURLESS or term.endswith("-m") or "-mono" in term:
        return ColourDepth.NONE
    if system is None:
        return ColourDepth.NONE
    return ColourDepth(system) if system in {*ColourDepth} else ColourDepth.ANSI_16


def _erases_in_colour(environ: Mapping[str, str]) -> bool:
    term = environ.get("TERM", "")
    if term.startswith("screen"):
        return "TMUX" in environ
    return term.startswith(_ERASING_IN_COLOUR) and "STY" not in environ
