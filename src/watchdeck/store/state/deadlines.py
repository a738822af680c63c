"""Deadlines after the wall clock was set: each is as far off as it was."""

from __future__ import annotations

from sqlite3 import Connection

_ACKNOWLEDGEMENTS = """
update acknowledgement set expires_at = expires_at + :jump, rev = rev + 1
where ended_at is null and expires_at > :before
"""
_SILENCES = """
update silence set starts_at = starts_at + :jump, ends_at = ends_at + :jump, rev = rev + 1
where ended_at is null and starts_at <= :before and ends_at > :before
"""
_OUTBOX = """
update outbox set not_before = not_before + :jump
where sent_at is null and gave_up_at is null and cancelled_at is null and not_before > :before
"""


def shift_deadlines(db: Connection, jump: int, now: int) -> int:
    """Shift what waits for its time after the clock went to `now` (ms UTC) by a jump (ms).

    Inside the caller's transaction; how many rows. A silence that is yet to begin was meant for a
    time on the wall, and stays there.
    """
    row = {"jump": jump, "before": now - jump}
    statements = (_ACKNOWLEDGEMENTS, _SILENCES, _OUTBOX)
    return sum(db.execute(statement, row).rowcount for statement in statements)
