"""The line that heads a panel: what it shows, and how old that is."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from watchdeck.console.lines.line import Line, Role, Span, cut, dimmed, justify, length
from watchdeck.console.lines.relative_time import ago


class DataAge(Struct, frozen=True):
    """When a panel's data was written, seen from `now`; `stale` says why it may not hold."""

    at: int | None
    now: int
    stale: str = ""

    def spans(self, cells: int) -> tuple[Span, ...]:
        """The age of the data in at most so many cells, and why it is not fresh."""
        text = ago(self.at, self.now)
        if not self.stale:
            return (Span(text, Role.MUTED),)
        return (Span(cut(f"{text}: {self.stale}", cells), Role.WARNING),)


def rule(title: str, more: Iterable[Span], fresh: DataAge | None, cells: int) -> Line:
    """A title and what belongs to it at the left, the age of the data at the right."""
    extra = tuple(more)
    gap = (Span("  "),) if extra else ()
    left = (Span("── ", Role.RULE), Span(title, Role.TITLE), *gap, *extra, Span(" "))
    right: tuple[Span, ...] = ()
    if fresh is not None:
        room = max(12, cells - length(left) - 6)
        right = (Span(" "), *fresh.spans(room), Span(" ──", Role.RULE))
    return justify(left, right, cells, Span("─", Role.RULE))


def headed(
    title: str,
    more: Iterable[Span],
    fresh: DataAge,
    body: Iterable[Line],
    cells: int,
) -> tuple[Line, ...]:
    """A whole panel: its rule, and its lines, dimmed when they may not hold any more."""
    lines = tuple(dimmed(one) for one in body) if fresh.stale else tuple(body)
    return (rule(title, more, fresh, cells), *lines)
