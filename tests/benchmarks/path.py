"""How many files one value enters from the bytes of a scrape to a cell on the screen.

`python tests/benchmarks/path.py` prints a table: for each leg the files of watchdeck entered, the
functions called, and the moves from one file to another.
"""

import asyncio
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

import watchdeck

sys.path.insert(0, str(Path(__file__).parents[1]))

from collector.scrape.scrapes import scraping
from console import boards
from console.test_screens import shown
from scenarios.playing import Player
from scenarios.reading import read_scenario
from servers.captured import captured
from watchdeck.domain.metrics.scrape import Scrape
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import Endpoint, public_facts
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import prepare
from watchdeck.store.reader import Reader

ROOT = str(Path(watchdeck.__file__).parent)
SCENARIO = Path(__file__).parents[1] / "scenarios" / "an-alert-fires-after-its-time.txt"
NOW = 1_800_000_000_000


class Trace:
    """The files entered, the functions called, and the moves between files, over all threads.

    With `within`, the qualified name of a function, only what is called while that function runs.
    """

    def __init__(self, within: str = "") -> None:
        self._within = within
        self._is_active = not within
        self.files: set[str] = set()
        self.functions: set[tuple[str, str]] = set()
        self.moves = 0
        self._last = ""

    def clear(self) -> None:
        """Forget what was counted so far."""
        self.files.clear()
        self.functions.clear()
        self.moves = 0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Count one call."""
        name = frame.f_code.co_filename
        if not name.startswith(ROOT):
            return
        if frame.f_code.co_qualname == self._within:
            self._is_active = event == "call"
        if event != "call" or not self._is_active:
            return
        self.files.add(name)
        self.functions.add((name, frame.f_code.co_qualname))
        self.moves += name != self._last
        self._last = name


@contextmanager
def traced(trace: Trace) -> Iterator[None]:
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


async def scrape_warm(trace: Trace) -> Scrape:
    async with captured("mlserver-1.7.1", 18082) as server:
        endpoint = Endpoint("iris", f"http://127.0.0.1:{server.port}", kind="mlserver")
        async with scraping(endpoint) as beats:
            await beats.times(3)
            with traced(trace):
                return await beats.next()


def store_scrape(trace: Trace, scrape: Scrape, place: Path) -> None:
    directory = StoreDirectory(place)
    prepare(directory)
    writer = MetricsWriter(directory, Retention(), clock=lambda: NOW)
    with traced(trace):
        writer.start()
        writer.register([public_facts(Endpoint("iris", "http://127.0.0.1:1"))])
        trace.clear()
        writer.submit(scrape)
        writer.close()


def evaluate(trace: Trace, place: Path) -> None:
    player = Player(read_scenario(SCENARIO), place)
    with traced(trace):
        for _ in player.play():
            pass


def read_board(trace: Trace, place: Path) -> None:
    with closing(Reader(StoreDirectory(place))) as reader:
        reader.board(NOW)
        with traced(trace):
            reader.board(NOW)


async def draw_cell(trace: Trace) -> None:
    async with shown(120, 40) as at:
        await at.press("2")
        await at.board(boards.large_fleet(20))
        with traced(trace):
            await at.board(boards.large_fleet(20, tick=1))


def report(name: str, trace: Trace) -> None:
    print(f"{name:42}{len(trace.files):7}{len(trace.functions):11}{trace.moves:8}")


def main() -> None:
    print(f"{'leg':42}{'files':>7}{'functions':>11}{'moves':>8}")
    legs: dict[str, Trace] = {}
    with tempfile.TemporaryDirectory() as folder:
        trace = legs.setdefault("a warm scrape: bytes to Scrape", Trace())
        scrape = asyncio.run(scrape_warm(trace))
        store_scrape(legs.setdefault("Scrape to metrics.db", Trace()), scrape, Path(folder) / "a")
        trace = legs.setdefault("the engine until a rule fired", Trace("Engine.evaluate"))
        evaluate(trace, Path(folder) / "b")
        read_board(legs.setdefault("store to Board", Trace()), Path(folder) / "a")
        asyncio.run(draw_cell(legs.setdefault("Board to the changed cells", Trace())))
    for name, trace in legs.items():
        report(name, trace)
    files = set().union(*(trace.files for trace in legs.values()))
    print(f"{'the whole way, distinct files':42}{len(files):7}    (to reach: 70)")


if __name__ == "__main__":
    main()
