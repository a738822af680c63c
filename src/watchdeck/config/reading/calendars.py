"""On-call calendars: iCalendar files, read again when they change, expanded into shifts."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from pathlib import Path

from msgspec import Struct

from watchdeck.config.reading.files import read_file
from watchdeck.config.reading.problems import ConfigProblems
from watchdeck.domain.notifications.calendar import CalendarEvent, RecurrenceRule, read_calendar
from watchdeck.domain.notifications.on_call import OnCallShift, ShiftsNear
from watchdeck.domain.settings.receivers import OnCallSchedule
from watchdeck.domain.values.datetimes import local_datetime, utc_milliseconds
from watchdeck.domain.values.text import clean

_MAX_SIZE = 1 << 20
"""Characters of a calendar; a year of four people's shifts takes 300,000."""

_CHECK_INTERVAL = 10.0
"""Seconds between two checks whether a file has changed."""

_WEEK = 7 * 86_400_000
"""Milliseconds that are expanded at once: at most 40 shifts of an event, each up to 31 days."""


def read_events(path: Path, zone: str) -> tuple[CalendarEvent, ...]:
    """The events of an iCalendar file. Raises ConfigProblems, or ValueError that names the line."""
    text = read_file(path).text
    if len(text) > _MAX_SIZE:
        raise ValueError(f"is over {_MAX_SIZE >> 20} MiB")
    return read_calendar(text, zone)


class _LoadedCalendar(Struct, frozen=True):
    shifts: ShiftsNear
    stamp: object
    checked_at: float


class CalendarFiles(Mapping[str, ShiftsNear]):
    """The shifts of each rota's file; safe from any thread.

    For a bad file the last good version is used, and `problem` names the file: a typing mistake
    must not leave a rota without a person.
    """

    def __init__(
        self, rotas: Iterable[OnCallSchedule], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rotas = {rota.name: rota for rota in rotas if rota.calendar is not None}
        self._clock = clock
        self._calendars: dict[str, _LoadedCalendar] = {}
        self._problems: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def problem(self) -> str:
        """The problems of the files; empty when there is none."""
        return "; ".join(self._problems.values())

    def __getitem__(self, name: str) -> ShiftsNear:
        rota = self._rotas[name]
        with self._lock:
            calendar, now = self._calendars.get(name), self._clock()
            if calendar is None or now - calendar.checked_at >= _CHECK_INTERVAL:
                calendar = self._calendars[name] = self._refresh(rota, calendar, now)
            return calendar.shifts

    def __iter__(self) -> Iterator[str]:
        return iter(self._rotas)

    def __len__(self) -> int:
        return len(self._rotas)

    def _refresh(
        self, rota: OnCallSchedule, before: _LoadedCalendar | None, now: float
    ) -> _LoadedCalendar:
        path = Path(rota.calendar or "")
        shifts, stamp = (before.shifts, before.stamp) if before else (shifts_of(()), None)
        try:
            stat = path.stat()
            new_stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if new_stamp != stamp:
                shifts, stamp = shifts_of(read_events(path, rota.zone)), new_stamp
            self._problems.pop(rota.name, None)
        except (ConfigProblems, OSError, ValueError) as error:
            reason = error.problems[0].text if isinstance(error, ConfigProblems) else str(error)
            why = clean(getattr(error, "strerror", None) or reason, 200)
            text = f"the calendar of rota {rota.name} cannot be read, and counts as it was: {why}"
            self._problems[rota.name] = text
        return _LoadedCalendar(shifts, stamp, now)


def shifts_of(events: Sequence[CalendarEvent]) -> ShiftsNear:
    """The shifts of events, expanded week by week on demand; safe to call from any thread.

    Four weeks stay expanded: an escalation reads the time of its first page as well as now.
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

    dateutil visits every occurrence since DTSTART, so a division skips the intervals before the
    week; a margin of a day is longer than any change of the clock. dateutil also searches until
    the year 9999 for a weekday that a daily rule never meets: the weekdays are compared here.
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
