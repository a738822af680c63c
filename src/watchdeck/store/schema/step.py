"""Numbered steps of a file of the store, and how each is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from sqlite3 import Connection, complete_statement

from msgspec import Struct

MigrationStep = str | Callable[[Connection], None]
"""One version further: a script, or a function for what SQL cannot say. Never changed again."""


class Schema(Struct, frozen=True):
    """What a file is made of; its version is the number of its steps.

    `application` is SQLite's application_id, which tells a store from any other database.
    """

    name: str
    application: int
    steps: tuple[MigrationStep, ...]
    page_size: int = 4_096
    auto_vacuum: str = "NONE"

    @property
    def version(self) -> int:
        """The version that this program reads and writes."""
        return len(self.steps)


def take(db: Connection, step: MigrationStep) -> None:
    """Do one step inside the transaction that is open."""
    if isinstance(step, str):
        for statement in _statements(step):
            db.execute(statement)
    else:
        step(db)


def _statements(script: str) -> Iterator[str]:
    """The statements one by one: `executescript` would commit the open transaction first."""
    statement = ""
    for piece in script.split(";")[:-1]:
        statement += f"{piece};"
        if complete_statement(statement):
            yield statement
            statement = ""
    rest = f"{statement}{script.rpartition(';')[2]}".strip()
    if rest:
        raise ValueError(f"a step ends within a statement: {rest[:60]}")
