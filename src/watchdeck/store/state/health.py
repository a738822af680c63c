"""The health of every model, now and at any past moment."""

from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import Any

from msgspec.structs import asdict

from watchdeck.domain.board.board import Health, HealthChange

_ADD = """
insert into health_change (endpoint, at, health, cause, why, since)
values (:endpoint, :at, :health, :cause, :why, :since)
on conflict (endpoint, at) do update
set health = excluded.health, cause = excluded.cause, why = excluded.why,
    since = excluded.since
"""

_SET = """
insert into health (endpoint, at, health, cause, why, since)
values (:endpoint, :at, :health, :cause, :why, :since)
on conflict (endpoint) do update
set at = excluded.at, health = excluded.health, cause = excluded.cause, why = excluded.why,
    since = excluded.since
"""
"""The newest is what was stored last, whatever its time: the clock may have been set back."""

_NOW = "select endpoint, at, health, cause, why, since from health order by endpoint"

_THEN = """
select endpoint, at, health, cause, why, since
from health_change
where (endpoint, at) in (
    select h.endpoint, (
        select max(p.at) from health_change as p where p.endpoint = h.endpoint and p.at <= :at
    )
    from health as h
)
order by endpoint
"""
"""A join instead would read every stored change."""

_BETWEEN = """
select endpoint, at, health, cause, why, since
from health_change
where endpoint = :endpoint and at < :end and at >= coalesce(
    (select max(at) from health_change where endpoint = :endpoint and at <= :start), :start
)
order by at
"""


def record_health(db: Connection, changes: Iterable[HealthChange]) -> None:
    """Store health changes, in the caller's transaction.

    The change stored last is the current health of its endpoint. Of two changes with the same
    endpoint and time, the one stored last is kept.
    """
    rows = [asdict(change) for change in changes]
    db.executemany(_ADD, rows)
    db.executemany(_SET, rows)


def read_health(db: Connection, at: int | None = None) -> dict[str, HealthChange]:
    """The health by endpoint, now (None) or at a past moment `at` (ms UTC).

    An endpoint that was not evaluated by then is absent.
    """
    rows = db.execute(_NOW) if at is None else db.execute(_THEN, {"at": at})
    return {row[0]: _change(row) for row in rows.fetchall()}


def read_health_history(
    db: Connection, endpoint: str, start: int, end: int
) -> tuple[HealthChange, ...]:
    """The health change in force at `start`, then all later ones until before `end` (ms UTC)."""
    asked = {"endpoint": endpoint, "start": start, "end": end}
    return tuple(_change(row) for row in db.execute(_BETWEEN, asked).fetchall())


def _change(row: Sequence[Any]) -> HealthChange:
    endpoint, at, health, cause, why, since = row
    return HealthChange(endpoint, at, Health(health), cause, why, since)
