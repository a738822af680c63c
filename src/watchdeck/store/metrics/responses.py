"""The last raw answers of every endpoint: what a person looks at when a figure is in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from msgspec.structs import asdict

from watchdeck.domain.metrics.scrape import ResponseRecord

_FORGET = "delete from exchange where endpoint = :endpoint"
_SAVE = """
insert into exchange (endpoint, asked, at, status, headers, body)
values (:endpoint, :asked, :at, :status, :headers, :body)
"""
_READ = """
select x.asked, x.at, x.status, x.headers, x.body from exchange as x
join endpoint as e on e.id = x.endpoint where e.name = :name order by x.id
"""


def save_exchanges(db: Connection, endpoint: int, exchanges: Sequence[ResponseRecord]) -> None:
    """Keep these instead of the earlier ones, inside the caller's transaction."""
    db.execute(_FORGET, {"endpoint": endpoint})
    db.executemany(_SAVE, [{"endpoint": endpoint} | asdict(one) for one in exchanges])


def read_exchanges(db: Connection, endpoint: str) -> tuple[ResponseRecord, ...]:
    """The last answers of one endpoint, in the order they were asked for."""
    return tuple(ResponseRecord(*row) for row in db.execute(_READ, {"name": endpoint}).fetchall())
