"""Where exported rows go: CSV, JSON lines, or a SQLite file of plain rows."""

from __future__ import annotations

import csv
import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from msgspec import Struct

from watchdeck.domain.values.text import clean
from watchdeck.store.files.connection import faults

Cell = str | int | float | None
ExportRow = Sequence[Cell]
Sink = Callable[[Iterable[ExportRow]], object]
"""Takes rows, a block at a time."""


class ExportFormat(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSONL = "jsonl"
    SQLITE = "sqlite"


class ExportTable(Struct, frozen=True):
    """The name and columns of what is exported; a column's type is SQLite's word for it."""

    name: str
    columns: dict[str, str]


def csv_sink(table: ExportTable, file: TextIO) -> Sink:
    """Comma-separated values with a header; no data is an empty cell.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    writer = csv.writer(file)
    writer.writerow(table.columns)
    return lambda rows: writer.writerows(map(_csv_cell, row) for row in rows)


_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Signs, and their full-width twins, that begin a formula."""


def _csv_cell(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA) else cell
    return cell


def json_sink(table: ExportTable, file: TextIO) -> Sink:
    """One JSON object a line; no data is null, and infinities are words, as JSON has no number."""
    names = tuple(table.columns)

    def write(rows: Iterable[ExportRow]) -> None:
        for row in rows:
            cells = dict(zip(names, map(_json_cell, row), strict=True))
            file.write(json.dumps(cells, ensure_ascii=False, allow_nan=False) + "\n")

    return write


def _json_cell(cell: Cell) -> Cell:
    if isinstance(cell, float) and math.isinf(cell):
        return "Infinity" if cell > 0 else "-Infinity"
    return cell


@contextmanager
def sqlite_sink(table: ExportTable, path: Path) -> Iterator[Sink]:
    """A table of plain rows in an empty file, with an index by endpoint and time."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in table.columns.items())
    insert = f"insert into {table.name} values ({', '.join('?' * len(table.columns))})"
    with faults(path), closing(sqlite3.connect(path)) as db:
        # made beside its place, and thrown away whole on any failure
        db.execute("pragma journal_mode = off")
        db.execute("pragma synchronous = off")
        db.execute(f"create table {table.name} ({columns}) strict")
        yield lambda rows: db.executemany(insert, rows)
        db.execute(f"create index {table.name}_at on {table.name} (endpoint, at)")
        db.commit()


def words(text: str) -> str:
    """Text of the store as it may leave it, whatever was done to the file meanwhile."""
    return clean(text, 1 << 16)
