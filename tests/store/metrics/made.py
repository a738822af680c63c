"""A metrics file to try things on, and scrapes by the minute."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from watchdeck.domain.metrics.scrape import Frame
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.files.connection import Connection, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.files.filesystem import Ballast
from watchdeck.store.metrics.backfill import ScrapeHistory, insert_history, pack_history
from watchdeck.store.metrics.frames import LayoutTable, Stream, StreamWindow, add_frame
from watchdeck.store.metrics.housekeeping import Housekeeper
from watchdeck.store.metrics.latest import register_endpoints
from watchdeck.store.metrics.segments import DAY
from watchdeck.store.migrations import prepare

T0 = 1_790_035_200_000 // DAY * DAY
PAGE = Layout((Series("level"), Series("hits_total", (), SeriesType.COUNTER)))


@dataclass(slots=True)
class Metrics:
    """A file with one endpoint, `fraud`, and its housekeeper."""

    directory: StoreDirectory
    retention: Retention = field(default_factory=Retention)
    db: Connection = field(init=False)
    layouts: LayoutTable = field(init=False)
    keeper: Housekeeper = field(init=False)

    def __post_init__(self) -> None:
        prepare(self.directory)
        path = self.directory.metrics
        self.db = open_writable(path, synchronous="OFF")
        self.layouts = LayoutTable(self.db)
        ballast = Ballast(self.directory.path, int(self.retention.budget))
        self.keeper = Housekeeper(self.db, self.layouts, path, self.retention, ballast)
        with transaction(self.db):
            register_endpoints(self.db, [EndpointFacts("fraud", "", 60_000)], T0)

    def scrape(
        self,
        times: Iterable[int],
        stream: Stream = Stream.SERIES,
        layout: Layout = PAGE,
    ) -> None:
        """Frames whose values are the minutes since T0."""
        with transaction(self.db):
            for at in times:
                values = array("d", [(at - T0) / 60_000] * len(layout))
                add_frame(self.db, self.layouts, 1, at, stream, Frame(layout, values))

    def answer(self, times: Iterable[int]) -> None:
        """Frames of signals of an endpoint that answered, and nothing else."""
        layout = signal_layout(())
        with transaction(self.db):
            for at in times:
                frame = Frame(layout, array("d", [0.0] * len(layout)))
                add_frame(self.db, self.layouts, 1, at, Stream.SIGNALS, frame)

    def fill(
        self, days: Iterable[int], stream: Stream = Stream.SERIES, *, noise: bool = False
    ) -> None:
        """Whole days, a value a minute, packed at once; noise fills 23 kB a day."""
        with transaction(self.db):
            for day in days:
                times = np.arange(T0 + day * DAY, T0 + (day + 1) * DAY, 60_000)
                minutes = (times - T0) / 60_000.0
                values = np.stack([minutes, minutes], axis=1)
                if noise:
                    values += np.random.default_rng(day).random(values.shape)
                insert_history(
                    self.db, [pack_history(ScrapeHistory("fraud", stream, PAGE, times, values))]
                )

    def tidy(self, now: int, steps: int = 60) -> None:
        """Let the housekeeper do all that is due at a moment."""
        for _ in range(steps):
            self.keeper.step(now)

    def count(self, table: str) -> int:
        """The rows of a table."""
        (number,) = self.db.execute(f"select count(*) from {table}").fetchone()
        return int(number)


def minutes(start: int, end: int) -> range:
    """The times of every minute of a stretch of minutes since T0."""
    return range(T0 + start * 60_000, T0 + end * 60_000, 60_000)


def window(start: int, end: int, stream: Stream = Stream.SERIES) -> StreamWindow:
    """The endpoint's minutes since T0."""
    return StreamWindow(1, stream, T0 + start * 60_000, T0 + end * 60_000)


def made(folder: Path, **retention: object) -> Metrics:
    """A new file in a folder."""
    return Metrics(StoreDirectory(folder / "store"), Retention(**retention))  # type: ignore[arg-type]
