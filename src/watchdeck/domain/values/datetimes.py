"""Dates and times as text: RFC 3339 timestamps, and hours and days in a time zone.

Local times follow the wall clock of their zone. A period of the day is open while the clock shows a
time within it, so it ends when the clock says so, in every night. A date with a time of day is one
moment: the first at which the clock shows that time or, where clocks skip it, a later one.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
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
_DAY = timedelta(days=1)
_ZERO_YEAR = 1


class TimeInterval(Struct, frozen=True):
    """Minutes of the day from `first` until before `last`, past midnight when `last` is less."""

    first: int
    last: int

    @property
    def length(self) -> timedelta:
        """Length by the wall clock; a whole day when `first` is `last`."""
        return timedelta(minutes=(self.last - self.first) % 1_440 or 1_440)


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
    clocks go forward, means the moment of the change.
    """
    first = wall.replace(tzinfo=read_zone(zone), fold=0)
    second = first.replace(fold=1)
    begins, ends = (second - _EPOCH) // _MILLISECOND, (first - _EPOCH) // _MILLISECOND
    if _utc_offset(first) < _utc_offset(second):
        return _clock_change(begins, ends, zone)
    return ends


def local_period(at: int, first: datetime, last: datetime, zone: str) -> tuple[int, int]:
    """The period (ms UTC) around `at` in which a zone's clock shows `first` until before `last`.

    The clock shows such a time at `at`. Where clocks go back over `first` or `last`, there are two
    periods, and this is the one that includes `at`.
    """
    return _period_start(at, first, last, zone), _period_end(at, first, last, zone)


def days_including(wall: datetime, minute: int, length: timedelta) -> Iterator[date]:
    """The days, latest first, whose period from `minute` on includes the local time `wall`."""
    for back in range(length // _DAY + 2):
        day = wall.date() - back * _DAY
        starts = datetime.combine(day, time()) + timedelta(minutes=minute)
        if starts <= wall < starts + length:
            yield day


def turns_begun(now: int, first: datetime, length: timedelta, zone: str) -> int:
    """How many turns have begun after that which starts at the local time `first`.

    Each starts once, even at a time that the clock shows twice.
    """
    begun = (local_datetime(now, zone) - first) // length + 1
    while utc_milliseconds(first + begun * length, zone) > now:
        begun -= 1
    return begun


def is_within(at: int, hours: str, days: str, zone: str) -> bool:
    """Whether `at` (ms UTC) is within the hours and the days of a zone; an empty text means all.

    Hours past midnight belong to the day on which they begin.
    """
    span = read_hours(hours) if hours else TimeInterval(0, 0)
    begun = days_including(local_datetime(at, zone), span.first, span.length)
    return any(not days or day.weekday() in read_days(days) for day in begun)


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


def _utc_offset(aware: datetime) -> timedelta:
    return aware.utcoffset() or timedelta()


def _offset_at(at: int, zone: str) -> timedelta:
    """The UTC offset of a zone at `at` (ms UTC)."""
    return local_datetime(at, zone) - local_datetime(at, "UTC")


def _clock_change(before: int, after: int, zone: str) -> int:
    """The first moment (ms UTC) with the offset of `after`, when `before` has another."""
    offset = _offset_at(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset_at(middle, zone) == offset:
            after = middle
        else:
            before = middle
    return after


def _period_start(at: int, first: datetime, last: datetime, zone: str) -> int:
    start = at - (local_datetime(at, zone) - first) // _MILLISECOND
    if _offset_at(start - 1, zone) == _offset_at(at, zone):
        return start
    change = _clock_change(start - 1, at, zone)
    if first <= local_datetime(change - 1, zone) < last:
        return _period_start(change - 1, first, last, zone)
    return change


def _period_end(at: int, first: datetime, last: datetime, zone: str) -> int:
    end = at + (last - local_datetime(at, zone)) // _MILLISECOND
    if _offset_at(end, zone) == _offset_at(at, zone):
        return end
    change = _clock_change(at, end, zone)
    if first <= local_datetime(change, zone) < last:
        return _period_end(change, first, last, zone)
    return change


def _offset(match: re.Match[str]) -> timezone:
    if match[8] is None:
        return UTC
    offset = timedelta(hours=int(match[9]), minutes=int(match[10]))
    return timezone(-offset if match[8] == "-" else offset)
