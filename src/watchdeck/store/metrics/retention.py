"""What goes when it is old, and what goes first when the store grows too large."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Connection

from msgspec import Struct

from watchdeck.domain.settings.endpoint import Retention
from watchdeck.store.files.connection import transaction
from watchdeck.store.metrics.frames import Stream, forget_frames
from watchdeck.store.metrics.hourly import DAY, PERIOD
from watchdeck.store.metrics.latest import endpoints

_AT_ONCE = 20
"""Segments or rollups that go in one transaction: some milliseconds, so that no tick waits."""

_FRAMES_AT_ONCE = 2_000
_PAGES_AT_ONCE = 200
_FREE_PAGES = 500
"""Fewer pages than this (8 MB) are left in the file: what is written next fills them again."""

_OLD_SEGMENTS = """
delete from segment where id in (
    select id from segment where stream = :stream and first < :before order by first limit :most
)
"""
_OLD_ROLLUPS = """
delete from rollup where id in (
    select id from rollup where period < :before order by period limit :most
)
"""
_EVER = 1 << 62

THIN, SIGNALS_ONLY, LATEST_ONLY = 0.80, 0.90, 0.95
"""Shares of the budget from which on the oldest goes, series and then signals are not kept."""


class StoreSize(Struct, frozen=True):
    """The bytes in use, without what is free inside the files, and what they may be."""

    used: int
    budget: int

    @property
    def share(self) -> float:
        """How much of the budget is used, as a ratio."""
        return self.used / self.budget if self.budget else 1.0

    def keeps(self, stream: Stream) -> bool:
        """Whether there is room for more history of this stream."""
        return self.share < (SIGNALS_ONLY if stream is Stream.SERIES else LATEST_ONLY)

    def __str__(self) -> str:
        """What is not kept for want of room, in words; empty when there is room."""
        if self.keeps(Stream.SERIES):
            return ""
        lost = "series are" if self.keeps(Stream.SIGNALS) else "history is"
        return (
            f"the store has used {self.share:.0%} of its budget: {lost} not kept any more. Raise"
            " `retention.budget`, or keep fewer series"
        )


def weigh(db: Connection, path: Path, budget: int) -> StoreSize:
    """What metrics.db, whose path this is, and the files beside it use now."""
    (pages,), (free,), (size,) = (
        db.execute(f"pragma {name}").fetchone()
        for name in ("page_count", "freelist_count", "page_size")
    )
    state = path.with_name("state.db")
    beside = state.stat().st_size if state.exists() else 0
    return StoreSize((pages - free) * size + beside, budget)


def forget_old(db: Connection, retention: Retention, now: int) -> bool:
    """Delete a little of what is older than it may be; whether there may be more."""
    raw, rolled = now - int(retention.raw), now - int(retention.rollups)
    numbers = [number for number, _ in endpoints(db)]
    with transaction(db):
        gone = forget_frames(db, numbers, raw, _FRAMES_AT_ONCE) // _FRAMES_AT_ONCE
        for stream in Stream:
            gone += _forget(db, _OLD_SEGMENTS, raw - DAY, stream)
        gone += _forget(db, _OLD_ROLLUPS, rolled - PERIOD)
    return gone > 0


def thin(db: Connection) -> bool:
    """Delete a little of the oldest: series first, then signals, then rollups; whether any went."""
    with transaction(db):
        return bool(
            _forget(db, _OLD_SEGMENTS, _EVER, Stream.SERIES)
            or _forget(db, _OLD_SEGMENTS, _EVER, Stream.SIGNALS)
            or _forget(db, _OLD_ROLLUPS, _EVER)
        )


def give_back(db: Connection) -> bool:
    """Return some free pages to the disk; whether there are more."""
    (free,) = db.execute("pragma freelist_count").fetchone()
    if free <= _FREE_PAGES:
        return False
    # `execute` would stop after the first page: the pragma has no columns to fetch
    db.executescript(f"pragma incremental_vacuum({_PAGES_AT_ONCE})")
    return True


def _forget(db: Connection, statement: str, before: int, stream: Stream = Stream.SERIES) -> int:
    bounds = {"before": before, "stream": int(stream), "most": _AT_ONCE}
    return db.execute(statement, bounds).rowcount
