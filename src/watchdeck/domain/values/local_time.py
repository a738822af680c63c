"""Times of day and days of the week, as people write them, in a zone of their own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SPAN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TimeInterval(Struct, frozen=True):
    """Minutes of the day from `first` until before `last`, over midnight when `last` is less."""

    first: int
    last: int


@lru_cache(maxsize=256)
def read_hours(text: str) -> TimeInterval:
    """Read `08:00-18:00` or, over midnight, `18:00-08:00`. Raises ValueError."""
    match = _SPAN.fullmatch(text.strip()) if len(text) < 40 else None
    example = "write 08:00-18:00, or 18:00-08:00 for the night"
    if match is None:
        raise ValueError(f"is not a span of the day; {example}")
    numbers = [int(part) for part in match.groups()]
    first, last = 60 * numbers[0] + numbers[1], 60 * numbers[2] + numbers[3]
    if last > 1_440:
        raise ValueError(f"ends after midnight's 24:00; {example}")
    if first == last:
        raise ValueError(f"is no time at all; {example}")
    return TimeInterval(first, last)


@lru_cache(maxsize=256)
def read_days(text: str) -> frozenset[int]:
    """Read `mon-fri` or `sat, sun`; Monday is 0. Raises ValueError."""
    found: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = (word.strip() for word in part.partition("-"))
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError("is not a list of days; write mon-fri, or sat, sun")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(found)


@lru_cache(maxsize=64)
def read_zone(name: str) -> ZoneInfo:
    """The time zone of a name such as Europe/Berlin. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (OSError, LookupError, ValueError):
        raise ValueError("is not a time zone; write a name such as Europe/Berlin, or UTC") from None


def local(now: int, zone: str) -> datetime:
    """The clock on the wall of a zone at `now` (ms UTC), without its zone."""
    moment = _EPOCH + timedelta(milliseconds=now)
    return moment.astimezone(read_zone(zone)).replace(tzinfo=None)


def moment(wall: datetime, zone: str) -> int:
    """When (ms UTC) a clock on the wall of a zone says so.

    What it says twice, when clocks go back, is the first time; what it never says, when they go
    forward, is as if they had not.
    """
    return (wall.replace(tzinfo=read_zone(zone)) - _EPOCH) // timedelta(milliseconds=1)


def contains(now: int, hours: str, days: str, zone: str) -> bool:
    """Whether `now` (ms UTC) falls into hours of days; an empty text is all of them.

    A night belongs to the day on which it begins.
    """
    wall = local(now, zone)
    minute, day = 60 * wall.hour + wall.minute, wall.weekday()
    if hours:
        span = read_hours(hours)
        night = span.last <= span.first
        if night and minute < span.last:
            day = (day - 1) % 7
        elif not (span.first <= minute and (night or minute < span.last)):
            return False
    return not days or day in read_days(days)
