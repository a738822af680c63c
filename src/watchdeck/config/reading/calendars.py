"""The calendars of rotas, read again when their files change: shifts are swapped all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from watchdeck.config.reading.files import read_file
from watchdeck.config.reading.problems import ConfigProblems
from watchdeck.domain.notifications.calendar import Event, read_calendar
from watchdeck.domain.settings.receivers import OnCallSchedule
from watchdeck.domain.values.text import clean

_LARGEST = 1 << 20
"""Characters of a calendar; a year of four people's shifts takes 300,000."""

_LOOK = 10.0
"""Seconds between two looks at a file."""


def read_shifts(path: Path, zone: str) -> tuple[Event, ...]:
    """The events of an iCalendar file. Raises ConfigProblems, or ValueError that names the line."""
    text = read_file(path).text
    if len(text) > _LARGEST:
        raise ValueError(f"is over {_LARGEST >> 20} MiB")
    return read_calendar(text, zone)


class _LoadedCalendar(Struct, frozen=True):
    events: tuple[Event, ...]
    seen: object
    looked_at: float


class CalendarFiles(Mapping[str, tuple[Event, ...]]):
    """The events of each rota's file, from any thread; a file that went bad counts as it was.

    `problem` says so meanwhile: whoever is on call must not be nobody for a typing mistake.
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

    def __getitem__(self, name: str) -> tuple[Event, ...]:
        rota = self._rotas[name]
        with self._lock:
            kept, now = self._kept.get(name), self._steady()
            if kept is None or now - kept.looked_at >= _LOOK:
                kept = self._kept[name] = self._looked(rota, kept, now)
            return kept.events

    def __iter__(self) -> Iterator[str]:
        return iter(self._rotas)

    def __len__(self) -> int:
        return len(self._rotas)

    def _looked(
        self, rota: OnCallSchedule, before: _LoadedCalendar | None, now: float
    ) -> _LoadedCalendar:
        path = Path(rota.calendar or "")
        events, seen = (before.events, before.seen) if before else ((), None)
        try:
            found = path.stat()
            mark = (found.st_mtime_ns, found.st_size, found.st_ino)
            if mark != seen:
                events, seen = read_shifts(path, rota.zone), mark
            self._problems.pop(rota.name, None)
        except ConfigProblems as error:
            self._problems[rota.name] = _words(rota, error.problems[0].text)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            self._problems[rota.name] = _words(rota, why)
        return _LoadedCalendar(events, seen, now)


def _words(rota: OnCallSchedule, why: str) -> str:
    return (
        f"the calendar of rota {rota.name} cannot be read, and counts as it was: {clean(why, 200)}"
    )
