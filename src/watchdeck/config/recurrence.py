"""Expands calendar events that recur into on-call shifts [start, end), one UTC week at a time."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import takewhile

from watchdeck.domain.notifications.calendar import CalendarEvent, RecurrenceRule
from watchdeck.domain.notifications.on_call import OnCallShift, ShiftsNear
from watchdeck.domain.values.datetimes import local_datetime, utc_milliseconds

_WEEK = 7 * 86_400_000
"""Milliseconds that are expanded at once: at most 40 shifts of an event, each up to 31 days."""


def shifts_of(events: Sequence[CalendarEvent]) -> ShiftsNear:
    """Return a function that takes a time (ms UTC) and returns all shifts in its week.

    Any thread may call it. The shifts of four weeks are cached: an escalation asks for the time of
    its first page as well as for now.
    """

    @lru_cache(maxsize=4)
    def expand(week: int) -> tuple[OnCallShift, ...]:
        found = (shift for event in events for shift in _expand(event, week * _WEEK))
        return tuple(sorted(found, key=lambda shift: (-shift.starts_at, shift.person)))

    return lambda now: expand(now // _WEEK)


def _expand(event: CalendarEvent, begins: int) -> Iterator[OnCallShift]:
    """The shifts of an event that overlap the week from `begins` (ms UTC)."""
    for start in _starts(event, event.rule, begins) if event.rule else (event.starts,):
        starts_at = utc_milliseconds(start, event.zone)
        if starts_at < begins + _WEEK and starts_at not in event.exdates:
            ends_at = utc_milliseconds(start + event.duration, event.zone)
            if begins < ends_at:
                yield OnCallShift(event.summary, starts_at, ends_at)


def _starts(event: CalendarEvent, rule: RecurrenceRule, begins: int) -> Iterator[datetime]:
    """The local starts of all shifts that may overlap the week from `begins` (ms UTC).

    dateutil visits every occurrence since DTSTART; a division skips those before the week, with a
    margin of a day for changes of the clock. The weekdays of a daily rule are compared here:
    dateutil would search for one that never comes until the year 9999.
    """
    from dateutil.rrule import DAILY, WEEKLY, rrule

    day, weekly = timedelta(days=1), rule.frequency == "WEEKLY"
    interval = rule.interval * (7 * day if weekly else day)
    earliest = local_datetime(begins, event.zone) - event.duration - day
    latest = local_datetime(begins + _WEEK, event.zone) + day
    skipped = max(0, (earliest - event.starts) // interval)
    starts = rrule(
        WEEKLY if weekly else DAILY,
        dtstart=event.starts + skipped * interval,
        interval=rule.interval,
        wkst=rule.wkst,
        count=rule.count and max(0, rule.count - skipped * (len(rule.byday) or 1)),
        byweekday=rule.byday if weekly and rule.byday else None,
    )
    for start in takewhile(lambda start: start <= latest, starts):
        if rule.until is not None and utc_milliseconds(start, event.zone) > rule.until:
            return
        if not rule.byday or start.weekday() in rule.byday:
            yield start
