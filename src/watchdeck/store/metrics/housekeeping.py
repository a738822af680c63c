"""What the writer does between two commits, a little at a time: folding, thinning, giving back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from sqlite3 import Connection

from watchdeck.domain.settings.endpoint import Retention
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreFull
from watchdeck.store.files.ballast import Ballast
from watchdeck.store.files.connection import StorageFault, corruption_as_error, transaction
from watchdeck.store.metrics.compaction import CompactionSpan, compact
from watchdeck.store.metrics.frames import Stream, moment
from watchdeck.store.metrics.hourly import DAY, HOUR
from watchdeck.store.metrics.layouts import LayoutTable, forget_layouts
from watchdeck.store.metrics.retention import THIN, StoreSize, forget_old, give_back, thin, weigh
from watchdeck.store.metrics.segments import SegmentPeriod

_LOOK_EVERY = 60_000
_LAG = 10 * 60_000
"""How long after its end an hour or day is folded: scrapes that waited for the disk come late."""

_LONGEST_LOG = 64 << 20

_OLDEST_FRAMES = """
select id, (select min(k) from frame where k >= id << 43 and k < (id + 1) << 43) as oldest
from endpoint where oldest is not null order by id
"""
_UNFOLDED_DAYS = f"""
select distinct endpoint, first / {DAY} * {DAY} from segment
where level = 0 and first < :before order by 2, 1
"""

Job = Callable[[], bool | None]
"""Some milliseconds of work; it answers True when it is to be done again."""


def spans_due(db: Connection, now: int) -> Iterator[CompactionSpan]:
    """The oldest hour of each endpoint and every day that have ended and are not folded yet."""
    for endpoint, k in db.execute(_OLDEST_FRAMES).fetchall():
        start = moment(k) // HOUR * HOUR
        if start + HOUR + _LAG <= now:
            yield CompactionSpan(endpoint, start, SegmentPeriod.HOUR)
    today = (now - _LAG) // DAY * DAY
    for endpoint, start in db.execute(_UNFOLDED_DAYS, {"before": today}).fetchall():
        yield CompactionSpan(endpoint, start, SegmentPeriod.DAY)


class Housekeeper:
    """Keeps metrics.db small, on the writer's own connection."""

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
        self._looked_at: int | None = None
        self._weight = StoreSize(0, int(retention.budget))
        self._log = ""
        self._failing = ""
        self._failed = ""

    @property
    def problem(self) -> str:
        """What a person should know of the file; empty when all is well."""
        return "; ".join(filter(None, (str(self._weight), self._log, self._failing)))

    def keeps(self, stream: Stream) -> bool:
        """Whether there is room for more history of this stream."""
        return self._weight.keeps(stream)

    def step(self, now: int) -> None:
        """Do one piece of what is due; what fails is said, and tried again at the next look."""
        try:
            with corruption_as_error(self._path):
                self._step(now)
        except StorageFault as error:
            self._failed = self._failing = clean(f"old scrapes cannot be tidied: {error}", 300)
            if isinstance(error, StoreFull):
                self._ballast.release()

    def _step(self, now: int) -> None:
        if not self._due and (self._looked_at is None or abs(now - self._looked_at) >= _LOOK_EVERY):
            self._looked_at = now
            self._failing, self._failed = self._failed, ""
            self._due.extend(self._jobs(now))
        if self._due:
            job = self._due.popleft()
            if job():
                self._due.append(job)

    def _jobs(self, now: int) -> Iterator[Job]:
        yield self._weigh
        yield partial(forget_old, self._db, self._retention, now)
        spans = list(spans_due(self._db, now))
        yield from (partial(compact, self._db, self._layouts, span) for span in spans)
        if any(span.level is SegmentPeriod.DAY for span in spans):
            yield self._forget_layouts
        yield partial(give_back, self._db)
        yield self._shorten_log

    def _weigh(self) -> bool:
        """Look how much there is; thin it out until there is little enough."""
        self._weight = weigh(self._db, self._path, int(self._retention.budget))
        if self._weight.used >= self._ballast.size:
            self._ballast.take()
        return self._weight.share >= THIN and thin(self._db)

    def _forget_layouts(self) -> None:
        with transaction(self._db):
            forget_layouts(self._db)
        self._layouts.forget()

    def _shorten_log(self) -> None:
        """Have the write-ahead log emptied when it is long; never wait for a reader."""
        log = self._path.with_name(f"{self._path.name}-wal")
        if not log.exists() or log.stat().st_size <= _LONGEST_LOG:
            self._log = ""
            return
        (patience,) = self._db.execute("pragma busy_timeout").fetchone()
        self._db.execute("pragma busy_timeout = 0")
        busy, _, _ = self._db.execute("pragma wal_checkpoint(truncate)").fetchone()
        self._db.execute(f"pragma busy_timeout = {int(patience)}")
        self._log = _PINNED if busy else ""


_PINNED = (
    "the write-ahead log cannot be emptied: some process holds an old moment of metrics.db open."
    " End consoles that hang"
)
