"""The keys as a table: what the help screen shows."""

from __future__ import annotations

from watchdeck.console.input.keys import Key, display
from watchdeck.console.lines.line import Role, Span
from watchdeck.console.lines.table import Column, Columns, Table

COLUMNS: Columns[Key] = (
    Column("keys", "key", 14, lambda key, _now: Span(display(key), Role.ACCENT)),
    Column("words", "what it does", 30, lambda key, _now: Span(key.words), most=60),
    Column("where", "where", 10, lambda key, _now: Span(key.where, Role.MUTED), most=20, rank=1),
    Column("id", "id", 15, lambda key, _now: Span(key.id, Role.MUTED), most=20, rank=2),
)
"""The columns of the help; the id is what a configuration calls a binding."""


def table(keys: tuple[Key, ...]) -> Table[Key]:
    """The help as a table, one row a binding."""
    return Table(COLUMNS, keys, tuple(key.id for key in keys))
