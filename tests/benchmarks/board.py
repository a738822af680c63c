"""How long a board of 200 models takes: `python tests/benchmarks/board.py [RUNS]` prints a table.

Each figure is the best and the median of the runs, on a store with an hour of scrapes.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from store.stores import NOW, judged, scrape, write
from watchdeck.domain.board.board import Health, HealthChange
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import prepare
from watchdeck.store.reader import Reader

MODELS = 200
SCRAPES = 360
CHANGES = 500
"""Health changes of each model: about a year of an unquiet one."""

REACH = 10.0
"""Milliseconds for a live board."""

HEAVY = ("numpy", "pandas", "scipy", "sqlite_utils", "httpx", "textual")

FIRST = """
import sys, time
from pathlib import Path
began = time.perf_counter()
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.reader import Reader
loaded = time.perf_counter()
board = Reader(StoreDirectory(Path(sys.argv[1]))).board(int(sys.argv[2]))
read = time.perf_counter()
assert len(board.models) == int(sys.argv[3])
print(1e3 * (loaded - began), 1e3 * (read - loaded), *(n for n in sys.argv[4:] if n in sys.modules))
"""


def build(directory: StoreDirectory) -> None:
    prepare(directory)
    names = [f"model-{number:03d}" for number in range(MODELS)]
    times = range(NOW - (SCRAPES - 1) * 10_000, NOW + 1, 10_000)
    for at in times:
        write(directory, names, [scrape(name, at) for name in names])
    healths = list(Health)
    judged(
        directory,
        *(
            HealthChange(name, NOW - step * 60_000, healths[step % 5], f"cause {step}", "why")
            for name in names
            for step in range(CHANGES)
        ),
    )


def timed(ask: Callable[[], object], runs: int) -> str:
    spent = []
    for _ in range(runs):
        began = time.perf_counter()
        ask()
        spent.append(1e3 * (time.perf_counter() - began))
    return f"{min(spent):9.3f} {statistics.median(spent):9.3f} ms"


def report(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = StoreDirectory(Path(folder) / "store")
        build(directory)
        print(f"{MODELS} models, {SCRAPES} scrapes and {CHANGES} health changes each, {runs} runs")
        print(f"{'':34} {'best':>9} {'median':>9}")
        with closing(Reader(directory)) as reader:
            questions: dict[str, Callable[[], object]] = {
                f"live board (to reach: {REACH:.0f} ms)": lambda: reader.board(NOW),
                "board of half an hour ago": lambda: reader.board(NOW, NOW - 1_800_000),
                "has anything changed?": reader.has_changed,
            }
            for words, ask in questions.items():
                print(f"{words:34} {timed(ask, runs)}")
        command = [sys.executable, "-c", FIRST, directory.path, NOW, MODELS, *HEAVY]
        done = subprocess.run([str(part) for part in command], capture_output=True, check=True)
        imports, first, *heavy = done.stdout.decode().split()
        print(
            f"a new process: imports {imports} ms, first board {first} ms; heavy: {heavy or 'none'}"
        )


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
