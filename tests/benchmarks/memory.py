"""How much memory the console takes after many ticks.

`python tests/benchmarks/memory.py [TICKS]` prints a table. Twenty of 200 models are scraped anew
for each tick, the next one as soon as the console has drawn the last: every tick is a board that
was written, read and drawn. Now and then a key is typed.
"""

from __future__ import annotations

import os
import select
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import cycle
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.start import EVERY, MODELS, RSS, build, now, resident, scrapes
from console.pty_console import Terminal
from watchdeck import __version__
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.settings.configuration import Retention
from watchdeck.engine.engine import Engine
from watchdeck.store.files.connection import open_readonly, open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter

TICKS = 10_000
MARKS = (0.1, 0.25, 0.5, 1.0)
"""After which shares of the ticks the memory is read."""

FLAT = 2.0
"""MB that may come on top in the last three quarters: caches with an end fill up until then."""

TYPED = 250
"""Ticks between two keys."""

KEYS = (b"2", b"\x1b[6~", b"\x1b[B", b"s", b"1", b"\x1b[B", b"?", b"\x1b")

CHILD = """
import os, sys, time
from pathlib import Path
from textual import on
from watchdeck.console import app; from watchdeck.console.state import board_poller as watch
from watchdeck.console.app import Console
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.run import drive
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.reader import Reader

watch.EVERY = 0.001
path, drawn = StoreDirectory(Path(sys.argv[1])), int(sys.argv[2])

class Telling(Console):
    CSS_PATH = str(Path(app.__file__).with_name("console.tcss"))

    @on(BoardUpdated)
    def tell(self):
        self.call_after_refresh(os.write, drawn, b".")

clock = lambda: time.time_ns() // 1_000_000
sys.exit(drive(Telling(path, clock=clock, open_source=lambda: Reader(path))))
"""


def feed(directory: StoreDirectory) -> Generator[None, None, None]:
    """Write what a collector writes in a second, whenever it is asked for more."""
    names = [f"model-{index:03d}" for index in range(MODELS)]
    started = now()
    with (
        closing(MetricsWriter(directory, Retention(), clock=now)) as writer,
        closing(open_readonly(directory.metrics)) as metrics,
        closing(open_writable(directory.state)) as state,
    ):
        writer.start()
        engine = Engine(metrics, state)
        for second in cycle(range(EVERY // 1_000)):
            for scrape in scrapes(names[second::10], now(), now() % 97):
                writer.submit(scrape)
            writer.submit_heartbeat(
                CollectorStatus(1, __version__, started, now(), endpoints=MODELS)
            )
            if not second:
                engine.evaluate(now())
            yield


def watch(directory: StoreDirectory, ticks: int) -> Iterator[tuple[int, float, float]]:
    """Ticks, seconds a tick so far and MB of resident memory, at the marks."""
    drawn, told = os.pipe()
    os.set_inheritable(told, True)
    terminal = Terminal("-c", CHILD, str(directory.path), str(told), cells=120, rows=40)
    seconds, keys, done, began = feed(directory), cycle(KEYS), 0, time.monotonic()
    marks = [round(share * ticks) for share in MARKS]
    try:
        terminal.wait_for(b"model-0")
        while marks:
            next(seconds)
            before = done
            while done == before:
                ready, _, _ = select.select([drawn, terminal.fd], [], [], 5.0)
                if terminal.fd in ready:
                    terminal.read(0.001)
                if drawn in ready:
                    done += len(os.read(drawn, 1_000))
            terminal.output = b""
            if done // TYPED > before // TYPED:
                terminal.type(next(keys))
            if done >= marks[0]:
                yield marks.pop(0), (time.monotonic() - began) / done, resident(terminal.pid)
    finally:
        terminal.close()
        seconds.close()


def report(ticks: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = StoreDirectory(Path(folder) / "store")
        build(directory)
        found = []
        print(f"console on 120x40, {MODELS} models, twenty of them anew each tick")
        for tick, each, memory in watch(directory, ticks):
            found.append(memory)
            print(
                f"after {tick:>6,} ticks {memory:>8.1f} MB   {1_000 * each:.0f} ms a tick",
                flush=True,
            )
    print(f"on top since a quarter {found[-1] - found[1]:>6.1f} MB")
    print(f"to reach: {RSS:.0f} MB, {FLAT:.0f} MB on top")


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else TICKS)
