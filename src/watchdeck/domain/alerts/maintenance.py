"""Maintenance: when planned work makes alerts expected, once or again and again, in a zone's time.

What a rule of the calendar means is decided by the wall clock of its zone; how long it lasts is
real time, so that a change of the clock makes no window longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from msgspec import Struct

from watchdeck.domain.values.local_time import local, moment
from watchdeck.domain.values.matcher import Matcher

_DAY = 86_400_000
_WEEK = 7


class Recurrence(Struct, frozen=True):
    """A rule of the calendar: on which days (0 Monday) it opens, at which minute of the local day.

    No `days` are all days. `weeks` says which of the month: 1 the first Monday, -1 the last; none
    are all. `lasts` is in ms. A minute that the clock skips opens as much later, one that it shows
    twice opens at the first.
    """

    minute: int
    lasts: int
    days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()

    def falls_on(self, day: date) -> bool:
        """Whether it opens on a day."""
        if self.days and day.weekday() not in self.days:
            return False
        first = (day.day - 1) // _WEEK + 1
        last = -1 if (day + timedelta(days=_WEEK)).month != day.month else 0
        return not self.weeks or first in self.weeks or last in self.weeks


class MaintenanceWindow(Struct, frozen=True):
    """One time of planned work, from `opens` until before `closes` (ms UTC)."""

    opens: int
    closes: int


_ALWAYS = MaintenanceWindow(0, 1 << 62)


class Maintenance(Struct, frozen=True):
    """Planned work on whatever the matchers mean: nobody is told of its alerts while it lasts.

    Between `starts_at` and `ends_at` (ms UTC; None is open) it is one long window or, with a
    recurrence, many short ones in `zone`.
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
    def names_severity(self) -> bool:
        """Whether it says itself which severities it is about."""
        return any(matcher.label == "severity" for matcher in self.matchers)


def window_at(work: Maintenance, now: int) -> MaintenanceWindow | None:
    """The window that is open at `now` (ms UTC), the one that closes last; None when none is."""
    open_now = (one for one in _windows(work, now) if one.opens <= now < one.closes)
    return max(open_now, key=lambda one: one.closes, default=None)


def _windows(work: Maintenance, now: int) -> Iterator[MaintenanceWindow]:
    """The windows that can be open at `now`, the first first."""
    if work.recurrence is None:
        yield from _bounded(work, _ALWAYS)
        return
    today = local(now, work.zone).date()
    for offset in range(-work.recurrence.lasts // _DAY - 1, 1):
        day = today + timedelta(days=offset)
        if work.recurrence.falls_on(day):
            yield from _bounded(work, _opened(work.recurrence, day, work.zone))


def _opened(recurrence: Recurrence, day: date, zone: str) -> MaintenanceWindow:
    wall = datetime.combine(day, time()) + timedelta(minutes=recurrence.minute)
    opens = moment(wall, zone)
    return MaintenanceWindow(opens, opens + recurrence.lasts)


def _bounded(work: Maintenance, window: MaintenanceWindow) -> Iterator[MaintenanceWindow]:
    """The part of a window within which there is maintenance at all."""
    opens = max(window.opens, _ALWAYS.opens if work.starts_at is None else work.starts_at)
    closes = min(window.closes, _ALWAYS.closes if work.ends_at is None else work.ends_at)
    if opens < closes:
        yield MaintenanceWindow(opens, closes)
