"""The outbox: messages that are stored in the transaction of their cause, and sent later."""

import json
from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import Struct

from watchdeck.domain.notifications.message import LastMessage, MessageKind
from watchdeck.domain.notifications.outbox import OutboxEntry, OutboxRow
from watchdeck.domain.settings.receivers import CONSOLE
from watchdeck.redaction import redact

_INSERT = """
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
"""Also frees the deduplication key: what is cancelled now may happen again later."""

_GIVEN_UP_SINCE = f"select {_COLUMNS} from outbox where gave_up_at >= :since order by id"
_OF_EPISODE = f"select {_COLUMNS} from outbox where episode = :episode order by id"
_OF_RECEIVERS = """
select channel, kind, payload from outbox
where episode = :episode and channel <> :console and cancelled_at is null and gave_up_at is null
order by id
"""
_FREEZE = f"update outbox set fold = :fold where id = :id and {_WAITING}"
_RECENT_GROUPS = """
select distinct fold from (
    select fold, created_at from outbox
    where fold <> '' and cancelled_at is null order by id desc limit :most
) as newest where created_at >= :since order by fold
"""
_PRUNE = """
delete from outbox
where created_at < :before and (sent_at is not null or gave_up_at is not null
    or cancelled_at is not null)
and not exists (select 1 from episode where id = outbox.episode and ended_at is null)
"""

OUTBOX_RETENTION = 90 * 86_400_000
"""Milliseconds that sent, given up and cancelled rows of ended episodes are stored."""


class Backlog(Struct, frozen=True):
    """The number and age of the outbox rows that are due and not sent."""

    waiting: int
    """Number of rows."""
    since: int | None
    """Creation time of the oldest row (ms UTC); None when there is no row."""


def enqueue(db: Connection, entries: Iterable[OutboxEntry], now: int) -> int:
    """Insert outbox rows, in the caller's transaction; returns how many were inserted.

    A row is skipped when its channel already has a row with the same deduplication key.
    """
    return sum(db.execute(_INSERT, _row(entry, now)).rowcount for entry in entries)


def _row(entry: OutboxEntry, now: int) -> dict[str, Any]:
    return {
        "channel": entry.channel,
        "kind": entry.kind,
        "episode": entry.episode,
        "payload": json.dumps(entry.payload, sort_keys=True),
        "dedup_key": entry.dedup_key,
        "fold": entry.group,
        "lane": entry.ordering_key,
        "created_at": now,
        "not_before": entry.not_before,
        "sent_at": now if entry.is_delivered else None,
    }


def read_due_channels(db: Connection, now: int) -> tuple[str, ...]:
    """The names of the channels that have rows due at `now` (ms UTC)."""
    return tuple(row[0] for row in db.execute(_DUE_CHANNELS, {"now": now}).fetchall())


def read_due(
    db: Connection, now: int, limit: int = 500, channel: str | None = None
) -> tuple[OutboxRow, ...]:
    """Up to `limit` rows due at `now` (ms UTC), of one channel or all (None), longest due first.

    A row is left out while an earlier row of the same episode and ordering key is not due yet.
    """
    asked = {"now": now, "limit": limit, "channel": channel}
    return tuple(_outbox_row(row) for row in db.execute(_DUE, asked).fetchall())


def read_backlog(db: Connection, now: int) -> Backlog:
    """Count the rows that are due and not sent at `now` (ms UTC)."""
    since, waiting = db.execute(_OLDEST, {"now": now}).fetchone()
    return Backlog(waiting, since)


def mark_sent(db: Connection, numbers: Iterable[int], at: int) -> None:
    """Mark rows as sent at `at` (ms UTC), in the caller's transaction."""
    db.executemany(_SENT, [{"id": number, "at": at} for number in numbers])


def mark_failed(db: Connection, numbers: Iterable[int], again_at: int, error: str) -> None:
    """Count a failed attempt to send rows; the next attempt is due at `again_at` (ms UTC)."""
    error = redact(error)
    rows = [{"id": number, "again_at": again_at, "error": error} for number in numbers]
    db.executemany(_FAILED, rows)


def mark_given_up(db: Connection, numbers: Iterable[int], at: int, error: str) -> None:
    """Mark rows as given up at `at` (ms UTC): they are not attempted again."""
    error = redact(error)
    db.executemany(_GAVE_UP, [{"id": number, "at": at, "error": error} for number in numbers])


def cancel(db: Connection, dedup_key: str, at: int) -> int:
    """Cancel the waiting rows with a deduplication key at `at` (ms UTC); returns how many.

    The key can then be used again. Runs in the caller's transaction.
    """
    return db.execute(_CANCEL, {"dedup_key": dedup_key, "at": at}).rowcount


def freeze_group(db: Connection, numbers: Iterable[int], fold: str) -> tuple[int, ...]:
    """Put rows into the group `fold`: they become one notification, which no later row joins.

    Runs in the caller's transaction. Returns the numbers of these rows, without those that were
    sent, given up or cancelled meanwhile.
    """
    return tuple(
        number for number in numbers if db.execute(_FREEZE, {"id": number, "fold": fold}).rowcount
    )


def read_recent_groups(db: Connection, since: int) -> tuple[str, ...]:
    """The names of the groups that have a row created at `since` (ms UTC) or later.

    The rows of a group are sent as one notification. Only the newest 5,000 rows with a group are
    searched; cancelled rows are ignored and do not count.
    """
    asked = {"since": since, "most": 5_000}
    return tuple(row[0] for row in db.execute(_RECENT_GROUPS, asked).fetchall())


def read_given_up(db: Connection, since: int) -> tuple[OutboxRow, ...]:
    """The rows given up at `since` (ms UTC) or later."""
    return tuple(
        _outbox_row(row) for row in db.execute(_GIVEN_UP_SINCE, {"since": since}).fetchall()
    )


def read_episode_outbox(db: Connection, episode: int) -> tuple[OutboxRow, ...]:
    """All rows of an episode, sent or not, oldest first."""
    return tuple(
        _outbox_row(row) for row in db.execute(_OF_EPISODE, {"episode": episode}).fetchall()
    )


def read_last_messages(db: Connection, episode: int) -> dict[str, LastMessage]:
    """The newest message of each channel about an episode, by channel, and all its people.

    Cancelled messages and those that were given up do not count.
    """
    found: dict[str, LastMessage] = {}
    asked = {"episode": episode, "console": CONSOLE}
    for channel, kind, payload in db.execute(_OF_RECEIVERS, asked).fetchall():
        before = found[channel].people if channel in found else ()
        people = dict.fromkeys((*before, *json.loads(payload).get("on_call", ())))
        found[channel] = LastMessage(MessageKind(kind), tuple(people))
    return found


def prune(db: Connection, before: int) -> int:
    """Delete settled rows created before `before` (ms UTC); returns how many.

    Settled means sent, given up or cancelled. The rows of open episodes are kept: they show which
    channels to tell of the end of the episode.
    """
    return db.execute(_PRUNE, {"before": before}).rowcount


def _outbox_row(row: Sequence[Any]) -> OutboxRow:
    number, channel, kind, episode, payload, *rest = row
    return OutboxRow(number, channel, kind, episode, json.loads(payload), *rest)


_QUIET = "('resolved', 'acknowledged', 'unacknowledged', 'silenced', 'reminder')"
"""Kinds of message that page nobody."""

_JOINING = "('returned', 'repeated')"
"""Kinds of message that page under the key of the first page of their episode."""

_OPENS = f"""
o.sent_at is not null and o.kind not in {_QUIET} and (o.kind not in {_JOINING} or not exists (
    select 1 from outbox as p where p.episode = o.episode and p.channel = o.channel and p.id < o.id
    and p.sent_at is not null and p.kind not in {_QUIET}
))
"""
"""Whether a row (`o`) made its group one of its episode: it was sent, and pages under its key."""

_GROUPS = f"""
select distinct o.fold from outbox as o
where o.channel = :channel and o.episode = :episode and {_OPENS}
order by o.fold
"""

_FIRST_GROUP = f"""
select fold from outbox
where channel = :channel and episode = :episode and sent_at is not null and kind not in {_QUIET}
order by id limit 1
"""

_MEMBERS = f"""
select distinct e.id, e.ended_at is null, exists (
    select 1 from acknowledgement as k where k.episode = e.id and k.ended_at is null
), (select max(k.ended_at) from acknowledgement as k where k.episode = e.id)
from outbox as o join episode as e on e.id = o.episode
where o.channel = :channel and o.fold = :fold and {_OPENS}
order by e.id
"""

_UNACKNOWLEDGED_GROUPS = f"""
select distinct o.fold from outbox as o join episode as e on e.id = o.episode
where o.channel = :channel and {_OPENS}
and e.ended_at is null and not exists (
    select 1 from acknowledgement as k where k.episode = e.id and k.ended_at is null
)
order by o.fold
"""


class NotifiedGroup(Struct, frozen=True):
    """A group of messages sent to one channel, with the open episodes that they paged about."""

    group: str
    open: tuple[int, ...]
    """Numbers of the open episodes."""
    unacknowledged: tuple[int, ...]
    """Numbers of the open episodes without an owner."""
    released_at: int = 0
    """When an unacknowledged episode last lost its owner (ms UTC); 0 when none ever had one."""

    @property
    def is_over(self) -> bool:
        """Whether all episodes of the group have ended."""
        return not self.open

    @property
    def is_acknowledged(self) -> bool:
        """Whether every open episode of the group has an owner."""
        return not self.unacknowledged


def read_notified_groups(
    db: Connection, channel: str, episodes: Iterable[int]
) -> tuple[NotifiedGroup, ...]:
    """The groups in which any of these episodes paged the channel; empty when none did."""
    groups = {
        row[0]: None
        for number in episodes
        for row in db.execute(_GROUPS, {"channel": channel, "episode": number}).fetchall()
    }
    return tuple(_notified_group(db, channel, group) for group in groups)


def read_first_group(db: Connection, channel: str, episode: int) -> NotifiedGroup | None:
    """The group in which an episode paged a channel first; None when it did not yet."""
    row = db.execute(_FIRST_GROUP, {"channel": channel, "episode": episode}).fetchone()
    return None if row is None else _notified_group(db, channel, row[0])


def read_unacknowledged_groups(db: Connection, channel: str) -> tuple[NotifiedGroup, ...]:
    """The groups that paged a channel and have an open episode without an owner."""
    rows = db.execute(_UNACKNOWLEDGED_GROUPS, {"channel": channel}).fetchall()
    return tuple(_notified_group(db, channel, row[0]) for row in rows)


def _notified_group(db: Connection, channel: str, group: str) -> NotifiedGroup:
    rows = db.execute(_MEMBERS, {"channel": channel, "fold": group}).fetchall()
    open_rows = [row for row in rows if row[1]]
    unowned = [
        (number, released_at) for number, _, has_owner, released_at in open_rows if not has_owner
    ]
    return NotifiedGroup(
        group,
        tuple(number for number, *_ in open_rows),
        tuple(number for number, _ in unowned),
        max((released_at or 0 for _, released_at in unowned), default=0),
    )
