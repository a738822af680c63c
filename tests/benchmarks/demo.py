"""How long the demo takes to begin: `python tests/benchmarks/demo.py [RUNS]` prints a table.

The figures are the median and the best of the runs, each on a store of its own.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from watchdeck.cli.options import now, operator
from watchdeck.demo.history.backfill import backfill
from watchdeck.demo.run import run_demo
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.reader import Reader

REACH = 5.0
"""Seconds for the back-fill."""

_KEPT = """
select stream, sum(count), sum(length(b)), count(*) from segment group by stream order by stream
"""
_ROLLED = "select sum(length(b)) from rollup"


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds until the store was full, and until the board of a whole demo was live."""

    filled: float
    board: float


def run(place: Path) -> Run:
    began = time.perf_counter()
    backfill(StoreDirectory(place / "alone"), operator(), 1, now())
    filled = time.perf_counter() - began
    began = time.perf_counter()
    with run_demo(place / "whole", 1, operator(), now) as made:
        start = now()
        with closing(Reader(made.directory)) as reader:
            while not all(m.latest and m.latest.at > start for m in reader.board(now()).models):
                time.sleep(0.02)
        return Run(filled, time.perf_counter() - began)


def kept(directory: StoreDirectory) -> None:
    with closing(open_readonly(directory.metrics)) as db:
        for stream, scrapes, size, segments in db.execute(_KEPT).fetchall():
            name = ("series", "signals")[stream]
            print(f"{name:<28} {scrapes:>10,} scrapes in {segments} segments, {size:,} bytes")
        ((size,),) = db.execute(_ROLLED).fetchall()
        print(f"{'rollups':<28} {size:>10,} bytes")
    print(f"{'the file':<28} {directory.metrics.stat().st_size:>10,} bytes")


def main(runs: int = 5) -> None:
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as place:
            found.append(run(Path(place)))
            if len(found) == runs:
                kept(StoreDirectory(Path(place) / "alone"))
    for name, seconds, reach in (
        ("back-fill of twelve weeks", [one.filled for one in found], f"{REACH:.0f} s"),
        ("until a live board", [one.board for one in found], ""),
    ):
        print(
            f"{name:<28} {statistics.median(seconds):>8.2f} s  best {min(seconds):.2f} s  {reach}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
