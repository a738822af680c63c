"""The calendars of rotas, read again when their files change: shifts are swapped all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from watchdeck.config.reading.files import read_file
from watchdeck.config.reading.problems import ConfigProblems
from watchdeck.config.recurrence import shifts_of
from watchdeck.domain.notifications.calendar import CalendarEvent, ShiftsNear, read_calendar
from watchdeck.domain.settings.receivers import OnCallSchedule
from watchdeck.domain.values.text import clean

_LARGEST = 1 << 20
"""Characters of a calendar; a year of four people's shifts takes 300,000."""

_LOOK = 10.0
"""Seconds between two looks at a file."""


def read_events(path: Path, zone: str) -> tuple[CalendarEvent, ...]:
    """The events of an iCalendar file. Raises ConfigProblems, or ValueError that names the line."""
    text = read_file(path).text
    if len(text) > _LARGEST:
        raise ValueError(f"is over {_LARGEST >> 20} MiB")
    return read_calendar(text, zone)


class _LoadedCalendar(Struct, frozen=True):
    shifts: ShiftsNear
    seen: object
    looked_at: float


class CalendarFiles(Mapping[str, ShiftsNear]):
    """The shifts of each rota's file, for any thread; a bad file counts as its last good version.

    `problem` then names the file: a typing mistake must not leave nobody on call.
    """

    def __init__(
        self, rotas: Iterable[OnCallSchedule], steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._rotas = {rota.name: rota for rota in rotas if rota.calendar is not None}
        self._steady = steady
        self._kept: dict[str, _LoadedCalendar] = {}
        self._problems: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def problem(self) -> str:
        """What is wrong with the files; empty when nothing is."""
        return "; ".join(self._problems.values())

    def __getitem__(self, name: str) -> ShiftsNear:
        rota = self._rotas[name]
        with self._lock:
            kept, now = self._kept.get(name), self._steady()
            if kept is None or now - kept.looked_at >= _LOOK:
                kept = self._kept[name] = self._refresh(rota, kept, now)
            return kept.shifts

    def __iter__(self) -> Iterator[str]:
        return iter(self._rotas)

    def __len__(self) -> int:
        return len(self._rotas)

    def _refresh(
        self, rota: OnCallSchedule, before: _LoadedCalendar | None, now: float
    ) -> _LoadedCalendar:
        path = Path(rota.calendar or "")
        shifts, seen = (before.shifts, before.seen) if before else (shifts_of(()), None)
        try:
            found = path.stat()
            mark = (found.st_mtime_ns, found.st_size, found.st_ino)
            if mark != seen:
                shifts, seen = shifts_of(read_events(path, rota.zone)), mark
            self._problems.pop(rota.name, None)
        except (ConfigProblems, OSError, ValueError) as error:
            text = error.problems[0].text if isinstance(error, ConfigProblems) else str(error)
            why = clean(getattr(error, "strerror", None) or text, 200)
            problem = (
                f"the calendar of rota {rota.name} cannot be read, and counts as it was: {why}"
            )
            self._problems[rota.name] = problem
        return _LoadedCalendar(shifts, seen, now)
