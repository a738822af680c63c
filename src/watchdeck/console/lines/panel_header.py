"""Panel header: a line with the title and the age of the data."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from watchdeck.console.lines.line import Line, Role, Span, cut, dim_line, justify, spans_width
from watchdeck.console.lines.relative_time import age_phrase


class DataAge(Struct, frozen=True):
    """Age of a panel's data; times are in ms UTC."""

    at: int | None
    """When the data was read; None before any was."""
    now: int
    stale: str = ""
    """Why the data is not fresh; empty when it is."""

    def spans(self, cells: int) -> tuple[Span, ...]:
        """The age in words, and the reason when the data is stale, in at most `cells` cells."""
        text = age_phrase(self.at, self.now)
        if not self.stale:
            return (Span(text, Role.MUTED),)
        return (Span(cut(f"{text}: {self.stale}", cells), Role.WARNING),)


def header_line(title: str, more: Iterable[Span], age: DataAge | None, cells: int) -> Line:
    """A line with the title and `more` at the left, the age of the data at the right."""
    extra = tuple(more)
    gap = (Span("  "),) if extra else ()
    left = (Span("── ", Role.RULE), Span(title, Role.TITLE), *gap, *extra, Span(" "))
    right: tuple[Span, ...] = ()
    if age is not None:
        room = max(12, cells - spans_width(left) - 6)
        right = (Span(" "), *age.spans(room), Span(" ──", Role.RULE))
    return justify(left, right, cells, Span("─", Role.RULE))


def panel_lines(
    title: str, more: Iterable[Span], age: DataAge | None, body: Iterable[Line], cells: int
) -> tuple[Line, ...]:
    """All lines of a panel: header and body, which is dimmed when its data is stale."""
    lines = tuple(dim_line(line) for line in body) if age and age.stale else tuple(body)
    return (header_line(title, more, age, cells), *lines)
