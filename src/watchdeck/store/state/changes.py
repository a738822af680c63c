"""Change markers, and the last identity of each server, by which changes are detected."""

from sqlite3 import Connection

from msgspec import json
from msgspec.structs import asdict

from watchdeck.domain.board.board import Change
from watchdeck.domain.board.identity_history import KnownIdentity
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

_IDENTITIES = """
select endpoint, start_seen_at, restarted_at, known_values, version, started_at, replicas, resets,
    server_version, certificate, host
from identity order by endpoint
"""

_SAVE_IDENTITY = """
insert into identity (
    endpoint, at, version, started_at, replicas, resets, server_version, certificate, host,
    start_seen_at, restarted_at, known_values
) values (
    :endpoint, :at, :version, :started_at, :replicas, :resets, :server_version, :certificate, :host,
    :start_seen_at, :restarted_at, :known_values
)
on conflict (endpoint) do update
set at = excluded.at, version = excluded.version, started_at = excluded.started_at,
    replicas = excluded.replicas, resets = excluded.resets,
    server_version = excluded.server_version, certificate = excluded.certificate,
    host = excluded.host, start_seen_at = excluded.start_seen_at,
    restarted_at = excluded.restarted_at, known_values = excluded.known_values
"""

_VALUES = json.Decoder(dict[str, tuple[str, ...]])

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


def read_identities(db: Connection) -> dict[str, KnownIdentity]:
    """What is known of the identity of every server, by endpoint."""
    rows = db.execute(_IDENTITIES).fetchall()
    return {
        endpoint: KnownIdentity(
            Identity(*parts), start_seen_at, restarted_at, _VALUES.decode(values)
        )
        for endpoint, start_seen_at, restarted_at, values, *parts in rows
    }


def save_identity(db: Connection, endpoint: str, known: KnownIdentity, at: int) -> None:
    """Store what is known of the identity of a server, in the caller's transaction."""
    row = {
        "endpoint": endpoint,
        "at": at,
        "start_seen_at": known.start_seen_at,
        "restarted_at": known.restarted_at,
        "known_values": json.encode(known.values).decode(),
        **asdict(known.identity),
    }
    db.execute(_SAVE_IDENTITY, row)
