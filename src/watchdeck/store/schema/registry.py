"""The two files of a store as numbered steps, and how SQLite is to lay them out."""

from __future__ import annotations

from pathlib import Path

from watchdeck.errors import StoreError
from watchdeck.store.schema.step import Schema


def schema_of(path: Path) -> Schema:
    """The schema of a store's file, by its name."""
    if path.name == "state.db":
        from watchdeck.store.schema import state

        return Schema("state", 0x77_64_73_74, state.MIGRATIONS)
    if path.name == "metrics.db":
        from watchdeck.store.schema import metrics as metrics_schema

        return Schema("metrics", 0x77_64_6D_74, metrics_schema.MIGRATIONS, 16_384, "INCREMENTAL")
    raise StoreError(f"{path.name} is not a file of a store; those are metrics.db and state.db.")
