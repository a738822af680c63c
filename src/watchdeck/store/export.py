"""Data out: any window of the store as rows that other programs read."""

from __future__ import annotations

import difflib
import math
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from watchdeck.domain.metrics.scrape import OUTCOMES
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, SIGNALS, columns
from watchdeck.errors import StoreError
from watchdeck.store.export_formats import (
    Cell,
    ExportFormat,
    ExportRow,
    ExportTable,
    Sink,
    csv_sink,
    json_sink,
    sqlite_sink,
)
from watchdeck.store.export_formats import words as safe
from watchdeck.store.files.directory import FILE_MODE, sync
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.metrics.scan import Block
from watchdeck.store.reader import Reader

_WHEN = {"at": "integer", "time": "text", "endpoint": "text"}
_SIGNAL_COLUMNS = columns(tuple(SIGNALS))

TABLES = {
    Stream.SIGNALS: ExportTable(
        "signal",
        _WHEN | {name: "text" if name == OUTCOME_COLUMN else "real" for name in _SIGNAL_COLUMNS},
    ),
    Stream.SERIES: ExportTable("series", _WHEN | {"series": "text", "value": "real"}),
}
"""What comes out: a row a scrape for signals, a row a value for series. `at` is in ms UTC."""


def export(
    reader: Reader,
    target: Path | TextIO,
    form: ExportFormat,
    endpoints: Sequence[str],
    start: int,
    end: int,
    stream: Stream,
) -> int:
    """Write what lies from `start` until before `end`; returns the number of rows.

    No endpoints means all. Memory stays bounded whatever the window. A file (0600) is there whole
    or not at all, and never overwritten; a SQLite file cannot go to a stream. Raises StoreError.
    """
    if start >= end:
        raise StoreError("the window is empty: its start must lie before its end.")
    names = _known(reader, endpoints)
    with _sink(target, form, TABLES[stream]) as sink:
        return sum(
            _written(sink, name, block, stream)
            for name in names
            for block in reader.blocks(name, stream, start, end)
        )


def _known(reader: Reader, wanted: Sequence[str]) -> tuple[str, ...]:
    names = reader.endpoints()
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."
            raise StoreError(f"the store has no endpoint {name!r}. {hint}")
    return tuple(wanted) or names


def _written(sink: Sink, endpoint: str, block: Block, stream: Stream) -> int:
    sink(_ROWS[stream](endpoint, block))
    return len(block.times) * (1 if stream is Stream.SIGNALS else len(block.columns))


def _signal_rows(endpoint: str, block: Block) -> Iterator[ExportRow]:
    places = [
        block.columns.index(name) if name in block.columns else None for name in _SIGNAL_COLUMNS
    ]
    for at, row in zip(block.times, block.values, strict=True):
        values = row.tolist()
        outcome, *cells = (None if place is None else _value(values[place]) for place in places)
        yield at, _iso(at), safe(endpoint), _outcome(outcome), *cells


def _series_rows(endpoint: str, block: Block) -> Iterator[ExportRow]:
    names = [safe(name) for name in block.columns]
    for at, row in zip(block.times, block.values, strict=True):
        when = (at, _iso(at), safe(endpoint))
        for name, value in zip(names, row.tolist(), strict=True):
            yield *when, name, _value(value)


_ROWS = {Stream.SIGNALS: _signal_rows, Stream.SERIES: _series_rows}


def _value(value: float) -> float | None:
    """No data is no value, never 0."""
    return None if math.isnan(value) else value


def _outcome(code: float | None) -> Cell:
    return OUTCOMES[int(code)].value if code is not None and 0 <= code < len(OUTCOMES) else None


def _iso(at: int) -> str:
    moment = datetime.fromtimestamp(at // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000:03}Z"


_TEXT_SINKS = {ExportFormat.CSV: csv_sink, ExportFormat.JSONL: json_sink}


@contextmanager
def _sink(target: Path | TextIO, form: ExportFormat, table: ExportTable) -> Iterator[Sink]:
    if isinstance(target, Path):
        with _new_file(target) as fresh, _file_sink(fresh, form, table) as sink:
            yield sink
    elif form in _TEXT_SINKS:
        yield _TEXT_SINKS[form](table, target)
    else:
        raise StoreError(f"a {form} export cannot go to a stream. Name a file for it.")


@contextmanager
def _file_sink(path: Path, form: ExportFormat, table: ExportTable) -> Iterator[Sink]:
    if form is ExportFormat.SQLITE:
        with sqlite_sink(table, path) as sink:
            yield sink
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield _TEXT_SINKS[form](table, file)


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """A file of our own beside `target`, which it becomes when the block ended well."""
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
