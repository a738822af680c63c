"""Lines: spans of clean text, each with a role, as wide as the terminal will show them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len, split_text

from watchdeck.domain.values.text import clean

NOTHING = "\u2013"
"""What stands where nothing is known: never a 0."""

ELLIPSIS = "…"


class Role(StrEnum):
    """What a span means; the palette gives each role its colour."""

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
    """What a line, or a span of it, lies on."""

    PLAIN = "background"
    BAR = "bar"
    CURSOR = "cursor"


class Span(Struct, frozen=True):
    """A stretch of clean text with one role; foreign text comes in through `said` or `fit`.

    Without a `ground` of its own it lies on that of its line.
    """

    text: str
    role: Role = Role.TEXT
    ground: Background | None = None


class Line(Struct, frozen=True):
    """One row of the screen; an `inverted` one stands out in every theme, also without colours."""

    spans: tuple[Span, ...] = ()
    ground: Background = Background.PLAIN
    inverted: bool = False

    def __str__(self) -> str:
        return "".join(span.text for span in self.spans)


def line(*spans: Span | str, ground: Background = Background.PLAIN) -> Line:
    """A line of spans; a plain string is text."""
    return Line(tuple(Span(s) if isinstance(s, str) else s for s in spans), ground)


def foreign_text(text: str, role: Role = Role.TEXT, limit: int = 1_024) -> Span:
    """Foreign text as a span: control, bidi and zero-width characters made visible."""
    return Span(clean(text, limit), role)


def width(text: str) -> int:
    """How many cells the text takes on the screen."""
    return cell_len(text)


def cut(text: str, cells: int) -> str:
    """The text, clean, in at most so many cells; the last one an ellipsis if something was cut."""
    shown = clean(text, max(1, 4 * cells))
    if cell_len(shown) <= cells:
        return shown
    return split_text(shown, cells - 1)[0].rstrip() + ELLIPSIS if cells > 0 else ""


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """The text, clean, in exactly so many cells; numbers stand `right`."""
    shown = cut(text, cells)
    gap = " " * (cells - cell_len(shown))
    return gap + shown if right else shown + gap


def length(spans: Iterable[Span]) -> int:
    """How many cells the spans take."""
    return sum(cell_len(span.text) for span in spans)


def wrap_parts(parts: Iterable[tuple[Span, ...]], cells: int, gap: int = 2) -> tuple[Line, ...]:
    """Parts set one after the other, on as many lines as they need; a part is never broken."""
    lines: list[tuple[Span, ...]] = []
    for whole in parts:
        part = shorten(whole, cells)
        joined = (*lines[-1], Span(" " * gap), *part) if lines else part
        if lines and length(joined) <= cells:
            lines[-1] = joined
        else:
            lines.append(part)
    return tuple(Line(spans) for spans in lines)


def wrap(text: str, cells: int, role: Role = Role.TEXT, most: int = 4) -> tuple[Line, ...]:
    """Foreign text on at most `most` lines, broken between words; what is left over is cut."""
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
    """Two groups of spans at either end of a line; the left one gives way when both do not fit."""
    ending = tuple(right)
    room = cells - length(ending)
    start = shorten(left, max(0, room))
    filling = Span(fill.text * (room - length(start)), fill.role)
    return Line((*start, filling, *ending))


def shorten(spans: Iterable[Span], cells: int) -> tuple[Span, ...]:
    """The spans, cut at so many cells."""
    kept: list[Span] = []
    for span in spans:
        room = cells - length(kept)
        if cell_len(span.text) > room:
            kept.append(replace(span, text=cut(span.text, room)))
            break
        kept.append(span)
    return tuple(kept)


def dimmed(drawn: Line) -> Line:
    """The line as it looks when its data is stale: words and shapes stay, colours go."""
    return replace(drawn, spans=tuple(replace(span, role=Role.MUTED) for span in drawn.spans))


Spans = tuple[Span, ...]
"""Spans that belong together on a line."""
