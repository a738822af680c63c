"""On-call rotas: who is on call at a time, by turns or by a calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from watchdeck.domain.notifications.calendar import OnCallShift
from watchdeck.domain.settings.receivers import OnCallSchedule
from watchdeck.domain.values.local_time import local, moment

TURNS = {"daily": timedelta(days=1), "weekly": timedelta(weeks=1)}


def read_wall(text: str) -> datetime:
    """Read `2026-01-05T09:00`, a time without a zone. Raises ValueError."""
    example = "write a time of the rota's zone such as 2026-01-05T09:00"
    try:
        wall = datetime.fromisoformat(text[:40])
    except ValueError:
        raise ValueError(f"is not a time; {example}") from None
    if wall.tzinfo is not None:
        raise ValueError(f"has a zone of its own; {example}")
    return wall


def on_call(rota: OnCallSchedule, shifts: Sequence[OnCallShift], now: int) -> str | None:
    """Who is on call at `now` (ms UTC); None when nobody is.

    The last override that includes `now` precedes `shifts`, those of the calendar, newest first.
    """
    for override in reversed(rota.override):
        begins, ends = read_wall(override.from_), read_wall(override.until)
        if moment(begins, rota.zone) <= now < moment(ends, rota.zone):
            return override.person
    if rota.calendar is not None:
        current = (shift for shift in shifts if shift.starts_at <= now < shift.ends_at)
        return next((shift.person for shift in current), None)
    if not rota.people:
        return None
    turns = (local(now, rota.zone) - read_wall(rota.starts)) // TURNS[rota.turn]
    return rota.people[turns % len(rota.people)]
