"""How fast the console starts on a store of 200 models, and how much memory it takes.

`python tests/benchmarks/start.py [RUNS]` prints a table. Times begin before the interpreter does.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from console.terminal import Terminal
from watchdeck import __version__
from watchdeck.domain.board import Facts, Heartbeat
from watchdeck.domain.endpoint import Retention
from watchdeck.domain.scrape import OUTCOME_CODES, Frame, ModelState, Outcome, Scrape
from watchdeck.domain.signal import OUTCOME_COLUMN, signal_layout
from watchdeck.engine.evaluate import Engine
from watchdeck.store.connect import reading, writing
from watchdeck.store.directory import StoreDirectory
from watchdeck.store.migrations import prepare
from watchdeck.store.writer import Writer

MODELS = 200
SCRAPES = 60
"""Ten minutes of history for each model."""

EVERY = 10_000
SIGNALS = (
    "request_rate", "error_ratio", "latency_p50", "latency_p95", "latency_p99", "latency_mean",
    "in_flight", "saturation", "memory_bytes",
)  # fmt: skip

CHILD = """
import sys, time
from pathlib import Path
from watchdeck.store.directory import StoreDirectory
from watchdeck.console.run import run
sys.exit(run(StoreDirectory(Path(sys.argv[1])), clock=lambda: time.time_ns() // 1_000_000))
"""

FIRST_FRAME, RSS = 0.45, 80.0
"""What to reach: seconds to the first frame, MB of resident memory."""


def now() -> int:
    return time.time_ns() // 1_000_000


def build(directory: StoreDirectory) -> None:
    """A store as a collector leaves it."""
    directory.create()
    prepare(directory)
    writer = Writer(directory, Retention(), clock=now, capacity=MODELS * SCRAPES)
    writer.start()
    names = [f"model-{index:03d}" for index in range(MODELS)]
    writer.register([Facts(name, f"http://10.0.0.1:8080/{name}", EVERY) for name in names])
    end = now()
    for step in range(SCRAPES):
        for scrape in scrapes(names, end - (SCRAPES - 1 - step) * EVERY, step):
            writer.submit(scrape)
    beat = Heartbeat(1, __version__, end - SCRAPES * EVERY, end, endpoints=MODELS)
    writer.beat(beat)
    writer.close()
    Engine(reading(directory.metrics), writing(directory.state)).evaluate(end)


def scrapes(names: list[str], at: int, step: int) -> Iterator[Scrape]:
    layout = signal_layout(SIGNALS)
    columns = [series.name for series in layout.series]
    for index, name in enumerate(names):
        values = array("d", (0.02 + 0.001 * ((index + step) % 7) for _ in columns))
        values[columns.index(OUTCOME_COLUMN)] = OUTCOME_CODES[Outcome.OK]
        frame = Frame(layout, values)
        ready = ModelState.READY
        yield Scrape(name, at, 0.01, Outcome.OK, frame, kind="mlserver", model_state=ready)


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds to the frame and to the board in it, its bytes, and MB of memory."""

    frame: float
    board: float
    sent: int
    rss: float
    rss_after_chart: float


def start(path: Path, cells: int, rows: int) -> Start:
    began = time.perf_counter()
    terminal = Terminal("-c", CHILD, str(path), cells=cells, rows=rows)
    try:
        terminal.wait_for(b"collector")
        frame = time.perf_counter() - began
        terminal.wait_for(b"model-000")
        board = time.perf_counter() - began
        terminal.read(0.5)
        sent, before = len(terminal.output), resident(terminal.pid)
        terminal.ask(b"\r", b"UTC")
        terminal.read(1.0)
        after = resident(terminal.pid)
        terminal.type(b"Q")
        terminal.ended()
    finally:
        terminal.close()
    return Start(frame, board, sent, before, after)


def resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1_024


def report(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = StoreDirectory(Path(folder) / "store")
        build(directory)
        print(f"console on a store of {MODELS} models, {runs} starts, best / median")
        print(
            f"{'':8} {'first frame':>15} {'with board':>15} {'bytes':>8} {'RSS':>10} {'+chart':>10}"
        )
        for cells, rows in ((80, 24), (120, 40)):
            print(_row(cells, rows, [start(directory.path, cells, rows) for _ in range(runs)]))
        print(f"to reach: {FIRST_FRAME} s, {RSS:.0f} MB")


def _row(cells: int, rows: int, starts: list[Start]) -> str:
    frame, board = _times([one.frame for one in starts]), _times([one.board for one in starts])
    last = starts[-1]
    memory = f"{last.rss:7.1f} MB {last.rss_after_chart:7.1f} MB"
    return f"{cells}x{rows:<5} {frame:>15} {board:>15} {last.sent:>8} {memory}"


def _times(seconds: list[float]) -> str:
    return f"{min(seconds):.3f} / {statistics.median(seconds):.3f} s"


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
