"""An emulated terminal, and what the compositor of Textual wants on it, in the same words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import pyte
from rich.cells import split_graphemes
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.app import App


class Seen(NamedTuple):
    """What a person sees of a cell; a blank has no text colour and no weight."""

    glyph: str
    fore: str = "default"
    back: str = "default"
    attributes: frozenset[str] = frozenset()


_INK = frozenset({"bold", "italics"})


@lru_cache(4_096)
def seen(glyph: str, fore: str, back: str, attributes: frozenset[str]) -> Seen:
    """The cell without what nobody sees of it."""
    if glyph == " " and not attributes - _INK:
        return Seen(glyph, "", back)
    return Seen(unicodedata.normalize("NFC", glyph), fore, back, attributes)


class Emulator:
    """A terminal of some size; as a wire it takes frames while it is `free`."""

    def __init__(self, cells: int = 80, rows: int = 24) -> None:
        self._screen = pyte.Screen(cells, rows)
        self._screen.reset_mode(7, private=True)
        self._stream = pyte.ByteStream(self._screen)
        self.free = True
        self.frames: list[bytes] = []
        self.passed = 0

    def is_free(self) -> bool:
        """Whether it takes a frame."""
        return self.free

    def count_skipped(self) -> None:
        """A frame was not made."""
        self.passed += 1

    def send(self, frame: bytes) -> None:
        """Show a frame."""
        self.frames.append(frame)
        self.feed(frame)

    def feed(self, data: bytes) -> None:
        """Show bytes."""
        self._stream.feed(data)

    def resize(self, cells: int, rows: int) -> None:
        """Another size, with rubbish on the screen as after any resize."""
        self._screen.resize(rows, cells)
        self.feed(b"\x1b[31;44mrubbish\x1b[m")

    def cells(self) -> list[list[Seen]]:
        """What is on the screen."""
        across, down = self._screen.columns, self._screen.lines
        return [[_cell(self._screen.buffer[y][x]) for x in range(across)] for y in range(down)]


_PYTE = ("bold", "italics", "underscore", "strikethrough", "reverse", "blink")


@lru_cache(4_096)
def _cell(char: Any) -> Seen:
    back = char.bg.replace("bfight", "bright")  # as pyte spells it
    return seen(char.data, char.fg, back, frozenset(n for n in _PYTE if getattr(char, n)))


_RICH = {
    "bold": "bold",
    "italic": "italics",
    "underline": "underscore",
    "strike": "strikethrough",
    "reverse": "reverse",
    "blink": "blink",
}


def wanted(app: App[Any]) -> list[list[Seen]]:
    """What the compositor wants on the screen."""
    return [row_of(strip) for strip in app.screen._compositor.render_strips()]


def row_of(segments: Iterable[Segment]) -> list[Seen]:
    cells: list[Seen] = []
    for text, style, control in segments:
        if control:
            continue
        fore, back, names = _style(style or Style.null())
        for start, end, width in split_graphemes(text)[0]:
            cells.append(seen(text[start:end], fore, back, names))
            cells.extend([seen("", fore, back, names)] * (width - 1))
    return cells


@lru_cache(4_096)
def _style(style: Style) -> tuple[str, str, frozenset[str]]:
    names = frozenset(there for here, there in _RICH.items() if getattr(style, here))
    return _colour(style.color), _colour(style.bgcolor), names


def _colour(colour: Color | None) -> str:
    if colour is None or colour.is_default:
        return "default"
    if colour.number is not None:
        return ("bright" if colour.number >= 8 else "") + _NAMES[colour.number % 8]
    return "" if colour.triplet is None else colour.triplet.hex[1:]


_NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
