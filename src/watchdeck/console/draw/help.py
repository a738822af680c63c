"""The keys as a table: what the help screen shows."""

from __future__ import annotations

from watchdeck.console.draw.table import Column, Columns, Table
from watchdeck.console.draw.text import Role, Span

HelpRow = tuple[str, str, str]
"""The keys, what they do, and where."""


def _keys(row: HelpRow, _now: int) -> Span:
    return Span(row[0], Role.ACCENT)


def _words(row: HelpRow, _now: int) -> Span:
    return Span(row[1])


def _where(row: HelpRow, _now: int) -> Span:
    return Span(row[2], Role.MUTED)


COLUMNS: Columns[HelpRow] = (
    Column("keys", "key", 14, _keys),
    Column("words", "what it does", 30, _words, most=60),
    Column("where", "where", 10, _where, rank=1),
)


def table(rows: tuple[HelpRow, ...]) -> Table[HelpRow]:
    """The help as a table, one row a key."""
    return Table(COLUMNS, rows, tuple(row[1] for row in rows))
