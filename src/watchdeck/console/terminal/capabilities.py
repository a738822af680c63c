"""What this terminal can do, as its variables tell."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.console.terminal.colour import Depth, depth_of

_FILLING = (
    "xterm", "linux", "rxvt", "alacritty", "foot", "konsole", "vte", "gnome", "putty", "st-",
    "ghostty", "wezterm", "contour", "mintty", "iterm", "tmux",
)  # fmt: skip
"""How terminals are called that give erased cells the ground of the pen; GNU screen does not."""


class TerminalCapabilities(Struct, frozen=True):
    """Colours, charset, and whether erased cells take the ground that is set."""

    depth: Depth = Depth.FULL
    charset: str = "utf-8"
    fills: bool = False


def reduced_for_slow_link(means: TerminalCapabilities) -> TerminalCapabilities:
    """The same terminal on a link where each byte counts: a colour in five bytes, not in twelve."""
    return replace(means, depth=Depth.MANY) if means.depth is Depth.FULL else means


def means_of(
    environ: Mapping[str, str], system: str | None, encoding: str | None
) -> TerminalCapabilities:
    """The means of a terminal for which rich found this colour system."""
    return TerminalCapabilities(
        depth_of(environ, system), codecs.lookup(encoding or "utf-8").name, _fills(environ)
    )


def _fills(environ: Mapping[str, str]) -> bool:
    term = environ.get("TERM", "")
    if term.startswith("screen"):
        return "TMUX" in environ
    return term.startswith(_FILLING) and "STY" not in environ
