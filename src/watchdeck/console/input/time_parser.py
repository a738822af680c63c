"""Parsing of typed times: `14:30`, `2026-11-20 03:00`, `yesterday 9:15`, `-2h`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Milliseconds

_AGO = re.compile(r"-?\s*(\d+(?:\.\d+)?\s*(?:ms|s|m|h|d|w))(?:\s+ago)?")
_CLOCK = re.compile(r"(?:(today|yesterday)\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?")

EXAMPLES = "14:30, yesterday 9:15, 2026-11-20 03:00, -2h"


class MomentError(ValueError):
    """A typed text is not a time, or is a time in the future; the message says which."""


def parse(text: str, now: int, shown: int, zone: tzinfo | None) -> int:
    """The moment (ms UTC) that a text means in the time zone `zone`, None being the machine's.

    A duration counts back from `shown`, the moment on screen. A time of day means its latest
    occurrence. Raises MomentError.
    """
    typed = " ".join(text.split())
    found = _ago(typed, shown) or _time_of_day(typed, now, zone) or _date(typed, zone)
    if found is None:
        raise MomentError(f"{clean(typed, 40)!r} is no moment; such are {EXAMPLES}")
    if found > now:
        raise MomentError("that moment has not come yet")
    return max(0, found)


def _ago(text: str, shown: int) -> int | None:
    match = _AGO.fullmatch(text)
    if match is None:
        return None
    try:
        return shown - Milliseconds.parse(match[1].replace(" ", ""))
    except ValueError:
        return None


def _time_of_day(text: str, now: int, zone: tzinfo | None) -> int | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    day, *parts = match.groups(default="0")
    here = datetime.fromtimestamp(now / 1_000, UTC).astimezone(zone)
    try:
        hour, minute, second = (int(part) for part in parts)
        moment = here.replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError:
        return None
    back = day == "yesterday" or (day == "0" and moment > here)
    return _milliseconds(moment - timedelta(days=1) if back else moment, zone)


def _date(text: str, zone: tzinfo | None) -> int | None:
    try:
        return _milliseconds(datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError, OSError):
        return None


def _milliseconds(moment: datetime, zone: tzinfo | None) -> int:
    """The moment in ms UTC; a moment without a time zone is in `zone`, None: the machine's."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return round(aware.timestamp() * 1_000)
