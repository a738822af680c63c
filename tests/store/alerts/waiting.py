"""When the next row of the outbox is due: a test that waits sets its clock to that time."""

from watchdeck.store.alerts import outbox
from watchdeck.store.files.connection import Connection

_NEXT = f"select min(not_before) from outbox where {outbox._WAITING}"


def read_next_due(db: Connection) -> int | None:
    """The time (ms UTC) at which the next row is due; None when no row waits."""
    at: int | None = db.execute(_NEXT).fetchone()[0]
    return at
