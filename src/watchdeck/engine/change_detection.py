"""Automatic change markers: a new version, a restart, another number of replicas."""

from watchdeck.domain.board.change import detect_changes, merge_identity
from watchdeck.store.files.connection import Connection
from watchdeck.store.metrics.latest import LatestRow
from watchdeck.store.state.changes import read_identities, record_change, save_identity


class ChangeDetector:
    """Compares the identity that each server reports (version, start, replicas) with the stored."""

    def __init__(self, state: Connection) -> None:
        self._state = state
        self._identities = read_identities(state)
        self._reported: dict[str, tuple[object, ...]] = {}

    def has_changed(self, name: str, row: LatestRow) -> bool:
        """Whether the newest scrape of endpoint `name` reports an identity that is not stored."""
        reported = (row.version, row.started_at, row.replicas, row.resets)
        if self._reported.get(name) == reported:
            return False
        self._reported[name] = reported
        before = self._identities.get(name)
        return before is None or merge_identity(before, row.identity) != before

    def record(self, name: str, row: LatestRow) -> None:
        """Store the reported identity, and a change marker for each difference from the last one.

        Writes in the caller's transaction.
        """
        before = self._identities.get(name)
        for marker in detect_changes(before, row.identity):
            record_change(self._state, name, row.at, marker.what, marker.text, "collector")
        self._identities[name] = merge_identity(before, row.identity)
        save_identity(self._state, name, self._identities[name], row.at)
