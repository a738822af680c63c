"""On-call calendars: iCalendar files, read again when they change, expanded into shifts."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from watchdeck.config.reading.files import read_file
from watchdeck.config.reading.problems import ConfigProblems
from watchdeck.config.recurrence import shifts_of
from watchdeck.domain.notifications.calendar import CalendarEvent, read_calendar
from watchdeck.domain.notifications.on_call import ShiftsNear
from watchdeck.domain.settings.receivers import OnCallSchedule
from watchdeck.domain.values.text import clean

_MAX_SIZE = 1 << 20
"""Characters of a calendar; a year of four people's shifts takes 300,000."""

_CHECK_INTERVAL = 10.0
"""Seconds between two checks whether a file has changed."""


def read_events(path: Path, zone: str) -> tuple[CalendarEvent, ...]:
    """The events of an iCalendar file; times without a time zone are in `zone`.

    Raises ConfigProblems when the file cannot be read, ValueError with the line when it is no valid
    calendar.
    """
    text = read_file(path).text
    if len(text) > _MAX_SIZE:
        raise ValueError(f"is over {_MAX_SIZE >> 20} MiB")
    return read_calendar(text, zone)


class _LoadedCalendar(Struct, frozen=True):
    shifts: ShiftsNear
    stamp: object
    checked_at: float


class CalendarFiles(Mapping[str, ShiftsNear]):
    """The shifts of each rota that has a calendar file, by rota name; safe from any thread.

    While a file is bad, its last good version is used and `problem` names the file: a typing
    mistake must not leave a rota without a person.
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
