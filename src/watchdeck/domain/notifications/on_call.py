"""On-call rotas: who is on call at a time, by turns or by a calendar file."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from watchdeck.domain.settings.receivers import OnCallSchedule
from watchdeck.domain.values.datetimes import turns_begun, utc_milliseconds

TURN_LENGTHS = {"daily": timedelta(days=1), "weekly": timedelta(weeks=1)}


class OnCallShift(Struct, frozen=True):
    """A person on call from `starts_at` until before `ends_at` (ms UTC)."""

    person: str
    starts_at: int
    ends_at: int


ShiftsNear = Callable[[int], Sequence[OnCallShift]]
"""A function from a time (ms UTC) to all shifts that include it and some others, newest first."""


def read_local_time(text: str) -> datetime:
    """Parse a time without a zone, such as `2026-01-05T09:00`. Raises ValueError."""
    example = "write a time of the rota's zone such as 2026-01-05T09:00"
    try:
        wall = datetime.fromisoformat(text[:40])
    except ValueError:
        raise ValueError(f"is not a time; {example}") from None
    if wall.tzinfo is not None:
        raise ValueError(f"has a zone of its own; {example}")
    return wall


def person_on_call(rota: OnCallSchedule, shifts: Sequence[OnCallShift], now: int) -> str | None:
    """The person on call at `now` (ms UTC); None when there is none.

    The last override that includes `now` wins over `shifts` (of the calendar, newest first) and
    over the turns of `rota.people`.
    """
    for override in reversed(rota.override):
        begins, ends = read_local_time(override.from_), read_local_time(override.until)
        if utc_milliseconds(begins, rota.zone) <= now < utc_milliseconds(ends, rota.zone):
            return override.person
    if rota.calendar is not None:
        current = (shift for shift in shifts if shift.starts_at <= now < shift.ends_at)
        return next((shift.person for shift in current), None)
    if not rota.people:
        return None
    turn = turns_begun(now, read_local_time(rota.starts), TURN_LENGTHS[rota.turn], rota.zone)
    return rota.people[turn % len(rota.people)]
