"""How fast the console starts, on the demo's store and on 200 models, and how much memory it takes.

`python tests/benchmarks/start.py [RUNS]` prints a table. Times begin before the interpreter does,
and end with the first frame, and with the frame that has a model in it. Modules are compiled
before, as they are when a package was installed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from console.pty_console import Terminal
from watchdeck import __version__
from watchdeck.cli.options import operator
from watchdeck.demo.history.backfill import backfill
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Frame, ModelState, Outcome, Scrape
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, signal_layout
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.engine.engine import Engine
from watchdeck.store.files.connection import open_readonly, open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import prepare

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
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.console.run import run
sys.exit(run(StoreDirectory(Path(sys.argv[1])), clock=lambda: time.time_ns() // 1_000_000))
"""

RSS = 80.0
"""What to reach: MB of resident memory."""


def now() -> int:
    return time.time_ns() // 1_000_000


def build_demo(directory: StoreDirectory) -> None:
    """The demo's store, with twelve weeks in it."""
    backfill(directory, operator(), 1, now())


def build(directory: StoreDirectory) -> None:
    """A store as a collector leaves it."""
    directory.create()
    prepare(directory)
    writer = MetricsWriter(directory, Retention(), clock=now, capacity=MODELS * SCRAPES)
    writer.start()
    names = [f"model-{index:03d}" for index in range(MODELS)]
    writer.register([EndpointFacts(name, f"http://10.0.0.1:8080/{name}", EVERY) for name in names])
    end = now()
    for step in range(SCRAPES):
        for scrape in scrapes(names, end - (SCRAPES - 1 - step) * EVERY, step):
            writer.submit(scrape)
    beat = CollectorStatus(1, __version__, end - SCRAPES * EVERY, end, endpoints=MODELS)
    writer.submit_heartbeat(beat)
    writer.close()
    Engine(open_readonly(directory.metrics), open_writable(directory.state)).evaluate(end)


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


@dataclass(frozen=True, slots=True)
class Store:
    """A store to start on, a model that its first board shows, and the seconds to reach for it."""

    name: str
    build: Callable[[StoreDirectory], None]
    model: bytes
    reach: float


STORES = (
    Store("the demo", build_demo, b"churn-score", 0.30),
    Store(f"{MODELS} models", build, b"model-000", 0.45),
)


def start(path: Path, model: bytes, cells: int, rows: int) -> Start:
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(path.parent / "compiled")}
    began = time.perf_counter()
    terminal = Terminal("-c", CHILD, str(path), cells=cells, rows=rows, environ=compiled)
    try:
        terminal.wait_for(b"collector")
        frame = time.perf_counter() - began
        terminal.wait_for(model)
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
    print(f"{runs} starts of the console, best / median; to reach: {RSS:.0f} MB")
    heads = ("first frame", "with a model")
    print(
        f"{'':20}", *(f"{head:>15}" for head in heads), f"{'bytes':>8} {'RSS':>10} {'+chart':>10}"
    )
    for store in STORES:
        with tempfile.TemporaryDirectory() as folder:
            directory = StoreDirectory(Path(folder) / "store")
            store.build(directory)
            start(directory.path, store.model, 80, 24)  # compiles
            for size in ((80, 24), (120, 40)):
                starts = [start(directory.path, store.model, *size) for _ in range(runs)]
                print(f"{store.name:11}", _row(*size, starts), f"  to reach: {store.reach:.2f} s")


def _row(cells: int, rows: int, starts: list[Start]) -> str:
    frame, board = _times([one.frame for one in starts]), _times([one.board for one in starts])
    last = starts[-1]
    memory = f"{last.rss:7.1f} MB {last.rss_after_chart:7.1f} MB"
    return f"{cells}x{rows:<5} {frame:>15} {board:>15} {last.sent:>8} {memory}"


def _times(seconds: list[float]) -> str:
    return f"{min(seconds):.3f} / {statistics.median(seconds):.3f} s"


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
