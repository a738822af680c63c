"""Moments as other programs write them: RFC 3339, with Go's nine digits and its zero time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,30}))?"
    r"(?:[Zz]|([+-])(\d\d):?(\d\d))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ZERO_YEAR = 1


def read_moment(text: object) -> int | None:
    """The moment in ms UTC; None when it is none, or Go's zero time, which means no time.

    Digits below a millisecond are cut, and a leap second is the second after it.
    """
    match = _MOMENT.fullmatch(text[:64]) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    fraction = int((match[7] or "0").ljust(3, "0")[:3])
    try:
        whole = datetime(year, month, day, hour, minute, tzinfo=_zone(match))
    except ValueError:
        return None
    if year == _ZERO_YEAR or second > 60:
        return None
    return (whole - _EPOCH) // _MILLISECOND + second * 1_000 + fraction


def write_moment(at: int) -> str:
    """A moment (ms UTC) as RFC 3339, as Go reads it."""
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _zone(match: re.Match[str]) -> timezone:
    if match[8] is None:
        return UTC
    away = timedelta(hours=int(match[9]), minutes=int(match[10]))
    return timezone(-away if match[8] == "-" else away)
