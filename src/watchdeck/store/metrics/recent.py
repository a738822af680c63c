"""The last hour of one endpoint, as a collector that starts needs it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from sqlite3 import Connection

from msgspec import Struct, field

from watchdeck.domain.metrics.series import Layout, parse_series
from watchdeck.store.metrics.frames import LayoutTable, Stream
from watchdeck.store.metrics.raw import Block, read_blocks

_MINUTE = 60_000


class StoredPage(Struct, frozen=True):
    """The stored series of one scrape at `at` (ms UTC), in the order of `layout`."""

    at: int
    layout: Layout
    values: array[float]


class RecentScrapes(Struct, frozen=True):
    """The pages and the probes of recent scrapes, oldest first.

    A probe is its time (ms UTC), and whether the model could serve.
    """

    pages: list[StoredPage] = field(default_factory=list)
    probes: list[tuple[int, bool]] = field(default_factory=list)


class RecentReader:
    """Reads the recent scrapes of many endpoints; equal layouts are parsed once, and shared."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._table = LayoutTable(db)
        self._layouts: dict[tuple[str, ...], Layout] = {}
        self._cumulative = dict(_read_cumulative(db))

    def read(self, endpoint: str, start: int, full: int, end: int) -> RecentScrapes:
        """The scrapes of an endpoint from `start` until before `end` (ms UTC).

        Pages before `full` are thinned to one a minute: a longer window begins at any of them.
        """
        pages = list(self._pages(endpoint, start, full, end))
        return RecentScrapes(pages, list(self._probes(endpoint, start, end)))

    def _pages(self, endpoint: str, start: int, full: int, end: int) -> Iterator[StoredPage]:
        minute = -1
        for block in self._blocks(endpoint, Stream.SERIES, start, end):
            layout = self._layout(block.columns)
            for at, row in zip(block.times, block.values, strict=True):
                if at < full and at // _MINUTE == minute:
                    continue
                minute = at // _MINUTE
                yield StoredPage(at, layout, array("d", row.tobytes()))

    def _probes(self, endpoint: str, start: int, end: int) -> Iterator[tuple[int, bool]]:
        for block in self._blocks(endpoint, Stream.SIGNALS, start, end):
            up, ready = (block.values[:, block.columns.index(name)] for name in ("up", "ready"))
            can_serve = (up == 1) & (ready != 0)  # NaN, of a model that tells neither, is not 0
            yield from zip(block.times, can_serve.tolist(), strict=True)

    def _blocks(self, endpoint: str, stream: Stream, start: int, end: int) -> Iterator[Block]:
        moment: int | None = start
        while moment is not None:
            found = read_blocks(self._db, endpoint, stream, moment, end)
            yield from found.blocks
            moment = found.next

    def _layout(self, columns: tuple[str, ...]) -> Layout:
        layout = self._layouts.get(columns)
        if layout is None:
            flags = self._cumulative.get(columns, bytes(len(columns)))
            pairs = zip(columns, flags, strict=True)
            series = tuple(parse_series(text, is_cumulative=bool(flag)) for text, flag in pairs)
            layout = self._layouts[columns] = Layout(series)
        return layout


_LAYOUTS = "select id from layout order by id"


def _read_cumulative(db: Connection) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """The columns of each layout, with a byte for each that is 1 where its values only rise."""
    table = LayoutTable(db)
    for (number,) in db.execute(_LAYOUTS).fetchall():
        yield table.columns(number), table.cumulative_flags(number)
