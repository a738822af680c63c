"""The outbox: what is to be told to others, written with what it tells of, sent later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import Struct

from watchdeck.domain.notifications.outbox import OutboxEntry, OutboxRow

_POST = """
insert into outbox (
    id, channel, kind, episode, payload, dedup_key, fold, lane, created_at, not_before, attempts,
    sent_at, gave_up_at, cancelled_at, last_error
)
select coalesce(max(id), 0) + 1, :channel, :kind, :episode, :payload, :dedup_key, :fold, :lane,
    :created_at, :not_before, 0, :sent_at, null, null, ''
from outbox where true
on conflict (channel, dedup_key) do nothing
"""

_COLUMNS = (
    "id, channel, kind, episode, payload, dedup_key, fold, lane, created_at, not_before,"
    " attempts, sent_at, gave_up_at, cancelled_at, last_error"
)
_WAITING = "sent_at is null and gave_up_at is null and cancelled_at is null"

_DUE = f"""
select {_COLUMNS} from outbox as o where {_WAITING} and not_before <= :now
and (:channel is null or channel = :channel)
and not exists (
    select 1 from outbox as b where b.episode = o.episode and b.lane = o.lane and b.id < o.id
    and b.not_before > :now
    and b.sent_at is null and b.gave_up_at is null and b.cancelled_at is null
)
order by not_before, id limit :limit
"""
_DUE_CHANNELS = f"""
select distinct channel from outbox where {_WAITING} and not_before <= :now order by channel
"""
_NEXT = f"select min(not_before) from outbox where {_WAITING}"
_OLDEST = f"select min(created_at), count(*) from outbox where {_WAITING} and not_before <= :now"
_SENT = "update outbox set sent_at = :at, attempts = attempts + 1, last_error = '' where id = :id"
_FAILED = """
update outbox set attempts = attempts + 1, not_before = :again_at, last_error = :error
where id = :id
"""
_GAVE_UP = """
update outbox set attempts = attempts + 1, gave_up_at = :at, last_error = :error where id = :id
"""
_CANCEL = f"""
update outbox
set cancelled_at = :at, dedup_key = dedup_key || '/cancelled/' || cast(id as text)
where dedup_key = :dedup_key and {_WAITING}
"""
"""Its key is free again: what is taken back now may truly happen later."""

_LOST = f"select {_COLUMNS} from outbox where gave_up_at >= :since order by id"
_OF_EPISODE = f"select {_COLUMNS} from outbox where episode = :episode order by id"
_SEAL = f"update outbox set fold = :fold where id = :id and {_WAITING}"
_RECENT_FOLDS = """
select distinct fold from (
    select fold, created_at from outbox
    where fold <> '' and cancelled_at is null order by id desc limit :most
) as newest where created_at >= :since order by fold
"""
_TIDY = """
delete from outbox
where created_at < :before and (sent_at is not null or gave_up_at is not null
    or cancelled_at is not null)
and not exists (select 1 from episode where id = outbox.episode and ended_at is null)
"""


KEPT = 90 * 86_400_000
"""For how long (ms) it is remembered who was told of what is over."""


class Backlog(Struct, frozen=True):
    """How many rows are due and unsent, and since when the oldest waits; None when none does."""

    waiting: int
    since: int | None


def enqueue(db: Connection, postings: Iterable[OutboxEntry], now: int) -> int:
    """Write what is to be told, inside the transaction of what it tells of; how many were new."""
    return sum(db.execute(_POST, _row(one, now)).rowcount for one in postings)


def _row(posting: OutboxEntry, now: int) -> dict[str, Any]:
    return {
        "channel": posting.channel,
        "kind": posting.kind,
        "episode": posting.episode,
        "payload": json.dumps(posting.payload, sort_keys=True),
        "dedup_key": posting.dedup_key,
        "fold": posting.fold,
        "lane": posting.lane,
        "created_at": now,
        "not_before": posting.not_before,
        "sent_at": now if posting.done else None,
    }


def due_channels(db: Connection, now: int) -> tuple[str, ...]:
    """The channels to which something is to be sent at `now` (ms UTC)."""
    return tuple(row[0] for row in db.execute(_DUE_CHANNELS, {"now": now}).fetchall())


def due(
    db: Connection, now: int, limit: int = 500, channel: str | None = None
) -> tuple[OutboxRow, ...]:
    """What is to be sent at `now` (ms UTC), to one channel or all, the longest waiting first.

    What is behind something in its lane that is not due yet waits with it.
    """
    asked = {"now": now, "limit": limit, "channel": channel}
    return tuple(_posted(row) for row in db.execute(_DUE, asked).fetchall())


def next_due(db: Connection) -> int | None:
    """When the next row is to be sent (ms UTC); None when none waits."""
    at: int | None = db.execute(_NEXT).fetchone()[0]
    return at


def backlog(db: Connection, now: int) -> Backlog:
    """What is due and unsent at `now` (ms UTC)."""
    since, waiting = db.execute(_OLDEST, {"now": now}).fetchone()
    return Backlog(waiting, since)


def sent(db: Connection, numbers: Iterable[int], at: int) -> None:
    """These rows arrived, inside the caller's transaction."""
    db.executemany(_SENT, [{"id": number, "at": at} for number in numbers])


def failed(db: Connection, numbers: Iterable[int], again_at: int, error: str) -> None:
    """These rows did not arrive, and are tried again at `again_at` (ms UTC)."""
    rows = [{"id": number, "again_at": again_at, "error": error} for number in numbers]
    db.executemany(_FAILED, rows)


def gave_up(db: Connection, numbers: Iterable[int], at: int, error: str) -> None:
    """These rows will not be tried again."""
    db.executemany(_GAVE_UP, [{"id": number, "at": at, "error": error} for number in numbers])


def cancel(db: Connection, dedup_key: str, at: int) -> int:
    """Take back what was not sent yet, inside the caller's transaction; how many rows."""
    return db.execute(_CANCEL, {"dedup_key": dedup_key, "at": at}).rowcount


def freeze_group(db: Connection, numbers: Iterable[int], fold: str) -> tuple[int, ...]:
    """Make rows one message for good, inside the caller's transaction: none joins it any more.

    What was taken back meanwhile is left out; returns the numbers of the rest.
    """
    return tuple(
        number for number in numbers if db.execute(_SEAL, {"id": number, "fold": fold}).rowcount
    )


def recent_folds(db: Connection, since: int) -> tuple[str, ...]:
    """The folds of what was written at `since` (ms UTC) or later, of the newest 5,000 rows.

    Nothing waits to be folded into what was taken back.
    """
    asked = {"since": since, "most": 5_000}
    return tuple(row[0] for row in db.execute(_RECENT_FOLDS, asked).fetchall())


def lost_since(db: Connection, since: int) -> tuple[OutboxRow, ...]:
    """What was given up at `since` (ms UTC) or later."""
    return tuple(_posted(row) for row in db.execute(_LOST, {"since": since}).fetchall())


def read_posted(db: Connection, episode: int) -> tuple[OutboxRow, ...]:
    """All that was or is to be told of an episode, the oldest first."""
    return tuple(_posted(row) for row in db.execute(_OF_EPISODE, {"episode": episode}).fetchall())


def prune(db: Connection, before: int) -> int:
    """Forget what was settled and written before a moment (ms UTC); how many rows.

    What was told of an episode that is still open is kept: its end must find who was told.
    """
    return db.execute(_TIDY, {"before": before}).rowcount


def _posted(row: Sequence[Any]) -> OutboxRow:
    number, channel, kind, episode, payload, *rest = row
    return OutboxRow(number, channel, kind, episode, json.loads(payload), *rest)
