"""Change markers, and the last identity of each server, by which changes are detected."""

from sqlite3 import Connection

from msgspec.structs import asdict

from watchdeck.domain.board.board import Change
from watchdeck.domain.metrics.scrape import Identity

_ADD = """
insert into change (id, endpoint, at, what, text, source)
select coalesce(max(id), 0) + 1, :endpoint, :at, :what, :text, :source from change
returning id
"""

_BETWEEN = """
select id, endpoint, at, what, text, source
from change
where at >= :start and at < :end and (:endpoint is null or endpoint = :endpoint)
order by at desc, id desc
limit :limit
"""

_IDENTITIES = "select endpoint, version, started_at, replicas, resets from identity order by 1"

_SAVE_IDENTITY = """
insert into identity (endpoint, at, version, started_at, replicas, resets)
values (:endpoint, :at, :version, :started_at, :replicas, :resets)
on conflict (endpoint) do update
set at = excluded.at, version = excluded.version, started_at = excluded.started_at,
    replicas = excluded.replicas, resets = excluded.resets
"""

MAX_CHANGES = 1_000
"""Limit of markers in one read: a chart cannot show more."""


def record_change(db: Connection, endpoint: str, at: int, what: str, text: str, source: str) -> int:
    """Store a change of an endpoint (a deploy, a restart) at `at` (ms UTC); returns its number.

    Runs in the caller's transaction.
    """
    row = {"endpoint": endpoint, "at": at, "what": what, "text": text, "source": source}
    ((number,),) = db.execute(_ADD, row).fetchall()
    return int(number)


def read_changes(
    db: Connection, start: int, end: int, endpoint: str | None = None, limit: int = MAX_CHANGES
) -> tuple[Change, ...]:
    """The newest `limit` changes from `start` until before `end` (ms UTC), oldest first.

    Those of one endpoint, or of all when `endpoint` is None.
    """
    asked = {"start": start, "end": end, "endpoint": endpoint, "limit": limit}
    rows = db.execute(_BETWEEN, asked).fetchall()
    return tuple(Change(*row) for row in reversed(rows))


def read_identities(db: Connection) -> dict[str, Identity]:
    """The last identity (version, start, replicas, resets) of every server, by endpoint."""
    rows = db.execute(_IDENTITIES).fetchall()
    return {endpoint: Identity(*parts) for endpoint, *parts in rows}


def save_identity(db: Connection, endpoint: str, identity: Identity, at: int) -> None:
    """Store the identity of a server, in the caller's transaction."""
    db.execute(_SAVE_IDENTITY, {"endpoint": endpoint, "at": at, **asdict(identity)})
