"""All that a console or a command reads of a store, through two read-only connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from watchdeck.domain.alerts.alert import Alert, Episode, Feedback
from watchdeck.domain.board.alert_detail import AlertHistory
from watchdeck.domain.board.board import Board, Change, History
from watchdeck.domain.board.health import HealthChange
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.store.board import (
    MetricsSnapshot,
    assemble,
    collector_now,
    collector_then,
    read_metrics,
    read_state,
)
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.files.reopening import ReopeningReader
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.metrics.responses import read_exchanges
from watchdeck.store.metrics.segment_cache import SegmentCache
from watchdeck.store.state.changes import read_changes
from watchdeck.store.state.health import read_health_history

if TYPE_CHECKING:
    from watchdeck.store.metrics.scan import Block


class Reader:
    """A store as one thread reads it; it belongs to the thread that first reads.

    The files are opened late, and anew after they were replaced or could not be read. Every method
    raises the StoreError family and nothing else. Close it, or use it as a context.
    """

    def __init__(self, directory: StoreDirectory) -> None:
        self._directory = directory
        self._metrics = ReopeningReader(directory, directory.metrics)
        self._state = ReopeningReader(directory, directory.state)
        self._near = SegmentCache()
        self._kept: MetricsSnapshot | None = None
        self._kept_at = self._metrics.moment

    def changed(self) -> bool:
        """Whether either file was written or replaced since the last board or question."""
        return any([self._metrics.changed(), self._state.changed()])

    def board(self, now: int, at: int | None = None) -> Board:
        """The live board of `now`, or the one of a moment `at` of the past (ms UTC).

        Metrics are read before state: what was decided is never older than what it was decided on.
        """
        measured = self._measured(at)
        with self._state.read() as db:
            decided = read_state(db, at, now)
        if at is None:
            collector = collector_now(self._directory, measured.heartbeat, now)
            return assemble(measured, decided, collector, now, live=True)
        return assemble(measured, decided, collector_then(measured.latest, at), at, live=False)

    def _measured(self, at: int | None) -> MetricsSnapshot:
        """What was measured; while nobody writes, what was read before (14 ms for 200 models)."""
        with self._metrics.read() as db:
            if at is not None:
                return read_metrics(db, at, self._near)
            moment, measured = self._metrics.moment, self._kept
            if measured is None or moment != self._kept_at:
                measured = self._kept = read_metrics(db, None, self._near)
                self._kept_at = moment
            return measured

    def history(
        self,
        endpoint: str,
        columns: Sequence[str],
        start: int,
        end: int,
        points: int | None = None,
    ) -> tuple[History, ...]:
        """Signals of one endpoint from `start` until `end`, thinned to about so many points."""
        from watchdeck.store.metrics.history import read_signals

        with self._metrics.read() as db:
            return read_signals(db, endpoint, columns, start, end, points=points)

    def changes(self, start: int, end: int, endpoint: str | None = None) -> tuple[Change, ...]:
        """The change markers from `start` until before `end`, oldest first."""
        with self._state.read() as db:
            return read_changes(db, start, end, endpoint)

    def health_history(self, endpoint: str, start: int, end: int) -> tuple[HealthChange, ...]:
        """The healths from `start` until before `end`, led by the one in force at `start`."""
        with self._state.read() as db:
            return read_health_history(db, endpoint, start, end)

    def story(self, episode: int, at: int) -> AlertHistory | None:
        """What was known of an episode at `at` (ms UTC); None when there is no such episode."""
        from watchdeck.store.alerts.history import read_alert_history

        with self._state.read() as db:
            return read_alert_history(db, episode, at)

    def fired(self, since: int) -> tuple[tuple[Episode, Alert, Feedback | None], ...]:
        """The episodes that fired from `since` (ms UTC) on, and what people thought of them."""
        from watchdeck.store.alerts.acknowledgements import read_opinions
        from watchdeck.store.alerts.episodes import read_fired

        with self._state.read() as db:
            opinions = read_opinions(db, since)
            found = read_fired(db, since)
        return tuple((episode, alert, opinions.get(episode.id)) for episode, alert in found)

    def exchanges(self, endpoint: str) -> tuple[ResponseRecord, ...]:
        """The last raw answers of one endpoint."""
        with self._metrics.read() as db:
            return read_exchanges(db, endpoint)

    def endpoints(self) -> tuple[str, ...]:
        """Every endpoint that was ever watched and still has a place in the store."""
        from watchdeck.store.metrics.scan import endpoint_names

        with self._metrics.read() as db:
            return endpoint_names(db)

    def blocks(self, endpoint: str, stream: Stream, start: int, end: int) -> Iterator[Block]:
        """All frames from `start` until before `end`, a bounded block at a time.

        No moment of the file is held between two blocks, so a long export lets the log shrink.
        """
        from watchdeck.store.metrics.scan import next_blocks

        moment: int | None = start
        while moment is not None:
            with self._metrics.read() as db:
                blocks = next_blocks(db, endpoint, stream, moment, end)
            yield from blocks.found
            moment = blocks.next

    def close(self) -> None:
        """Let go of both files."""
        self._metrics.close()
        self._state.close()
