"""Data out: what other programs read, and what a spreadsheet must not do."""

import csv
import io
import json
import math
import os
import sqlite3
import stat
import tracemalloc
from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from store.stores import NAMES, NOW, scrape, whole, write
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Frame, Outcome, Scrape
from watchdeck.domain.metrics.series import Layout, Series
from watchdeck.errors import StoreCorrupt, StoreError
from watchdeck.store.export import TABLES, ExportFormat, export
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.migrations import prepare
from watchdeck.store.reader import Reader

HOSTILE = "=cmd|' /C calc'!A0"
START, END = NOW - 20_000, NOW


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    return whole(tmp_path / "store")


@pytest.fixture
def reader(directory: StoreDirectory) -> Iterator[Reader]:
    with closing(Reader(directory)) as opened:
        yield opened


def with_series(one: Scrape, **values: float) -> Scrape:
    layout = Layout(tuple(Series(name, (("a", '"q", x'),)) for name in values))
    return replace(one, series=Frame(layout, array("d", values.values())))


def as_csv(reader: Reader, stream: Stream = Stream.SIGNALS, *names: str) -> list[dict[str, str]]:
    file = io.StringIO()
    count = export(reader, file, ExportFormat.CSV, names, START, END, stream)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert len(rows) == count
    return rows


def as_json(reader: Reader, stream: Stream, *names: str) -> list[dict[str, object]]:
    file = io.StringIO()
    export(reader, file, ExportFormat.JSONL, names, START, END, stream)
    return [json.loads(line, parse_constant=pytest.fail) for line in file.getvalue().splitlines()]


def test_signals_are_a_row_a_scrape_and_no_data_is_an_empty_cell(reader: Reader) -> None:
    rows = as_csv(reader)
    assert [(row["endpoint"], int(row["at"])) for row in rows] == [
        (name, at) for name in NAMES for at in (NOW - 20_000, NOW - 10_000)
    ]
    first = rows[0]
    assert first["time"] == "2026-11-23T04:59:40.000Z"
    assert (first["outcome"], first["up"], first["latency_p95"]) == ("ok", "1.0", "0.2")
    assert (first["error_ratio"], first["gpu_utilization"]) == ("", "")
    assert list(first) == list(TABLES[Stream.SIGNALS].columns)


def test_only_the_endpoints_that_were_named_come_out(reader: Reader) -> None:
    assert {row["endpoint"] for row in as_csv(reader, Stream.SIGNALS, "fraud")} == {"fraud"}


def test_an_unknown_endpoint_is_answered_with_the_nearest(reader: Reader, tmp_path: Path) -> None:
    for name, hint in (("fruad", "Did you mean 'fraud'"), ("zzz", "There are: churn, fraud")):
        with pytest.raises(StoreError, match=hint):
            export(reader, tmp_path / "out", ExportFormat.CSV, [name], START, END, Stream.SIGNALS)
    assert not (tmp_path / "out").exists()


def test_an_endpoint_that_never_was_has_no_frames(reader: Reader) -> None:
    assert list(reader.blocks("zzz", Stream.SIGNALS, START, END)) == []


def test_a_window_without_length_is_refused(reader: Reader) -> None:
    with pytest.raises(StoreError, match="start must lie before its end"):
        export(reader, io.StringIO(), ExportFormat.CSV, [], END, END, Stream.SIGNALS)


def test_series_are_a_row_a_value(directory: StoreDirectory, reader: Reader) -> None:
    one = with_series(scrape("fraud", START), hits=3.0, gone=math.nan, full=math.inf)
    write(directory, NAMES, [one])
    rows = as_csv(reader, Stream.SERIES)
    assert [(row["series"], row["value"]) for row in rows] == [
        ('hits{a="\\"q\\", x"}', "3.0"),
        ('gone{a="\\"q\\", x"}', ""),
        ('full{a="\\"q\\", x"}', "inf"),
    ]
    values = [row["value"] for row in as_json(reader, Stream.SERIES)]
    assert values == [3.0, None, "Infinity"]


def test_layouts_that_change_within_the_window_come_out_in_order(
    directory: StoreDirectory, reader: Reader
) -> None:
    times = range(START, START + 6)
    pages = [
        with_series(scrape("fraud", at), **({"a": at} if at % 2 else {"b": at})) for at in times
    ]
    write(directory, NAMES, pages)
    rows = as_csv(reader, Stream.SERIES)
    assert [int(row["at"]) for row in rows] == list(times)
    assert [float(row["value"]) for row in rows] == list(times)


def test_a_retired_endpoint_still_comes_out(directory: StoreDirectory, reader: Reader) -> None:
    write(directory, ["churn"], [])
    assert {row["endpoint"] for row in as_csv(reader)} == set(NAMES)


def test_a_failed_scrape_says_how_it_failed(directory: StoreDirectory, reader: Reader) -> None:
    failed = scrape("fraud", START + 5)
    failed.signals.values[0] = OUTCOME_CODES[Outcome.TIMED_OUT]
    write(directory, NAMES, [failed])
    outcomes = [row["outcome"] for row in as_csv(reader, Stream.SIGNALS, "fraud")]
    assert outcomes == ["ok", "timed_out", "ok"]


@pytest.mark.parametrize(
    "name", [HOSTILE, "+1", "-1", "@SUM(A1)", "\uff1d1"], ids=["=", "+", "-", "@", "full width ="]
)
def test_a_name_that_a_spreadsheet_would_run_is_guarded(tmp_path: Path, name: str) -> None:
    directory = StoreDirectory(tmp_path)
    prepare(directory)
    write(directory, [name], [scrape(name, START)])
    with closing(Reader(directory)) as reader:
        assert as_csv(reader)[0]["endpoint"] == f"'{name}"
        assert as_json(reader, Stream.SIGNALS)[0]["endpoint"] == name


def test_a_name_that_a_terminal_would_obey_is_made_visible(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    prepare(directory)
    name = "a\x1b]52;c;eA==\x07\r\nb"
    write(directory, [name], [scrape(name, START)])
    with closing(Reader(directory)) as reader:
        assert as_csv(reader)[0]["endpoint"] == "a^[]52;c;eA==^G^M^Jb"


def test_a_sqlite_file_holds_plain_rows(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "out.db"
    assert export(reader, path, ExportFormat.SQLITE, ["fraud"], START, END, Stream.SIGNALS) == 2
    with closing(sqlite3.connect(path)) as db:
        asked = "select at, time, endpoint, outcome, latency_p95, error_ratio from signal"
        rows = db.execute(f"{asked} order by at").fetchall()
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    assert rows[0] == (START, "2026-11-23T04:59:40.000Z", "fraud", "ok", 0.2, None)


@pytest.mark.parametrize("form", list(ExportFormat))
def test_a_file_is_for_its_owner_and_never_overwrites(
    reader: Reader, tmp_path: Path, form: ExportFormat
) -> None:
    path = tmp_path / "out"
    before = os.umask(0)
    try:
        export(reader, path, form, [], START, END, Stream.SIGNALS)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    with pytest.raises(StoreError, match="not overwritten"):
        export(reader, path, form, [], START, END, Stream.SIGNALS)
    assert path.read_bytes() == content


@pytest.mark.parametrize("form", list(ExportFormat))
def test_an_export_that_fails_half_way_leaves_no_file(
    directory: StoreDirectory, reader: Reader, tmp_path: Path, form: ExportFormat
) -> None:
    with closing(sqlite3.connect(directory.metrics)) as db:
        db.execute("update frame set v = x'00' where k = (select max(k) from frame)")
        db.commit()
    with pytest.raises(StoreCorrupt):
        export(reader, tmp_path / "out", form, [], START, END + 1, Stream.SIGNALS)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_place_that_is_not_there_is_named(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        export(reader, tmp_path / "no" / "out", ExportFormat.CSV, [], START, END, Stream.SIGNALS)


def test_a_sqlite_file_cannot_go_to_a_stream(reader: Reader) -> None:
    with pytest.raises(StoreError, match="Name a file"):
        export(reader, io.StringIO(), ExportFormat.SQLITE, [], START, END, Stream.SIGNALS)


class Counting(io.StringIO):
    """A stream that remembers only how much came."""

    size = 0

    def write(self, text: str) -> int:
        self.size += len(text)
        return len(text)


def test_memory_stays_bounded_while_much_more_is_written(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    prepare(directory)
    names = {f"series_{number}": float(number) for number in range(100)}
    hours = [with_series(scrape("fraud", START + n * 36_000), **names) for n in range(900)]
    write(directory, ["fraud"], hours)
    stream = Counting()
    with closing(Reader(directory)) as reader:
        tracemalloc.start()
        export(reader, stream, ExportFormat.JSONL, [], START, START + 900 * 36_000, Stream.SERIES)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert stream.size > 8_000_000
    assert peak < 2_000_000
