"""Lines of text: spans of sanitized text with roles, measured in terminal cells."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len, split_text

from watchdeck.domain.values.text import clean

NO_VALUE = "\u2013"
"""Shown where a value is unknown, never a 0."""

ELLIPSIS = "…"


class Role(StrEnum):
    """The meaning of a span of text; a palette has a colour for each role."""

    TEXT = "text"
    STRONG = "strong"
    MUTED = "muted"
    RULE = "rule"
    TITLE = "title"
    ACCENT = "accent"
    CHART = "chart"
    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    DOWN = "down"
    UNKNOWN = "unknown"


class Background(StrEnum):
    """Kind of background of a line or span; a palette has a colour for each."""

    PLAIN = "background"
    BAR = "bar"
    CURSOR = "cursor"


class DotStyle(StrEnum):
    """Characters that a terminal can draw dots with, finest first."""

    BRAILLE = "braille"
    BLOCK = "block"
    ASCII = "ascii"


class Span(Struct, frozen=True):
    """Sanitized text with one role; untrusted text must pass `untrusted_text`, `cut` or `fit`."""

    text: str
    role: Role = Role.TEXT
    background: Background | None = None
    """None is the background of the line."""


Spans = tuple[Span, ...]
"""Spans that belong together on a line."""


class Line(Struct, frozen=True):
    """One row of the screen; an `inverted` one stands out in every theme, even without colours."""

    spans: tuple[Span, ...] = ()
    background: Background = Background.PLAIN
    inverted: bool = False

    def __str__(self) -> str:
        return "".join(span.text for span in self.spans)


def line(*spans: Span | str, background: Background = Background.PLAIN) -> Line:
    """A line of spans; a string becomes a span of role TEXT."""
    return Line(tuple(Span(s) if isinstance(s, str) else s for s in spans), background)


def untrusted_text(text: str, role: Role = Role.TEXT, limit: int = 1_024) -> Span:
    """Untrusted text as a span: control, bidi and zero-width characters become visible."""
    return Span(clean(text, limit), role)


def width(text: str) -> int:
    """The width of the text in cells."""
    return cell_len(text)


def cut(text: str, cells: int) -> str:
    """The text, sanitized and cut to at most `cells` cells, with an ellipsis if it was longer."""
    shown = clean(text, max(1, 4 * cells))
    if cell_len(shown) <= cells:
        return shown
    return split_text(shown, cells - 1)[0].rstrip() + ELLIPSIS if cells > 0 else ""


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """The text, sanitized and cut or padded to exactly `cells` cells; `right` aligns right."""
    shown = cut(text, cells)
    gap = " " * (cells - cell_len(shown))
    return gap + shown if right else shown + gap


def spans_width(spans: Iterable[Span]) -> int:
    """The width of the spans in cells."""
    return sum(cell_len(span.text) for span in spans)


def wrap_parts(parts: Iterable[tuple[Span, ...]], cells: int, gap: int = 2) -> tuple[Line, ...]:
    """Parts joined with gaps, on as many lines as needed; a part too wide for a line is cut."""
    lines: list[tuple[Span, ...]] = []
    for whole in parts:
        part = shorten(whole, cells)
        joined = (*lines[-1], Span(" " * gap), *part) if lines else part
        if lines and spans_width(joined) <= cells:
            lines[-1] = joined
        else:
            lines.append(part)
    return tuple(Line(spans) for spans in lines)


def wrap(text: str, cells: int, role: Role = Role.TEXT, most: int = 4) -> tuple[Line, ...]:
    """Untrusted text on at most `most` lines, broken between words; the last line is cut."""
    words = clean(text).split()
    lines: list[str] = []
    while words and len(lines) < most:
        taken = 1
        while taken < len(words) and cell_len(" ".join(words[: taken + 1])) <= cells:
            taken += 1
        last = len(lines) == most - 1
        lines.append(cut(" ".join(words if last else words[:taken]), cells))
        words = words[taken:]
    return tuple(Line((Span(text, role),)) for text in lines)


def justify(left: Iterable[Span], right: Iterable[Span], cells: int, fill: Span) -> Line:
    """A line with spans at both ends and `fill` between; the left ones are cut to fit."""
    ending = tuple(right)
    room = cells - spans_width(ending)
    start = shorten(left, max(0, room))
    filling = Span(fill.text * (room - spans_width(start)), fill.role)
    return Line((*start, filling, *ending))


def shorten(spans: Iterable[Span], cells: int) -> tuple[Span, ...]:
    """The spans, cut to at most `cells` cells."""
    shortened: list[Span] = []
    for span in spans:
        room = cells - spans_width(shortened)
        if cell_len(span.text) > room:
            shortened.append(replace(span, text=cut(span.text, room)))
            break
        shortened.append(span)
    return tuple(shortened)


def dim_line(line: Line) -> Line:
    """The line without its colours, as shown when its data is stale."""
    return replace(line, spans=tuple(replace(span, role=Role.MUTED) for span in line.spans))
