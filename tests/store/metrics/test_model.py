"""However scrapes come and are folded, what is read equals what was scraped."""

import math
import shutil
import struct
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from watchdeck.domain.metrics.scrape import Frame
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.files.connection import Connection, open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.files.filesystem import Ballast
from watchdeck.store.metrics.frames import LayoutTable, Stream, StreamWindow, add_frame
from watchdeck.store.metrics.housekeeping import Housekeeper
from watchdeck.store.metrics.latest import register_endpoints
from watchdeck.store.metrics.raw import read_blocks, read_newest_row, read_raw
from watchdeck.store.metrics.rollups import HourlyAggregate, read_hours
from watchdeck.store.metrics.segments import DAY, HOUR, SegmentCache
from watchdeck.store.migrations import prepare

T0 = 1_790_035_200_000 // DAY * DAY
LAYOUTS = (
    Layout((Series("a"), Series("b_total", (), SeriesType.COUNTER))),
    Layout((Series("b_total", (), SeriesType.COUNTER), Series("c"), Series("a"))),
)
COLUMNS = ("a", "b_total", "c")
VALUES = st.one_of(
    st.integers(0, 100).map(float),
    st.sampled_from([math.nan, math.inf, -0.0, 0.1, 1e300]),
    st.floats(width=64),
)
Scraped = dict[int, dict[str, float]]


def bits(values: Iterable[float]) -> list[bytes]:
    return [struct.pack("<d", value) for value in values]


class Store(RuleBasedStateMachine):
    """Two endpoints, three days, and a clock that only goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        directory = StoreDirectory(self.folder / "store")
        prepare(directory)
        self.path = directory.metrics
        self.db = open_writable(self.path, synchronous="OFF")
        self.layouts = LayoutTable(self.db)
        self.near = SegmentCache()
        with transaction(self.db):
            self.numbers = register_endpoints(
                self.db, [EndpointFacts("x", "", 1), EndpointFacts("y", "", 1)], T0
            )
        self.keeper = Housekeeper(
            self.db, self.layouts, self.path, Retention(), Ballast(self.folder, 1 << 30)
        )
        self.now = T0
        self.scraped: dict[tuple[str, Stream], Scraped] = {
            (name, stream): {} for name in ("x", "y") for stream in Stream
        }

    def teardown(self) -> None:
        self.db.close()
        shutil.rmtree(self.folder)

    @rule(
        place=st.sampled_from([(name, stream) for name in ("x", "y") for stream in Stream]),
        layout=st.sampled_from(LAYOUTS),
        minutes=st.integers(0, 3 * 24 * 60),
        rows=st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=8),
    )
    def scrape(
        self, place: tuple[str, Stream], layout: Layout, minutes: int, rows: list[list[float]]
    ) -> None:
        with transaction(self.db):
            for n, row in enumerate(rows):
                at = T0 + minutes * 60_000 + n * 15_007
                names = [str(series) for series in layout.series]
                if self.scraped[place].get(at, dict.fromkeys(names)).keys() != set(names):
                    continue  # no endpoint is scraped twice at the same moment with two layouts
                values = row[: len(layout)]
                frame = Frame(layout, array("d", values))
                add_frame(self.db, self.layouts, self.numbers[place[0]], at, place[1], frame)
                self.scraped[place][at] = dict(zip(names, values, strict=True))

    @rule(hours=st.integers(1, 40))
    def tidy(self, hours: int) -> None:
        self.now += hours * HOUR
        for _ in range(30):
            self.keeper.step(self.now)

    @rule(start=st.integers(0, 80), length=st.integers(0, 40))
    def read_a_window(self, start: int, length: int) -> None:
        begin, end = T0 + start * HOUR - 7, T0 + (start + length) * HOUR + 7
        for (name, stream), scraped in self.scraped.items():
            window = StreamWindow(self.numbers[name], stream, begin, end)
            found = read_raw(self.db, self.layouts, window, COLUMNS)
            for column in COLUMNS:
                expected = {
                    at: row[column]
                    for at, row in sorted(scraped.items())
                    if begin <= at < end and column in row
                }
                times, values = found.get(column, ((), ()))
                assert list(times) == list(expected)
                assert bits(values) == bits(expected.values())

    @rule(hours=st.integers(0, 90))
    def read_a_moment(self, hours: int) -> None:
        at = T0 + hours * HOUR + 31
        for (name, stream), scraped in self.scraped.items():
            window = StreamWindow(self.numbers[name], stream, at - DAY, at)
            newest = max((time for time in scraped if at - DAY <= time < at), default=None)
            for near in (None, self.near):
                row = read_newest_row(self.db, self.layouts, window, near)
                assert (row and row.at) == newest
                if row is not None and newest is not None:
                    given = scraped[newest]
                    assert set(row.columns) == set(given)
                    assert bits(row.values) == bits(given[column] for column in row.columns)

    @rule()
    def read_everything_in_blocks(self) -> None:
        with closing(open_readonly(self.path)) as db:
            for (name, stream), scraped in self.scraped.items():
                assert list(_blocks(db, name, stream)) == [
                    (at, sorted(row)) for at, row in sorted(scraped.items())
                ]

    @rule()
    def read_the_hours(self) -> None:
        for (name, stream), scraped in self.scraped.items():
            window = StreamWindow(self.numbers[name], stream, T0, self.now)
            found = read_hours(self.db, self.layouts, window, COLUMNS, HourlyAggregate.HIGH)
            for column, hours in found.items():
                for hour, value in zip(hours.times, hours.values, strict=True):
                    there = [
                        row[column]
                        for at, row in scraped.items()
                        if hour <= at < hour + HOUR and not math.isnan(row.get(column, math.nan))
                    ]
                    assert math.isnan(value) or value in there

    @invariant()
    def nothing_is_damaged(self) -> None:
        assert self.db.execute("pragma foreign_key_check").fetchall() == []


def _blocks(db: Connection, name: str, stream: Stream) -> Iterator[tuple[int, list[str]]]:
    moment: int | None = 0
    while moment is not None:
        blocks = read_blocks(db, name, stream, moment, 1 << 41)
        for block in blocks.blocks:
            for at in block.times:
                yield at, sorted(block.columns)
        moment = blocks.next


Store.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestStore = Store.TestCase
