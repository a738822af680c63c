"""Export: scrapes of the store as rows of CSV, JSON lines or a SQLite file."""

import csv
import difflib
import json
import math
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from msgspec import Struct

from watchdeck.domain.metrics.scrape import OUTCOMES
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, SIGNALS, frame_columns
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreError
from watchdeck.store.files.connection import store_errors
from watchdeck.store.files.directory import FILE_MODE, sync
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.metrics.raw import Block
from watchdeck.store.reader import Reader

Cell = str | int | float | None
ExportRow = Sequence[Cell]
Sink = Callable[[Iterable[ExportRow]], object]
"""A function that writes a block of rows."""


class ExportFormat(StrEnum):
    """The file format of an export."""

    CSV = "csv"
    JSONL = "jsonl"
    SQLITE = "sqlite"


class ExportTable(Struct, frozen=True):
    """The name and columns of an exported table, with the SQLite type of each column."""

    name: str
    columns: dict[str, str]


def csv_sink(table: ExportTable, file: TextIO) -> Sink:
    """Write a CSV header to `file`, and return a function that writes rows to it.

    An absent value is an empty cell. A text that a spreadsheet would run as a formula gets an
    apostrophe in front.
    """
    writer = csv.writer(file)
    writer.writerow(table.columns)
    return lambda rows: writer.writerows(map(_csv_cell, row) for row in rows)


_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters that begin a formula, and their full-width forms."""


def _csv_cell(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA) else cell
    return cell


def json_sink(table: ExportTable, file: TextIO) -> Sink:
    """Return a function that writes each row to `file` as a JSON object on a line.

    An absent value is null, and infinities are strings.
    """
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
    """Give the block a function that writes rows to a table in a new SQLite file.

    At the end an index by endpoint and time is added.
    """
    columns = ", ".join(f'"{name}" {kind}' for name, kind in table.columns.items())
    insert = f"insert into {table.name} values ({', '.join('?' * len(table.columns))})"
    with store_errors(path), closing(sqlite3.connect(path)) as db:
        # a new file, deleted on any failure: it needs no journal
        db.execute("pragma journal_mode = off")
        db.execute("pragma synchronous = off")
        db.execute(f"create table {table.name} ({columns}) strict")
        yield lambda rows: db.executemany(insert, rows)
        db.execute(f"create index {table.name}_at on {table.name} (endpoint, at)")
        db.commit()


_MAX_TEXT = 1 << 16
"""Characters of a text; the file may have been changed by another program."""

_WHEN = {"at": "integer", "time": "text", "endpoint": "text"}


_SIGNAL_COLUMNS = frame_columns(tuple(SIGNALS))


TABLES = {
    Stream.SIGNALS: ExportTable(
        "signal",
        _WHEN | {name: "text" if name == OUTCOME_COLUMN else "real" for name in _SIGNAL_COLUMNS},
    ),
    Stream.SERIES: ExportTable("series", _WHEN | {"series": "text", "value": "real"}),
}
"""Signals have one row for each scrape, series one for each value. `at` is in ms UTC."""


def export(
    reader: Reader,
    target: Path | TextIO,
    form: ExportFormat,
    endpoints: Sequence[str],
    start: int,
    end: int,
    stream: Stream,
) -> int:
    """Write all scrapes from `start` until before `end` (ms UTC); returns the number of rows.

    Without `endpoints`, those of all are written. Memory use does not grow with the window. A file
    (0600) appears only when complete; an existing one is never overwritten. Raises StoreError, also
    when SQLite is asked for on a stream.
    """
    if start >= end:
        raise StoreError("the window is empty: its start must lie before its end.")
    names = _check_names(reader, endpoints)
    with _open_sink(target, form, TABLES[stream]) as sink:
        return sum(
            _write_block(sink, name, block, stream)
            for name in names
            for block in reader.blocks(name, stream, start, end)
        )


def _check_names(reader: Reader, wanted: Sequence[str]) -> tuple[str, ...]:
    names = reader.endpoints()
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."
            raise StoreError(f"the store has no endpoint {name!r}. {hint}")
    return tuple(wanted) or names


def _write_block(sink: Sink, endpoint: str, block: Block, stream: Stream) -> int:
    sink(_ROWS[stream](endpoint, block))
    return len(block.times) * (1 if stream is Stream.SIGNALS else len(block.columns))


def _signal_rows(endpoint: str, block: Block) -> Iterator[ExportRow]:
    columns = block.columns
    places = [columns.index(name) if name in columns else None for name in _SIGNAL_COLUMNS]
    for at, row in zip(block.times, block.values, strict=True):
        values = row.tolist()
        outcome, *cells = (None if place is None else _value(values[place]) for place in places)
        yield at, _iso_time(at), clean(endpoint, _MAX_TEXT), _outcome_name(outcome), *cells


def _series_rows(endpoint: str, block: Block) -> Iterator[ExportRow]:
    names = [clean(name, _MAX_TEXT) for name in block.columns]
    for at, row in zip(block.times, block.values, strict=True):
        when = (at, _iso_time(at), clean(endpoint, _MAX_TEXT))
        for name, value in zip(names, row.tolist(), strict=True):
            yield *when, name, _value(value)


_ROWS = {Stream.SIGNALS: _signal_rows, Stream.SERIES: _series_rows}


def _value(value: float) -> float | None:
    """The value, or None for NaN, which means that there is no value: never 0."""
    return None if math.isnan(value) else value


def _outcome_name(code: float | None) -> Cell:
    return OUTCOMES[int(code)].value if code is not None and 0 <= code < len(OUTCOMES) else None


def _iso_time(at: int) -> str:
    moment = datetime.fromtimestamp(at // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000:03}Z"


_TEXT_SINKS = {ExportFormat.CSV: csv_sink, ExportFormat.JSONL: json_sink}


@contextmanager
def _open_sink(target: Path | TextIO, form: ExportFormat, table: ExportTable) -> Iterator[Sink]:
    if isinstance(target, Path):
        with _create_file(target) as fresh, _open_file_sink(fresh, form, table) as sink:
            yield sink
    elif form in _TEXT_SINKS:
        yield _TEXT_SINKS[form](table, target)
    else:
        raise StoreError(f"a {form} export cannot go to a stream. Name a file for it.")


@contextmanager
def _open_file_sink(path: Path, form: ExportFormat, table: ExportTable) -> Iterator[Sink]:
    if form is ExportFormat.SQLITE:
        with sqlite_sink(table, path) as sink:
            yield sink
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield _TEXT_SINKS[form](table, file)


@contextmanager
def _create_file(target: Path) -> Iterator[Path]:
    """Create a temporary file beside `target`; it becomes `target` when the block succeeds."""
    if os.path.lexists(target):
        raise StoreError(f"{target} exists already, and is not overwritten. Name another file.")
    fresh = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, FILE_MODE))
        yield fresh
        sync(fresh)
        fresh.rename(target)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()
