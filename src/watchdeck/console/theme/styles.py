"""Styles: lines of text converted to Textual strips, and the sanitizer behind that conversion.

No markup is parsed, so no text can become a tag, a link or an action.
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

from watchdeck.console.lines.line import NO_VALUE, Background, Line, Role
from watchdeck.console.theme.themes import REVERSE, Palette

_BOLD = {Role.STRONG, Role.TITLE, Role.DOWN, Role.CRITICAL}
_COLOURED_IN_REVERSE = {Role.OK, Role.WARNING, Role.CRITICAL, Role.DOWN, Role.UNKNOWN}
"""Roles that keep their colour in reverse video; more of them would make a patchwork."""

_ASCII = str.maketrans(
    {
        "─": "-", "│": "|", "┤": "|", "└": "+", "┴": "+", "▌": ">", "…": "~", NO_VALUE: "-",
        "·": "|", "→": ">", "←": "<", "↑": "^", "↓": "v", "●": "o", "✖": "X", "▲": "!",
        "◆": "*", "⏎": "<", "∞": "~", "✓": "*", "▼": "v", "▶": ">", "╌": "-",
    }
)  # fmt: skip
"""Replacements of watchdeck's shapes on a terminal that shows only ASCII."""

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]"
)


class StyleSheet:
    """The text styles of a palette, by role and background; `ascii` replaces special shapes."""

    def __init__(self, palette: Palette, *, ascii: bool = False) -> None:  # noqa: A002
        self.palette = palette
        self.ascii = ascii
        self._styles: dict[tuple[Role, Background], Style] = {}

    def style(self, role: Role, background: Background) -> Style:
        """The style of text of this role on this background."""
        key = (role, background)
        if key not in self._styles:
            colours = self.palette.colours
            back, bold = colours[background], role in _BOLD
            text = RichColor.parse(colours[role])
            self._styles[key] = (
                Style(color=text if role in _COLOURED_IN_REVERSE else None, bold=bold, reverse=True)
                if back == REVERSE
                else Style.from_color(text, RichColor.parse(back)) + Style(bold=bold)
            )
        return self._styles[key]

    @property
    def inverted_style(self) -> Style:
        """The style of an `inverted` line: bold, in the warning colour, in reverse video."""
        colours = self.palette.colours
        text, back = RichColor.parse(colours["warning"]), RichColor.parse(colours["background"])
        return Style.from_color(text, back) + Style(bold=True, reverse=True)

    def strip(self, line: Line, cells: int) -> Strip:
        """A line as a strip of exactly `cells` cells: cropped or padded."""
        if line.inverted:
            inverted = [
                Segment(self._displayable(span.text), self.inverted_style) for span in line.spans
            ]
            return Strip(inverted).adjust_cell_length(cells, self.inverted_style)
        segments = [
            Segment(
                self._displayable(span.text),
                self.style(span.role, span.background or line.background),
            )
            for span in line.spans
            if span.text
        ]
        return Strip(segments).adjust_cell_length(cells, self.style(Role.TEXT, line.background))

    def _displayable(self, text: str) -> str:
        return text.translate(_ASCII) if self.ascii else text


class OutputSanitizer(LineFilter):
    """Replaces control and bidi characters in all output, whichever widget drew it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The segments, with each control or bidi character replaced by U+FFFD."""
        return list(_sanitize(segments))


def _sanitize(segments: Iterable[Segment]) -> Iterable[Segment]:
    for segment in segments:
        text, style, control = segment
        if control or not _UNSAFE.search(text):
            yield segment
        else:
            yield Segment(_UNSAFE.sub("\ufffd", text), style)
