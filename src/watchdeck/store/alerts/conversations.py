"""Threads: what one channel was told together, and how those episodes are."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from msgspec import Struct

_NEWS = "('resolved', 'acknowledged', 'unacknowledged', 'reminder')"
"""Kinds of message that call nobody."""

_FOLDS = f"""
select distinct fold from outbox
where channel = :channel and episode = :episode and sent_at is not null and kind not in {_NEWS}
order by fold
"""

_MEMBERS = f"""
select distinct e.id, e.ended_at is null, exists (
    select 1 from acknowledgement as k where k.episode = e.id and k.ended_at is null
), (select max(k.ended_at) from acknowledgement as k where k.episode = e.id)
from outbox as o join episode as e on e.id = o.episode
where o.channel = :channel and o.fold = :fold and o.sent_at is not null and o.kind not in {_NEWS}
order by e.id
"""

_OPEN_FOLDS = f"""
select distinct o.fold from outbox as o join episode as e on e.id = o.episode
where o.channel = :channel and o.sent_at is not null and o.kind not in {_NEWS}
and e.ended_at is null and not exists (
    select 1 from acknowledgement as k where k.episode = e.id and k.ended_at is null
)
order by o.fold
"""


class NotifiedGroup(Struct, frozen=True):
    """What was told under the name of one fold: its open episodes, and those nobody has.

    `freed_at` (ms UTC) is when the last who had one of those had it no longer; 0 when nobody did.
    """

    fold: str
    open: tuple[int, ...]
    waiting: tuple[int, ...]
    freed_at: int = 0

    @property
    def over(self) -> bool:
        """Whether all of it is over."""
        return not self.open

    @property
    def taken(self) -> bool:
        """Whether somebody has all of it that is not over."""
        return not self.waiting


def read_threads(
    db: Connection, channel: str, episodes: Iterable[int]
) -> tuple[NotifiedGroup, ...]:
    """All that a channel was called for about these episodes."""
    folds = {
        row[0]: None
        for number in episodes
        for row in db.execute(_FOLDS, {"channel": channel, "episode": number}).fetchall()
    }
    return tuple(_thread(db, channel, fold) for fold in folds)


def read_waiting_threads(db: Connection, channel: str) -> tuple[NotifiedGroup, ...]:
    """All that a channel was called for and that somebody must still take."""
    rows = db.execute(_OPEN_FOLDS, {"channel": channel}).fetchall()
    return tuple(_thread(db, channel, row[0]) for row in rows)


def _thread(db: Connection, channel: str, fold: str) -> NotifiedGroup:
    rows = db.execute(_MEMBERS, {"channel": channel, "fold": fold}).fetchall()
    alive = [(number, taken, freed_at) for number, is_open, taken, freed_at in rows if is_open]
    return NotifiedGroup(
        fold,
        tuple(number for number, *_ in alive),
        tuple(number for number, taken, _ in alive if not taken),
        max((freed_at or 0 for _, taken, freed_at in alive if not taken), default=0),
    )
