"""What a damaged or hostile store holds: blobs, JSON columns, the audit; and the mount table."""

import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.growth_cases.case import MIB, Case, Make, cases, number, repeat, uncached
from store.stores import act, state_only
from watchdeck.store.files.connection import corruption_as_error, open_writable
from watchdeck.store.files.filesystem import filesystem_type
from watchdeck.store.metrics import latest
from watchdeck.store.metrics.codec import decode_column, encode_blob, encode_column, load_blob
from watchdeck.store.metrics.frames import LayoutTable
from watchdeck.store.presence import read_presence
from watchdeck.store.state.audit import read_entries, verify

NOW = 1_767_571_200_000


def blob_cases() -> Iterator[Case]:
    columns: dict[str, Make] = {
        "zeros, compressed": lambda n: b"\x02" + zlib.compress(bytes(n * 100)),
        "integers of zeros": lambda n: _scaled(8) + zlib.compress(bytes(n * 100)),
        "no deflate": repeat(b"\xff", b"\x02"),
        "an unknown width": lambda n: _scaled(3) + zlib.compress(bytes(n)),
    }
    yield from cases("column of ten values", lambda blob: decode_column(blob, 10), columns, MIB)
    values: dict[str, Make] = {
        "constant": lambda n: (encode_column(np.ones(n)), n),
        "noise": lambda n: (encode_column(np.random.default_rng(1).normal(size=n)), n),
        "steps": lambda n: (encode_column(np.arange(n, dtype=float)), n),
    }
    yield from cases("column of n values", lambda it: decode_column(*it), values, MIB)
    blobs: dict[str, Make] = {"many columns": _blob}
    yield from cases("segment", lambda it: load_blob(*it).matrix(), blobs, 20_000)


def _scaled(width: int) -> bytes:
    return struct.pack("<BBBBq", 1, 0, width, 1, 0)


def _blob(n: int) -> tuple[bytes, int, int]:
    times = np.arange(NOW, NOW + 10, dtype=np.int64)
    return encode_blob(times, np.ones((10, n))), n, 10


def json_cases() -> Iterator[Case]:
    facts: dict[str, Make] = {
        "many labels": number('"l{}":"x",', "{", '"a":1}'),
        "opening brackets": repeat("["),
        "escapes": repeat("\\\\", '"', '"'),
    }
    yield from cases("stored facts", _read_facts, facts)
    layouts: dict[str, Make] = {
        "many columns": number('"a{}",', "[", '"a"]'),
        "equal columns": repeat('"a",', "[", '"a"]'),
        "opening brackets": repeat("["),
    }
    yield from cases("stored layout", _read_layout, layouts)


def _read_facts(text: str) -> object:
    with corruption_as_error(Path("metrics.db")):
        return uncached(latest._parse_facts)(text)


def _read_layout(text: str) -> object:
    with corruption_as_error(Path("metrics.db")), closing(sqlite3.connect(":memory:")) as db:
        db.execute("create table layout (id integer primary key, columns text, cumulative blob)")
        db.execute("insert into layout values (1, :columns, x'')", {"columns": text})
        table = LayoutTable(db)
        return table.positions(1)


def audit_cases() -> Iterator[Case]:
    rows: dict[str, Make] = {"many rows": _audit}
    yield from cases("audit chain", verify, rows)
    yield from cases("audit rows", lambda db: read_entries(db, 1, 1 << 40), rows)


def _audit(n: int) -> sqlite3.Connection:
    folder = Path(tempfile.mkdtemp(dir=_folder().name))
    db = open_writable(state_only(folder).state)
    act(db, n)
    return db


def file_cases() -> Iterator[Case]:
    mounts = {
        "many mounts": repeat("1 1 0:1 / /a rw - ext4 /dev/a rw\n"),
        "blanks": repeat(" ", "1 1 0:1 / /a rw - ext4 ", "\n"),
        "escapes": repeat("\\040", "1 1 0:1 / /", " rw - ext4 /dev/a rw\n"),
    }
    shapes: dict[str, Make] = {shape: _mounts(make) for shape, make in mounts.items()}
    yield from cases("mount table", lambda path: filesystem_type(path, path), shapes)
    presence = {
        "many files": lambda n: _presence(b'{"who": "a", "view": "b", "since": 1, "at": 1}', n),
        "long files": lambda n: _presence(b"[" * n, 60),
    }
    yield from cases("presence", lambda folder: read_presence(folder, 1), presence, 1_024)


def _mounts(make: Make) -> Make:
    def write(n: int) -> Path:
        path = Path(_folder().name) / "mountinfo"
        path.write_text(make(n))
        return path

    return write


def _presence(content: bytes, files: int) -> Path:
    folder = Path(tempfile.mkdtemp(dir=_folder().name))
    for place in range(files):
        (folder / f"{place}.json").write_bytes(content)
    return folder


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def all_cases() -> Iterator[Case]:
    yield from blob_cases()
    yield from json_cases()
    yield from audit_cases()
    yield from file_cases()
