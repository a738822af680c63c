"""Automatic change markers: versions, restarts, replicas, certificates, hosts, lost series."""

import json
import re

from watchdeck.domain.board.change import Marker
from watchdeck.domain.board.identity_history import IdentityHistory, Observation
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.store.files.connection import Connection
from watchdeck.store.metrics.latest import LatestRow
from watchdeck.store.state.changes import read_identities, record_change, save_identity

_MISSING = "signals_missing"

_WORDS = re.compile(r"\w+")


class ChangeDetector:
    """Compares what each scrape shows of the identity of a server with what is stored of it."""

    def __init__(self, state: Connection) -> None:
        self._state = state
        self._histories = {
            name: IdentityHistory(known) for name, known in read_identities(state).items()
        }
        self._seen_at: dict[str, int] = {}
        self._markers: dict[str, tuple[Marker, ...]] = {}

    def has_changed(self, name: str, every: int, row: LatestRow) -> bool:
        """Whether the newest scrape of endpoint `name` shows an identity that is not stored.

        `every` is the interval of its scrapes (ms). A scrape counts once.
        """
        if self._seen_at.get(name) == row.at:
            return False
        self._seen_at[name] = row.at
        history = self._histories.setdefault(name, IdentityHistory())
        before = history.known
        self._markers[name] = history.add(_observation(every, row))
        return history.known is not before

    def record(self, name: str, row: LatestRow) -> None:
        """Store the identity that `has_changed` found, and a change marker for each change.

        Writes in the caller's transaction.
        """
        for marker in self._markers.pop(name, ()):
            at = row.at if marker.at is None else marker.at
            record_change(self._state, name, at, marker.what, marker.text, "collector")
        save_identity(self._state, name, self._histories[name].known, row.at)


def _observation(every: int, row: LatestRow) -> Observation:
    return Observation(row.at, Outcome(row.outcome), row.identity, _missing(row.remarks), every)


def _missing(remarks: str) -> tuple[str, ...]:
    """The signals that the page gives no more, by the stored remarks of a scrape."""
    if _MISSING not in remarks:
        return ()
    words = _WORDS.findall(json.loads(remarks).get(_MISSING, ""))
    return tuple(word for word in words if word in SIGNALS)
