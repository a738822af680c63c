"""Housekeeping of metrics.db between two commits: compaction, retention, the size budget."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from sqlite3 import Connection

from msgspec import Struct

from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreFull
from watchdeck.store.files.connection import StorageFault, corruption_as_error, transaction
from watchdeck.store.files.filesystem import Ballast
from watchdeck.store.metrics.compaction import CompactionSpan, compact
from watchdeck.store.metrics.frames import (
    LayoutTable,
    Stream,
    delete_old_frames,
    delete_unused_layouts,
    frame_time,
)
from watchdeck.store.metrics.latest import read_endpoint_ids
from watchdeck.store.metrics.rollups import PERIOD
from watchdeck.store.metrics.segments import DAY, HOUR, SegmentPeriod

_AT_ONCE = 20
"""Segments or rollups deleted in one transaction: some milliseconds, so that no commit waits."""

_FRAMES_AT_ONCE = 2_000
_PAGES_AT_ONCE = 200
_FREE_PAGES = 500
"""Free pages (8 MB) that stay in the file, for the rows that are written next."""

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
"""Used shares of the budget above which old rows are deleted; no series; no signals stored."""


class StoreSize(Struct, frozen=True):
    """The bytes that the store uses, and the bytes that it may use."""

    used: int
    """Bytes in use, without the free pages of metrics.db."""
    budget: int
    """Bytes that may be used."""

    @property
    def share(self) -> float:
        """The used share of the budget; 1.0 means all of it, or that the budget is 0."""
        return self.used / self.budget if self.budget else 1.0

    def has_room_for(self, stream: Stream) -> bool:
        """Whether the budget allows more history: series up to 90 % of it, signals up to 95 %."""
        return self.share < (SIGNALS_ONLY if stream is Stream.SERIES else LATEST_ONLY)

    def __str__(self) -> str:
        """A sentence about data that is not stored for lack of room; empty when there is room."""
        if self.has_room_for(Stream.SERIES):
            return ""
        lost = "series are" if self.has_room_for(Stream.SIGNALS) else "history is"
        return (
            f"the store has used {self.share:.0%} of its budget: {lost} not kept any more. Raise"
            " `retention.budget`, or keep fewer series"
        )


def measure_size(db: Connection, path: Path, budget: int) -> StoreSize:
    """Measure metrics.db, open as `db` at `path`, and state.db beside it; `budget` is in bytes."""
    (pages,), (free,), (size,) = (
        db.execute(f"pragma {name}").fetchone()
        for name in ("page_count", "freelist_count", "page_size")
    )
    state = path.with_name("state.db")
    beside = state.stat().st_size if state.exists() else 0
    return StoreSize((pages - free) * size + beside, budget)


def delete_expired(db: Connection, retention: Retention, now: int) -> bool:
    """Delete a few rows past their retention at `now` (ms UTC); True if more may be left."""
    raw, rolled = now - int(retention.raw), now - int(retention.rollups)
    numbers = [number for number, _ in read_endpoint_ids(db)]
    with transaction(db):
        deleted = delete_old_frames(db, numbers, raw, _FRAMES_AT_ONCE) // _FRAMES_AT_ONCE
        for stream in Stream:
            deleted += _delete_rows(db, _OLD_SEGMENTS, raw - DAY, stream)
        deleted += _delete_rows(db, _OLD_ROLLUPS, rolled - PERIOD)
    return deleted > 0


def delete_oldest(db: Connection) -> bool:
    """Delete a few of the oldest rows to save space; returns whether there were any.

    Compressed series are deleted first, then compressed signals, then hourly aggregates.
    """
    with transaction(db):
        return bool(
            _delete_rows(db, _OLD_SEGMENTS, _EVER, Stream.SERIES)
            or _delete_rows(db, _OLD_SEGMENTS, _EVER, Stream.SIGNALS)
            or _delete_rows(db, _OLD_ROLLUPS, _EVER)
        )


def release_pages(db: Connection) -> bool:
    """Give some free pages of the file back to the disk; True when there may be more."""
    (free,) = db.execute("pragma freelist_count").fetchone()
    if free <= _FREE_PAGES:
        return False
    # `execute` would stop after the first page: the pragma has no columns to fetch
    db.executescript(f"pragma incremental_vacuum({_PAGES_AT_ONCE})")
    return True


def _delete_rows(
    db: Connection, statement: str, before: int, stream: Stream = Stream.SERIES
) -> int:
    bounds = {"before": before, "stream": int(stream), "most": _AT_ONCE}
    return db.execute(statement, bounds).rowcount


_CHECK_INTERVAL = 60_000


_LAG = 10 * 60_000
"""Milliseconds from the end of an hour or day to its compaction, to include delayed scrapes."""


_LONGEST_LOG = 64 << 20


_OLDEST_FRAMES = """
select id, (select min(k) from frame where k >= id << 43 and k < (id + 1) << 43) as oldest
from endpoint where oldest is not null order by id
"""


_UNCOMPACTED_DAYS = f"""
select distinct endpoint, first / {DAY} * {DAY} from segment
where level = 0 and first < :before order by 2, 1
"""


Job = Callable[[], bool | None]
"""Some milliseconds of work; it returns True when it must run again."""


def find_due_spans(db: Connection, now: int) -> Iterator[CompactionSpan]:
    """Yield the spans not compacted yet that ended 10 min before `now` (ms UTC) or earlier.

    First the oldest hour of each endpoint, then every day.
    """
    for endpoint, k in db.execute(_OLDEST_FRAMES).fetchall():
        start = frame_time(k) // HOUR * HOUR
        if start + HOUR + _LAG <= now:
            yield CompactionSpan(endpoint, start, SegmentPeriod.HOUR)
    today = (now - _LAG) // DAY * DAY
    for endpoint, start in db.execute(_UNCOMPACTED_DAYS, {"before": today}).fetchall():
        yield CompactionSpan(endpoint, start, SegmentPeriod.DAY)


class Housekeeper:
    """Compacts metrics.db and limits its size, on the writer's own connection."""

    def __init__(
        self,
        db: Connection,
        layouts: LayoutTable,
        path: Path,
        retention: Retention,
        ballast: Ballast,
    ) -> None:
        self._db = db
        self._layouts = layouts
        self._path = path
        self._retention = retention
        self._ballast = ballast
        self._due: deque[Job] = deque()
        self._checked_at: int | None = None
        self._size = StoreSize(0, int(retention.budget))
        self._log = ""
        self._failing = ""
        self._failed = ""

    @property
    def problem(self) -> str:
        """Why history is not stored or old rows not tidied, in words; empty if all is well."""
        return "; ".join(filter(None, (str(self._size), self._log, self._failing)))

    def has_room_for(self, stream: Stream) -> bool:
        """Whether the budget allows more history of this stream, as measured last."""
        return self._size.has_room_for(stream)

    def step(self, now: int, trusted: int | None = None) -> None:
        """Run the next due job, a compaction or a deletion; once a minute due jobs are looked for.

        `trusted` is the time (ms UTC) that deletions go by, `now` when it is None.

        After a failure `problem` names it, and the next check tries again.
        """
        try:
            with corruption_as_error(self._path):
                self._step(now, now if trusted is None else trusted)
        except StorageFault as error:
            self._failed = self._failing = clean(f"old scrapes cannot be tidied: {error}", 300)
            if isinstance(error, StoreFull):
                self._ballast.release()

    def _step(self, now: int, trusted: int) -> None:
        if not self._due and (
            self._checked_at is None or abs(now - self._checked_at) >= _CHECK_INTERVAL
        ):
            self._checked_at = now
            self._failing, self._failed = self._failed, ""
            self._due.extend(self._jobs(now, trusted))
        if self._due:
            job = self._due.popleft()
            if job():
                self._due.append(job)

    def _jobs(self, now: int, trusted: int) -> Iterator[Job]:
        yield self._limit_size
        yield partial(delete_expired, self._db, self._retention, trusted)
        spans = list(find_due_spans(self._db, now))
        yield from (partial(compact, self._db, self._layouts, span) for span in spans)
        if any(span.level is SegmentPeriod.DAY for span in spans):
            yield self._delete_layouts
        yield partial(release_pages, self._db)
        yield self._truncate_log

    def _limit_size(self) -> bool:
        """Measure the store; if it is too large, delete some of the oldest rows and return True."""
        self._size = measure_size(self._db, self._path, int(self._retention.budget))
        if self._size.used >= self._ballast.size:
            self._ballast.reserve()
        return self._size.share >= THIN and delete_oldest(self._db)

    def _delete_layouts(self) -> None:
        with transaction(self._db):
            delete_unused_layouts(self._db)
        self._layouts.forget()

    def _truncate_log(self) -> None:
        """Truncate a long write-ahead log, without ever waiting for a reader."""
        log = self._path.with_name(f"{self._path.name}-wal")
        if not log.exists() or log.stat().st_size <= _LONGEST_LOG:
            self._log = ""
            return
        (timeout,) = self._db.execute("pragma busy_timeout").fetchone()
        self._db.execute("pragma busy_timeout = 0")
        busy, _, _ = self._db.execute("pragma wal_checkpoint(truncate)").fetchone()
        self._db.execute(f"pragma busy_timeout = {int(timeout)}")
        self._log = _LOG_HELD if busy else ""


_LOG_HELD = (
    "the write-ahead log cannot be emptied: some process still reads an old state of metrics.db."
    " End consoles that hang"
)
