"""Change markers that make themselves: another version, start, or number of replicas."""

from __future__ import annotations

from watchdeck.domain.board.change import detect_changes, merge
from watchdeck.store.files.connection import Connection
from watchdeck.store.metrics.latest import LatestRow
from watchdeck.store.state.changes import read_identities, record_change, save_identity


class ChangeDetector:
    """What every server last said of itself."""

    def __init__(self, state: Connection) -> None:
        self._state = state
        self._identities = read_identities(state)
        self._said: dict[str, tuple[object, ...]] = {}

    def moved(self, name: str, row: LatestRow) -> bool:
        """Whether a server says something else of itself than it did."""
        said = (row.version, row.started_at, row.replicas, row.resets)
        if self._said.get(name) == said:
            return False
        self._said[name] = said
        before = self._identities.get(name)
        return before is None or merge(before, row.identity) != before

    def mark(self, name: str, row: LatestRow) -> None:
        """Keep what a server says of itself, and its markers, in the transaction of the caller."""
        before = self._identities.get(name)
        for marker in detect_changes(before, row.identity):
            record_change(self._state, name, row.at, marker.what, marker.text, "collector")
        self._identities[name] = merge(before, row.identity)
        save_identity(self._state, name, self._identities[name], row.at)
