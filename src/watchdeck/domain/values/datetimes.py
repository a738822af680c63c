"""Dates and times as text: RFC 3339 timestamps, and hours and days in a time zone."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,30}))?"
    r"(?:[Zz]|([+-])(\d\d):?(\d\d))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ZERO_YEAR = 1


class TimeInterval(Struct, frozen=True):
    """Minutes of the day from `first` until before `last`, past midnight when `last` is less."""

    first: int
    last: int


@lru_cache(maxsize=256)
def read_hours(text: str) -> TimeInterval:
    """Read `08:00-18:00` or, past midnight, `18:00-08:00`. Raises ValueError."""
    match = _HOURS.fullmatch(text.strip()) if len(text) < 40 else None
    example = "write 08:00-18:00, or 18:00-08:00 for the night"
    if match is None:
        raise ValueError(f"is not a span of the day; {example}")
    numbers = [int(part) for part in match.groups()]
    first, last = 60 * numbers[0] + numbers[1], 60 * numbers[2] + numbers[3]
    if last > 1_440:
        raise ValueError(f"ends after 24:00; {example}")
    if first == last:
        raise ValueError(f"has no length; {example}")
    return TimeInterval(first, last)


@lru_cache(maxsize=256)
def read_days(text: str) -> frozenset[int]:
    """Read `mon-fri` or `sat, sun` as numbers of weekdays, Monday 0. Raises ValueError."""
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


def local_datetime(at: int, zone: str) -> datetime:
    """The local date and time of a zone at `at` (ms UTC), as a naive datetime."""
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(read_zone(zone)).replace(tzinfo=None)


def utc_milliseconds(wall: datetime, zone: str) -> int:
    """The moment (ms UTC) of a local date and time of a zone.

    A time that occurs twice, when clocks go back, means the first one; a time that is skipped, when
    clocks go forward, is counted as if they had not.
    """
    return (wall.replace(tzinfo=read_zone(zone)) - _EPOCH) // _MILLISECOND


def is_within(at: int, hours: str, days: str, zone: str) -> bool:
    """Whether `at` (ms UTC) is within the hours and the days of a zone; an empty text means all.

    Hours past midnight belong to the day on which they begin.
    """
    wall = local_datetime(at, zone)
    minute, day = 60 * wall.hour + wall.minute, wall.weekday()
    if hours:
        span = read_hours(hours)
        night = span.last <= span.first
        if night and minute < span.last:
            day = (day - 1) % 7
        elif not (span.first <= minute and (night or minute < span.last)):
            return False
    return not days or day in read_days(days)


def read_rfc3339(text: object) -> int | None:
    """The moment (ms UTC) of an RFC 3339 timestamp; None for other values and Go's zero time.

    Digits below a millisecond are dropped, and a leap second is the second after it.
    """
    match = _RFC3339.fullmatch(text[:64]) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    fraction = int((match[7] or "0").ljust(3, "0")[:3])
    try:
        whole = datetime(year, month, day, hour, minute, tzinfo=_offset(match))
    except ValueError:
        return None
    if year == _ZERO_YEAR or second > 60:
        return None
    return (whole - _EPOCH) // _MILLISECOND + second * 1_000 + fraction


def write_rfc3339(at: int) -> str:
    """A moment (ms UTC) as an RFC 3339 timestamp that Go parses."""
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _offset(match: re.Match[str]) -> timezone:
    if match[8] is None:
        return UTC
    offset = timedelta(hours=int(match[9]), minutes=int(match[10]))
    return timezone(-offset if match[8] == "-" else offset)
