"""All that a console or a command reads of a store, through two read-only connections."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

from watchdeck.domain.alerts.alert import Alert, Episode, Feedback
from watchdeck.domain.board.board import AlertHistory, Board, Change, HealthChange, History
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.errors import StoreError
from watchdeck.store.alerts.acknowledgements import read_feedback
from watchdeck.store.alerts.episodes import read_alert_history, read_fired_episodes
from watchdeck.store.board import (
    MetricsSnapshot,
    assemble_board,
    current_collector,
    past_collector,
    read_metrics,
    read_state,
)
from watchdeck.store.files.connection import (
    check_version,
    corruption_as_error,
    data_version,
    open_readonly,
    snapshot,
)
from watchdeck.store.files.directory import StoreDirectory, file_identity
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.metrics.latest import read_responses
from watchdeck.store.metrics.raw import Block, read_blocks, read_endpoint_names
from watchdeck.store.metrics.segments import SegmentCache
from watchdeck.store.schema.registry import schema_of
from watchdeck.store.state.changes import read_changes
from watchdeck.store.state.health import read_health_history

_Identity = tuple[int, ...] | None


class ReopeningConnection:
    """A read-only connection to one file: opened at first use, again after a replacement."""

    def __init__(self, directory: StoreDirectory, path: Path) -> None:
        self._directory = directory
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._opened = 0
        self._db: Connection | None = None
        self._identities: tuple[_Identity, _Identity] = (None, None)
        self._seen: int | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the block a connection that sees one unchanging state of the file.

        After any failure the next call opens the file again, so a repaired store is read again. The
        version is checked each time (15 us), because a newer watchdeck may have upgraded the open
        file. Raises only StoreError and its subclasses.
        """
        with self._close_on_failure():
            db = self._connection()
            self._seen = data_version(db)
            with snapshot(db):
                check_version(db, self._path, schema_of(self._path))
                yield db

    def has_changed(self) -> bool:
        """Whether the file was written or replaced since the last call of this method or `read`."""
        with self._close_on_failure():
            db = self._connection()
            before, self._seen = self._seen, data_version(db)
            return self._seen != before

    @property
    def state_read(self) -> tuple[int, int | None]:
        """An id of the file and of its state when it was last read: equal ids mean equal rows."""
        return self._opened, self._seen

    def close(self) -> None:
        """Close the file; the next read opens it again."""
        if self._db is not None:
            self._db.close()
        self._db = self._seen = None

    def _connection(self) -> Connection:
        if self._db is not None and self._identities == self._find_files():
            return self._db
        self.close()
        self._directory.check()
        # read before opening: a file that is replaced in between is noticed by the next call
        main, log = self._find_files()
        self._db = open_readonly(self._path, still=log is None)
        self._identities = (main, log and self._find_files()[1])
        self._opened += 1
        return self._db

    def _find_files(self) -> tuple[_Identity, _Identity]:
        """Identities of the file and its write-ahead log, which show that one was replaced.

        Without a log the file is opened immutable, and no later change is seen: the modification
        time is then part of the identity.
        """
        log = file_identity(self._log)
        return file_identity(self._path, written=log is None), log

    @contextmanager
    def _close_on_failure(self) -> Iterator[None]:
        try:
            with corruption_as_error(self._path):
                yield
        except StoreError:
            self.close()
            raise


class Reader:
    """Reads both files of a store, on the thread that reads first; close it at the end.

    The files are opened at first use, and again after they were replaced or could not be read.
    Every method raises only StoreError and its subclasses.
    """

    def __init__(self, directory: StoreDirectory) -> None:
        self._directory = directory
        self._metrics = ReopeningConnection(directory, directory.metrics)
        self._state = ReopeningConnection(directory, directory.state)
        self._segments = SegmentCache()
        self._live: MetricsSnapshot | None = None
        self._live_state = self._metrics.state_read

    def has_changed(self) -> bool:
        """Whether either file was written or replaced since the last read or `has_changed`."""
        return any([self._metrics.has_changed(), self._state.has_changed()])

    def board(self, now: int, at: int | None = None) -> Board:
        """The live board of `now` (ms UTC), or the board of a past moment `at` (ms UTC).

        The metrics are read before the decisions, so no decision is older than the values it was
        made on.
        """
        metrics = self._read_metrics(at)
        with self._state.read() as db:
            state = read_state(db, at, now)
        if at is None:
            collector = current_collector(self._directory, metrics.heartbeat, now)
            return assemble_board(metrics, state, collector, now, live=True)
        return assemble_board(metrics, state, past_collector(metrics.latest, at), at, live=False)

    def _read_metrics(self, at: int | None) -> MetricsSnapshot:
        """The metrics of a board; live ones are cached until a write (14 ms for 200 models)."""
        with self._metrics.read() as db:
            if at is not None:
                return read_metrics(db, at, self._segments)
            state = self._metrics.state_read
            if self._live is None or state != self._live_state:
                self._live, self._live_state = read_metrics(db, None, self._segments), state
            return self._live

    def history(
        self, endpoint: str, columns: Sequence[str], start: int, end: int, points: int | None = None
    ) -> tuple[History, ...]:
        """Signals of one endpoint from `start` until before `end` (ms UTC), one History a column.

        Each has about `points` points, or all stored ones when `points` is None; see
        `read_signals`.
        """
        from watchdeck.store.metrics.history import read_signals

        with self._metrics.read() as db:
            return read_signals(db, endpoint, columns, start, end, points=points)

    def changes(self, start: int, end: int, endpoint: str | None = None) -> tuple[Change, ...]:
        """Deploys, restarts and other changes of one endpoint, or of all (None), oldest first.

        Only the newest 1,000 from `start` until before `end` (ms UTC).
        """
        with self._state.read() as db:
            return read_changes(db, start, end, endpoint)

    def health_history(self, endpoint: str, start: int, end: int) -> tuple[HealthChange, ...]:
        """The health change in force at `start`, then all until before `end` (ms UTC)."""
        with self._state.read() as db:
            return read_health_history(db, endpoint, start, end)

    def alert_history(self, episode: int, at: int) -> AlertHistory | None:
        """All about one episode as known at `at` (ms UTC); None when no such number exists."""
        with self._state.read() as db:
            return read_alert_history(db, episode, at)

    def fired_episodes(self, since: int) -> tuple[tuple[Episode, Alert, Feedback | None], ...]:
        """Episodes that began at `since` (ms UTC) or later and fired, each with its feedback."""
        with self._state.read() as db:
            feedback = read_feedback(db, since)
            found = read_fired_episodes(db, since)
        return tuple((episode, alert, feedback.get(episode.id)) for episode, alert in found)

    def responses(self, endpoint: str) -> tuple[ResponseRecord, ...]:
        """The last raw responses of one endpoint, in the order of its requests; empty if none."""
        with self._metrics.read() as db:
            return read_responses(db, endpoint)

    def endpoints(self) -> tuple[str, ...]:
        """The names of all endpoints in the store, retired ones included."""
        with self._metrics.read() as db:
            return read_endpoint_names(db)

    def blocks(self, endpoint: str, stream: Stream, start: int, end: int) -> Iterator[Block]:
        """Yield all scrapes of an endpoint from `start` until before `end` (ms UTC), in blocks.

        A block holds at most an hour of series or a day of signals. No read transaction is open
        between two blocks, so a long export lets the WAL shrink.
        """
        moment: int | None = start
        while moment is not None:
            with self._metrics.read() as db:
                blocks = read_blocks(db, endpoint, stream, moment, end)
            yield from blocks.blocks
            moment = blocks.next

    def close(self) -> None:
        """Close both files."""
        self._metrics.close()
        self._state.close()
