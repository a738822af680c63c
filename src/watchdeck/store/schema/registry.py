"""The schema of each database file: its numbered migration steps, and how one is applied."""

from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Connection, complete_statement

from msgspec import Struct

from watchdeck.errors import StoreError

MigrationStep = str | Callable[[Connection], None]
"""One version: an SQL script, or a function where SQL is not enough; never changed again."""


class Schema(Struct, frozen=True):
    """The schema of one database file; its version is the number of its migration steps."""

    name: str
    application: int
    """SQLite's application_id, which marks a file as one of a store."""
    steps: tuple[MigrationStep, ...]
    page_size: int = 4_096
    auto_vacuum: str = "NONE"

    @property
    def version(self) -> int:
        """The version of the schema: the only one that this program reads and writes."""
        return len(self.steps)


def apply_step(db: Connection, step: MigrationStep) -> None:
    """Apply one migration step inside the open transaction."""
    if isinstance(step, str):
        for statement in _split_statements(step):
            db.execute(statement)
    else:
        step(db)


def _split_statements(script: str) -> Iterator[str]:
    """Split a script into statements: `executescript` would commit the open transaction first.

    Raises ValueError when the script ends within a statement.
    """
    statement = ""
    for piece in script.split(";")[:-1]:
        statement += f"{piece};"
        if complete_statement(statement):
            yield statement
            statement = ""
    rest = f"{statement}{script.rpartition(';')[2]}".strip()
    if rest:
        raise ValueError(f"a step ends within a statement: {rest[:60]}")


def schema_of(path: Path) -> Schema:
    """The schema of metrics.db or state.db, by file name. Raises StoreError for any other name."""
    if path.name == "state.db":
        from watchdeck.store.schema import state

        return Schema("state", 0x77_64_73_74, state.MIGRATIONS)
    if path.name == "metrics.db":
        from watchdeck.store.schema import metrics

        return Schema("metrics", 0x77_64_6D_74, metrics.MIGRATIONS, 16_384, "INCREMENTAL")
    raise StoreError(f"{path.name} is not a file of a store; those are metrics.db and state.db.")
