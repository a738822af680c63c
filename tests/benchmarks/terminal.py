"""What the console sends over a real pseudo terminal, and plain Textual beside it.

`python tests/benchmarks/terminal.py [SECONDS]` prints a table. A store of 200 models is fed by a
process of its own, twenty models a second. The terminal answers questions, as terminals do.
"""

from __future__ import annotations

import os
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from console.pty_console import Terminal
from console.terminal.emulator import Emulator

MODELS, EVERY = 200, 10_000
LONG_AGO = 3 * 3_600_000
"""How old an idle store is, in milliseconds: its ages do not move any more."""

FEED = """
import random, sys, time
from array import array
from pathlib import Path
from watchdeck import __version__
from watchdeck.domain.board.board import EndpointFacts, CollectorStatus
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Frame, ModelState, Outcome, Scrape
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, signal_layout
from watchdeck.engine.engine import Engine
from watchdeck.store.files.connection import open_readonly, open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import prepare
from watchdeck.store.metrics.writer import MetricsWriter

path, models, every, ago, live = sys.argv[1], *map(int, sys.argv[2:6])
SIGNALS = ("request_rate", "error_ratio", "latency_p50", "latency_p95", "latency_p99",
           "latency_mean", "in_flight", "saturation", "memory_bytes")
LAYOUT, CHANCE = signal_layout(SIGNALS), random.Random(7)
OUTCOME = [series.name for series in LAYOUT.series].index(OUTCOME_COLUMN)
NAMES = [f"model-{index:03d}" for index in range(models)]

def now():
    return time.time_ns() // 1_000_000 - ago

def scrape(index, at):
    values = array("d", (0.02 * (1 + CHANCE.random()) for _ in LAYOUT.series))
    values[OUTCOME] = OUTCOME_CODES[Outcome.OK]
    frame, ready = Frame(LAYOUT, values), ModelState.READY
    return Scrape(NAMES[index], at, 0.01, Outcome.OK, frame, kind="mlserver", model_state=ready)

directory = StoreDirectory(Path(path))
directory.create()
with directory.hold_lock():
    prepare(directory)
    writer = MetricsWriter(directory, Retention(), clock=now)
    writer.start()
    writer.register([EndpointFacts(name, f"http://10.0.0.1/{name}", every) for name in NAMES])
    engine, start, tick = None, now(), 0
    for step in range(360):
        for index in range(models):
            writer.submit(scrape(index, start - (360 - step) * every + index))
    while True:
        for index in range(tick % 10, models, 10) if tick else ():
            writer.submit(scrape(index, now()))
        writer.submit_heartbeat(CollectorStatus(1, __version__, start, now(), endpoints=models))
        while writer.status().queued:
            time.sleep(0.01)
        engine = engine or Engine(open_readonly(directory.metrics), open_writable(directory.state))
        engine.evaluate(now())
        if not tick:
            print("fed", flush=True)
        if not live:
            break
        tick += 1
        time.sleep(1.0)
    writer.close()
"""

CONSOLE = """
import sys, time
from pathlib import Path
from watchdeck.console.terminal import driver
from watchdeck.console.run import run
from watchdeck.store.files.directory import StoreDirectory
if sys.argv[2] == "plain":
    driver.TerminalDriver._connect = lambda self: None
path = StoreDirectory(Path(sys.argv[1]))
sys.exit(run(path, clock=lambda: time.time_ns() // 1_000_000))
"""

DOWN, UP, PAGE_DOWN = b"\x1b[B", b"\x1b[A", b"\x1b[6~"
QUESTION, ANSWER = b"\x1b[5n", b"\x1b[0n"
SLOW = 8_000
"""Bytes a second on a link of 64 kbit/s."""

MARK = "\u258c"
UNKNOWN = re.compile(rb"\x1b\[[<>=?][0-9;]*u|\x1b\[\?[0-9;]*\$p")
"""Questions at the start that the emulator would print."""

CAP = 5.0
"""Seconds after which a key is taken for lost."""


class Answering(Terminal):
    """A terminal that answers what it is asked, when it comes to read it."""

    tail = b""

    def _some(self, seconds: float) -> bytes | None:
        data = super()._some(seconds)
        if data:
            self._answer(data)
        return data

    def _answer(self, came: bytes) -> None:
        """Answer the questions that are complete now; one may come in two halves."""
        seen = self.tail + came
        self.type(ANSWER * seen.count(QUESTION))
        self.tail = seen[-(len(QUESTION) - 1) :]

    def slowly(self, seconds: float, done: Callable[[], bool] = lambda: False) -> float | None:
        """Read as a slow link carries; the seconds until it is done, None when it never is."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            came = os.read(self.fd, SLOW // 50) if self._readable() else b""
            self.screen.feed(came)
            self._answer(came)
            if came and done():
                return passed
            time.sleep(0.02)
        return None

    def look(self, cells: int, rows: int) -> None:
        """Keep a screen of what came, and of what comes slowly."""
        self.screen = Emulator(cells, rows)
        self.screen.feed(UNKNOWN.sub(b"", self.output))

    def marked(self) -> str:
        """The model in the row of the cursor."""
        for row in self.screen.cells():
            if row[0].glyph == MARK:
                return "".join(cell.glyph for cell in row).split()[2]
        return ""

    def _readable(self) -> bool:
        return bool(select.select([self.fd], [], [], 0)[0])

    def processor(self) -> float:
        """Seconds of a core that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def store(path: Path, *, live: bool) -> Iterator[Path]:
    """A store of all models, fed for as long as this lasts when it is live."""
    words = [str(path), str(MODELS), str(EVERY), str(0 if live else LONG_AGO), str(int(live))]
    with subprocess.Popen([sys.executable, "-c", FEED, *words], stdout=subprocess.PIPE) as feed:
        assert feed.stdout is not None
        assert feed.stdout.readline() == b"fed\n"
        try:
            yield path
        finally:
            feed.terminate()


@contextmanager
def console(path: Path, how: str, cells: int, rows: int) -> Iterator[Answering]:
    """A console on the table of models, with the bytes of its first screen in `output`."""
    terminal = Answering("-c", CONSOLE, str(path), how, cells=cells, rows=rows)
    try:
        terminal.wait_for(b"model-0")
        terminal.read(1.5)
        yield terminal
    finally:
        terminal.close()


@dataclass
class Row:
    """One measured thing: what to reach, and what was found by size and output."""

    name: str
    reach: str
    found: list[str] = field(default_factory=list)


ROWS = {
    "first": Row("first screen, bytes", "20000 / 8000"),
    "arrow": Row("arrow key, bytes", "300"),
    "page": Row("page down, bytes", "3000"),
    "idle": Row("idle, bytes/s", "0"),
    "idle cpu": Row("idle, % of a core", "0.5"),
    "live": Row("live, bytes/s", "2000 / 1300"),
    "live cpu": Row("live, % of a core", "4"),
    "key": Row("key to first byte, p50 / p95 ms", "30 (p95)"),
    "stall": Row("stalled 10 s, bytes until right", "25000"),
    "slow": Row("key to screen at 64 kbit/s, p95 ms", "250"),
}


def measure_idle(path: Path, how: str, size: tuple[int, int], seconds: float) -> None:
    with console(path, how, *size) as terminal:
        note("first", f"{len(terminal.output)}")
        terminal.type(b"2")
        terminal.read(1.5)
        note("arrow", f"{per_key(terminal, DOWN, 8)}")
        note("page", f"{per_key(terminal, PAGE_DOWN, 3)}")
        rate, load = spent(terminal, seconds)
        note("idle", f"{rate:.0f}")
        note("idle cpu", f"{load:.1f}")


def measure_live(path: Path, how: str, size: tuple[int, int], seconds: float) -> None:
    with console(path, how, *size) as terminal:
        terminal.type(b"2")
        terminal.read(3.0)
        rate, load = spent(terminal, seconds)
        note("live", f"{rate:.0f}")
        note("live cpu", f"{load:.1f}")
        note("key", "{:.0f} / {:.0f}".format(*latencies(terminal, 60)))
        note("stall", f"{after_stall(terminal)}")
        note("slow", on_a_slow_link(terminal, size, 40))


def note(name: str, text: str) -> None:
    ROWS[name].found.append(text)


def per_key(terminal: Answering, key: bytes, times: int) -> int:
    """Bytes that a key costs, on average."""
    total = 0
    for _ in range(times):
        terminal.type(key)
        total += len(terminal.read(0.3))
    return total // times


def spent(terminal: Answering, seconds: float) -> tuple[float, float]:
    """Bytes a second, and percent of a core."""
    began = terminal.processor()
    sent = len(terminal.read(seconds))
    return sent / seconds, 100 * (terminal.processor() - began) / seconds


def latencies(terminal: Answering, times: int) -> tuple[float, float]:
    """Milliseconds from a key to the first byte after it: the middle, and one of twenty."""
    found = []
    for number in range(times):
        terminal.read(0.13)
        pressed = time.perf_counter()
        terminal.type(DOWN if number % 8 < 4 else UP)
        terminal._some(2.0)
        found.append(1_000 * (time.perf_counter() - pressed))
    return statistics.median(found), statistics.quantiles(found, n=20)[-1]


def after_stall(terminal: Answering) -> int:
    """Bytes that come once the terminal is read again, until nothing more comes at once."""
    terminal.type(DOWN * 3)
    time.sleep(10)
    total = 0
    while came := terminal.read(0.2):
        total += len(came)
    return total


def on_a_slow_link(terminal: Answering, size: tuple[int, int], times: int) -> str:
    """Milliseconds from an arrow key until the mark of the cursor is on another row."""
    found = []
    terminal.look(*size)
    terminal.slowly(CAP)
    for number in range(times):
        terminal.type(DOWN if number % 8 < 4 else UP)
        took = terminal.slowly(CAP, partial(has_moved, terminal, terminal.marked()))
        found.append(1_000 * (CAP if took is None else took))
        terminal.slowly(0.77)
    worst = statistics.quantiles(found, n=20)[-1]
    return f"{worst:.0f}" if worst < 1_000 * CAP else f"over {1_000 * CAP:.0f}"


def has_moved(terminal: Answering, before: str) -> bool:
    """Whether the mark is on another model than before."""
    return terminal.marked() not in ("", before)


def report(seconds: float) -> None:
    ways = [(how, size) for size in ((120, 40), (80, 24)) for how in ("ours", "plain")]
    for live, measure in ((False, measure_idle), (True, measure_live)):
        with tempfile.TemporaryDirectory() as folder, store(Path(folder) / "s", live=live) as path:
            for how, size in ways:
                measure(path, how, size, seconds)
    heads = [f"{how} {cells}x{rows}" for how, (cells, rows) in ways]
    print(f"{'':36}{'reach':>14}", *(f"{head:>14}" for head in heads))
    for row in ROWS.values():
        print(f"{row.name:36}{row.reach:>14}", *(f"{found:>14}" for found in row.found))


if __name__ == "__main__":
    report(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
