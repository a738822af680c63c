"""Maintenance windows of planned work: one period, or a recurrence in a time zone.

The wall clock of the zone decides when a window opens and closes: in the nights in which clocks
change, it is as much shorter or longer.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from msgspec import Struct

from watchdeck.domain.values.datetimes import days_including, local_datetime, local_period
from watchdeck.domain.values.matcher import Matcher

_WEEK = 7


class Recurrence(Struct, frozen=True):
    """A weekly or monthly recurrence of maintenance windows, in local time."""

    minute: int
    """Minute of the day at which a window opens."""
    duration: int
    """Length of a window by the wall clock, in ms."""
    days: tuple[int, ...] = ()
    """Weekdays, 0 is Monday; empty means every day."""
    weeks: tuple[int, ...] = ()
    """Which of these weekdays of a month: 1 is the first, -1 the last; empty means all."""

    def is_on(self, day: date) -> bool:
        """Whether a window opens on a local day."""
        if self.days and day.weekday() not in self.days:
            return False
        first = (day.day - 1) // _WEEK + 1
        last = -1 if (day + timedelta(days=_WEEK)).month != day.month else 0
        return not self.weeks or first in self.weeks or last in self.weeks


class MaintenanceWindow(Struct, frozen=True):
    """One period of planned work, from `opens` until before `closes` (ms UTC)."""

    opens: int
    closes: int


_ALWAYS = MaintenanceWindow(0, 1 << 62)


class Maintenance(Struct, frozen=True):
    """Planned work, in whose windows the alerts that the matchers select are muted.

    Without a recurrence there is one window, from `starts_at` to `ends_at` (ms UTC; None is
    unlimited); with one, each occurrence in `zone` between the two is a window.
    """

    name: str
    matchers: tuple[Matcher, ...]
    reason: str = ""
    starts_at: int | None = None
    ends_at: int | None = None
    recurrence: Recurrence | None = None
    zone: str = "UTC"
    by: str = ""

    @property
    def has_severity_matcher(self) -> bool:
        """Whether a matcher names the severity.

        With one, an alert that becomes more severe stays muted while the matchers match; without
        one, it is no longer muted.
        """
        return any(matcher.label == "severity" for matcher in self.matchers)


def window_at(work: Maintenance, now: int) -> MaintenanceWindow | None:
    """The open window at `now` (ms UTC) that closes last; None when no window is open."""
    open_now = (one for one in _windows(work, now) if one.opens <= now < one.closes)
    return max(open_now, key=lambda one: one.closes, default=None)


def _windows(work: Maintenance, now: int) -> Iterator[MaintenanceWindow]:
    """The windows that can be open at `now`."""
    if work.recurrence is None:
        yield from _clip_window(work, _ALWAYS)
        return
    minute, length = work.recurrence.minute, timedelta(milliseconds=work.recurrence.duration)
    for day in days_including(local_datetime(now, work.zone), minute, length):
        if work.recurrence.is_on(day):
            first = datetime.combine(day, time()) + timedelta(minutes=minute)
            period = local_period(now, first, first + length, work.zone)
            yield from _clip_window(work, MaintenanceWindow(*period))


def _clip_window(work: Maintenance, window: MaintenanceWindow) -> Iterator[MaintenanceWindow]:
    """The part of a window between the start and the end of the maintenance, if any."""
    opens = max(window.opens, _ALWAYS.opens if work.starts_at is None else work.starts_at)
    closes = min(window.closes, _ALWAYS.closes if work.ends_at is None else work.ends_at)
    if opens < closes:
        yield MaintenanceWindow(opens, closes)
