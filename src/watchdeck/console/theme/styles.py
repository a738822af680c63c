"""From lines to what Textual draws: the one door for text, and the gate behind it.

Nothing here reads markup, so no text can be taken for a tag, a link or an action.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from watchdeck.console.lines.line import NOTHING, Background, Line, Role
from watchdeck.console.theme.palette import REVERSE, Palette

_BOLD = {Role.STRONG, Role.TITLE, Role.DOWN, Role.CRITICAL}
_TELLING = {Role.OK, Role.WARNING, Role.CRITICAL, Role.DOWN, Role.UNKNOWN}
"""Roles whose colour is kept where text and ground change places: more would be a patchwork."""

_ASCII = str.maketrans(
    {
        "─": "-", "│": "|", "┤": "|", "└": "+", "┴": "+", "▌": ">", "…": "~", NOTHING: "-",
        "·": "|", "→": ">", "←": "<", "↑": "^", "↓": "v", "●": "o", "✖": "X", "▲": "!",
        "◆": "*", "⏎": "<", "∞": "~", "✓": "*", "▼": "v", "▶": ">", "╌": "-",
    }
)  # fmt: skip
"""What stands for our own shapes where a terminal has no others."""

_RAW = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]"
)


class StyleSheet:
    """The styles of a palette: one for each role on each ground; `ascii` keeps to plain shapes."""

    def __init__(self, palette: Palette, *, ascii: bool = False) -> None:  # noqa: A002
        self.palette = palette
        self.ascii = ascii
        self._styles: dict[tuple[Role, Background], Style] = {}

    def style(self, role: Role, ground: Background) -> Style:
        """How text of this role looks on this ground."""
        key = (role, ground)
        if key not in self._styles:
            colours = self.palette.colours
            back, bold = colours[ground], role in _BOLD
            text = RichColor.parse(colours[role])
            self._styles[key] = (
                Style(color=text if role in _TELLING else None, bold=bold, reverse=True)
                if back == REVERSE
                else Style.from_color(text, RichColor.parse(back)) + Style(bold=bold)
            )
        return self._styles[key]

    @property
    def inverted(self) -> Style:
        """Text and ground of a warning, the other way round."""
        colours = self.palette.colours
        text, back = RichColor.parse(colours["warning"]), RichColor.parse(colours["background"])
        return Style.from_color(text, back) + Style(bold=True, reverse=True)

    def strip(self, line: Line, cells: int) -> Strip:
        """A line as wide as the widget; what is too long is cropped."""
        if line.inverted:
            inverted = [Segment(self._shown(span.text), self.inverted) for span in line.spans]
            return Strip(inverted).adjust_cell_length(cells, self.inverted)
        segments = [
            Segment(self._shown(span.text), self.style(span.role, span.ground or line.ground))
            for span in line.spans
            if span.text
        ]
        return Strip(segments).adjust_cell_length(cells, self.style(Role.TEXT, line.ground))

    def _shown(self, text: str) -> str:
        return text.translate(_ASCII) if self.ascii else text


class OutputSanitizer(LineFilter):
    """The last door: whatever drew it, no control or bidi character leaves for the terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The segments with every such character replaced; clean ones are kept as they are."""
        return list(_gated(segments))


def _gated(segments: Iterable[Segment]) -> Iterable[Segment]:
    for segment in segments:
        text, style, control = segment
        if control or not _RAW.search(text):
            yield segment
        else:
            yield Segment(_RAW.sub("\ufffd", text), style)
