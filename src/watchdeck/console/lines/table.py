"""Tables: columns that give way when there is little room, and rows that line up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.console.lines.line import Background, Line, Role, Span, fit, width, wrap
from watchdeck.console.lines.list_position import ListPosition

Row = TypeVar("Row")

MARGIN = 1
"""The cells before a row, where the cursor shows."""


class Column(Struct, Generic[Row], frozen=True):
    """One column: its head, its cells, and how it behaves when room is short or plenty.

    `cell` makes a row's span at the moment `now`. The column may grow to `most` cells (0: it does
    not); the one with the highest `rank` is left out first, and rank 0 never is. Rows can be
    sorted by what `by` gives, texts or numbers; None of a row is no value.
    """

    name: str
    head: str
    width: int
    cell: Callable[[Row, int], Span]
    right: bool = False
    most: int = 0
    rank: int = 0
    by: Callable[[Row], Any] | None = None


Columns = tuple[Column[Row], ...]


class Table(Struct, Generic[Row], frozen=True):
    """Columns, and rows in their order, each with a name that stays when they move."""

    columns: Columns[Row]
    rows: tuple[Row, ...] = ()
    keys: tuple[str, ...] = ()
    empty: str = ""
    marked: frozenset[str] = frozenset()
    sorted_by: str = ""
    rising: bool = False


def _needed(columns: Sequence[Column[Row]], gap: int) -> int:
    return sum(column.width for column in columns) + gap * (len(columns) - 1) + MARGIN


def fitted(
    columns: Columns[Row], cells: int, rows: Iterable[Row] = (), now: int = 0
) -> tuple[Columns[Row], int]:
    """The columns that have room in so many cells, as wide as `rows` want, and their gap."""
    kept = list(columns)
    while _needed(kept, 1) > cells and any(column.rank for column in kept):
        kept.remove(max(kept, key=lambda column: column.rank))
    gap = 2 if _needed(kept, 2) <= cells else 1
    wanted = [_wanted(column, rows, now) for column in kept]
    return _stretched(kept, wanted, cells - _needed(kept, gap)), gap


def _wanted(column: Column[Row], rows: Iterable[Row], now: int) -> int:
    if not column.most:
        return column.width
    longest = max((width(column.cell(row, now).text) for row in rows), default=0)
    return max(column.width, min(longest, column.most))


def _stretched(columns: Sequence[Column[Row]], wanted: Sequence[int], spare: int) -> Columns[Row]:
    """The columns at their wanted width as far as `spare` goes; what lacks is taken at the end."""
    widths = [column.width for column in columns]
    for place, want in enumerate(wanted):
        more = max(0, min(spare, want - widths[place]))
        widths[place] += more
        spare -= more
    for place in reversed(range(len(columns))):
        if columns[place].most and spare < 0:
            less = min(-spare, widths[place] - 1)
            widths[place] -= less
            spare += less
    return tuple(replace(c, width=w) for c, w in zip(columns, widths, strict=True))


def heading(columns: Columns[Row], gap: int, by: str = "", *, rising: bool = False) -> Line:
    """The line of heads; the one that rows are sorted by has an arrow."""
    arrow = "↑" if rising else "↓"
    heads = [f"{column.head}{arrow}" if column.name == by else column.head for column in columns]
    cells = [
        fit(head, column.width, right=column.right)
        for head, column in zip(heads, columns, strict=True)
    ]
    margin = " " * MARGIN
    return Line((Span(margin + (" " * gap).join(cells), Role.MUTED),))


def row(
    columns: Columns[Row],
    gap: int,
    item: Row,
    now: int,
    *,
    cursor: bool = False,
    marked: bool = False,
) -> Line:
    """One row; the cursor's starts with a bar, a marked one with a tick.

    As far as its name, the cursor's row lies on its own ground: to lay two whole rows on another
    ground costs 530 bytes a key, and this less than half of it.
    """
    start = "✓" if marked else "▌" if cursor else " " * MARGIN
    ground = Background.CURSOR if cursor else None
    spans = [Span(start, Role.ACCENT, ground)]
    for place, column in enumerate(columns):
        span = column.cell(item, now)
        before = " " * gap if place else ""
        text = before + fit(span.text, column.width, right=column.right)
        spans.append(Span(text, span.role, ground))
        if column.most:
            ground = None
    return Line(tuple(spans))


def body(
    table: Table[Row], place: ListPosition, now: int, cells: int, rows: int
) -> tuple[Line, ...]:
    """The heads and the rows in view, in at most `rows` lines; or why there are none."""
    if not table.rows:
        return (Line(), *wrap(f" {table.empty}", cells, Role.MUTED)) if table.empty else ()
    columns, gap = fitted(table.columns, cells, table.rows[:_MEASURED], now)
    shown = range(place.top, min(len(table.rows), place.top + rows - 1))
    return (
        heading(columns, gap, table.sorted_by, rising=table.rising),
        *(
            row(
                columns,
                gap,
                table.rows[i],
                now,
                cursor=i == place.index,
                marked=table.keys[i] in table.marked,
            )
            for i in shown
        ),
    )


_MEASURED = 200
"""Rows whose cells tell how wide columns want to be: of thousands, all would take too long."""


def extent(table: Table[Row], place: ListPosition, rows: int) -> str:
    """How many rows there are, and which of them are in view: `8`, `21-40 of 200`."""
    count = len(table.rows)
    if count <= rows - 1:
        return str(count)
    return f"{place.top + 1}-{min(count, place.top + rows - 1)} of {count}"
