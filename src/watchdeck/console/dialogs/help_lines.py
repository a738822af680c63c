"""The table of keys on the help screen."""

from __future__ import annotations

from watchdeck.console.input.keys import Key, display
from watchdeck.console.lines.line import Role, Span
from watchdeck.console.lines.table import Column, Columns, Table

KEY_COLUMNS: Columns[Key] = (
    Column("keys", "key", 14, lambda key, _now: Span(display(key), Role.ACCENT)),
    Column("words", "what it does", 30, lambda key, _now: Span(key.words), most=60),
    Column("where", "where", 10, lambda key, _now: Span(key.where, Role.MUTED), most=20, rank=1),
    Column("id", "id", 15, lambda key, _now: Span(key.id, Role.MUTED), most=20, rank=2),
)
"""The columns of the help; `id` is the name of a binding in the configuration."""


def key_table(keys: tuple[Key, ...]) -> Table[Key]:
    """The table of the help: one row for each binding."""
    return Table(KEY_COLUMNS, keys, tuple(key.id for key in keys))
