"""Tables: rows in aligned columns; the least important columns are left out when space is short."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.console.lines.line import Background, Line, Role, Span, fit, width, wrap
from watchdeck.console.lines.list_position import ListPosition

Row = TypeVar("Row")

MARGIN = 1
"""Cells before a row, for the cursor or the mark."""


_MEASURED_ROWS = 200
"""Rows whose cells are measured to set column widths: measuring thousands would be slow."""


class Column(Struct, Generic[Row], frozen=True):
    """One column of a table: heading, cells, width and sort key."""

    name: str
    head: str
    width: int
    cell: Callable[[Row, int], Span]
    """Makes the cell of a row, for the current time (ms UTC)."""
    right: bool = False
    """Whether cells are aligned right."""
    most: int = 0
    """The width up to which the column may grow; 0 when it may not."""
    rank: int = 0
    """Columns of the highest rank are left out first, those of rank 0 never."""
    by: Callable[[Row], Any] | None = None
    """Gives the sort key of a row, text or number, or None for a row without a value."""


Columns = tuple[Column[Row], ...]


class Table(Struct, Generic[Row], frozen=True):
    """A table: columns, rows in the order shown, marked rows, and the text for an empty one."""

    columns: Columns[Row]
    rows: tuple[Row, ...] = ()
    keys: tuple[str, ...] = ()
    """A name for each row that stays the same when the rows change order."""
    empty: str = ""
    """The text shown when there are no rows."""
    marked: frozenset[str] = frozenset()
    """Keys of the marked rows."""
    sorted_by: str = ""
    """Name of the column by which the rows are sorted."""
    rising: bool = False


def _needed_width(columns: Sequence[Column[Row]], gap: int) -> int:
    return sum(column.width for column in columns) + gap * (len(columns) - 1) + MARGIN


def fit_columns(
    columns: Columns[Row], cells: int, rows: Iterable[Row] = (), now: int = 0
) -> tuple[Columns[Row], int]:
    """The columns that fit in `cells`, widened for `rows`, and the gap (cells) between them."""
    fitting = list(columns)
    while _needed_width(fitting, 1) > cells and any(column.rank for column in fitting):
        fitting.remove(max(fitting, key=lambda column: column.rank))
    gap = 2 if _needed_width(fitting, 2) <= cells else 1
    wanted = [_wanted_width(column, rows, now) for column in fitting]
    return _stretch_columns(fitting, wanted, cells - _needed_width(fitting, gap)), gap


def _wanted_width(column: Column[Row], rows: Iterable[Row], now: int) -> int:
    if not column.most:
        return column.width
    longest = max((width(column.cell(row, now).text) for row in rows), default=0)
    return max(column.width, min(longest, column.most))


def _stretch_columns(
    columns: Sequence[Column[Row]], wanted: Sequence[int], spare: int
) -> Columns[Row]:
    """The columns widened by `spare` cells; when it is negative, the last ones are narrowed."""
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


def heading_line(columns: Columns[Row], gap: int, by: str = "", *, rising: bool = False) -> Line:
    """The heading of each column, with an arrow at the one by which rows are sorted."""
    arrow = "↑" if rising else "↓"
    heads = [f"{column.head}{arrow}" if column.name == by else column.head for column in columns]
    cells = [
        fit(head, column.width, right=column.right)
        for head, column in zip(heads, columns, strict=True)
    ]
    margin = " " * MARGIN
    return Line((Span(margin + (" " * gap).join(cells), Role.MUTED),))


def row_line(
    columns: Columns[Row],
    gap: int,
    item: Row,
    now: int,
    *,
    cursor: bool = False,
    marked: bool = False,
) -> Line:
    """One row; the row under the cursor starts with a bar, a marked row with a tick.

    The cursor's background ends after the name: changing it on two whole rows would cost 530
    bytes at each key press, and this costs less than half.
    """
    start = "✓" if marked else "▌" if cursor else " " * MARGIN
    background = Background.CURSOR if cursor else None
    spans = [Span(start, Role.ACCENT, background)]
    for place, column in enumerate(columns):
        span = column.cell(item, now)
        before = " " * gap if place else ""
        text = before + fit(span.text, column.width, right=column.right)
        spans.append(Span(text, span.role, background))
        if column.most:
            background = None
    return Line(tuple(spans))


def table_lines(
    table: Table[Row], position: ListPosition, now: int, cells: int, rows: int
) -> tuple[Line, ...]:
    """The heading and the rows in view, in at most `rows` lines.

    A table without rows gives no heading, but its text `empty` if it has one.
    """
    if not table.rows:
        return (Line(), *wrap(f" {table.empty}", cells, Role.MUTED)) if table.empty else ()
    columns, gap = fit_columns(table.columns, cells, table.rows[:_MEASURED_ROWS], now)
    shown = range(position.top, min(len(table.rows), position.top + rows - 1))
    return (
        heading_line(columns, gap, table.sorted_by, rising=table.rising),
        *(
            row_line(
                columns,
                gap,
                table.rows[i],
                now,
                cursor=i == position.index,
                marked=table.keys[i] in table.marked,
            )
            for i in shown
        ),
    )


def row_range(table: Table[Row], position: ListPosition, rows: int) -> str:
    """The number of rows, or the range in view when not all are: `8`, `21-40 of 200`."""
    count = len(table.rows)
    if count <= rows - 1:
        return str(count)
    return f"{position.top + 1}-{min(count, position.top + rows - 1)} of {count}"
