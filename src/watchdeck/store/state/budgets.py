"""The consumption of error budgets, saved now and then so that a restart need not recount it."""

from collections.abc import Iterable
from sqlite3 import Connection

from msgspec import Struct


class SavedBudget(Struct, frozen=True):
    """The consumption of one budget of one endpoint, as bytes, up to `at` (ms UTC)."""

    endpoint: str
    signal: str
    at: int
    state: bytes


_SAVE = """
insert into budget (endpoint, signal, at, state) values (:endpoint, :signal, :at, :state)
on conflict (endpoint, signal) do update set at = excluded.at, state = excluded.state
"""
_READ = "select signal, at, state from budget where endpoint = :endpoint order by signal"
_DELETE = "delete from budget"


def save_budgets(db: Connection, budgets: Iterable[SavedBudget]) -> None:
    """Store budgets in place of older ones, in the caller's transaction."""
    db.executemany(
        _SAVE,
        (
            {"endpoint": one.endpoint, "signal": one.signal, "at": one.at, "state": one.state}
            for one in budgets
        ),
    )


def read_budgets(db: Connection, endpoint: str) -> dict[str, SavedBudget]:
    """The saved budgets of an endpoint, by signal."""
    rows = db.execute(_READ, {"endpoint": endpoint}).fetchall()
    return {signal: SavedBudget(endpoint, signal, at, state) for signal, at, state in rows}


def delete_budgets(db: Connection) -> None:
    """Delete all saved budgets, in the caller's transaction: their times hold no more."""
    db.execute(_DELETE)
