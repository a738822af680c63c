"""Ages and times as text, in steps of 5 s, so that an idle screen seldom changes."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from watchdeck.console.lines.line import NO_VALUE

STEP = 5_000
"""The precision of ages on a screen, in milliseconds."""

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000


def round_to_step(now: int) -> int:
    """`now` (ms UTC) rounded down to 5 s, the precision of ages on the screen."""
    return now // STEP * STEP


def short_duration(milliseconds: int) -> str:
    """A duration as text: `<5s`, `25s`, `12m`, `2h 5m`, `14h`, `3d`."""
    length = max(0, milliseconds)
    if length < STEP:
        return "<5s"
    if length < _MINUTE:
        return f"{length // STEP * STEP // 1_000}s"
    if length < _HOUR:
        return f"{length // _MINUTE}m"
    hours, rest = divmod(length, _HOUR)
    if hours < 10 and rest >= _MINUTE:
        return f"{hours}h {rest // _MINUTE}m"
    return f"{hours}h" if hours < 48 else f"{length // _DAY}d"


def age(at: int | None, now: int) -> str:
    """The time since `at` (ms UTC) as text, as in `short_duration`; a dash for None."""
    return NO_VALUE if at is None else short_duration(now - at)


def format_age_short(at: int | None, now: int) -> str:
    """The age in its largest unit only: `<5s`, `25s`, `2h`; a dash when `at` is None."""
    return age(at, now).partition(" ")[0]


def age_phrase(at: int | None, now: int) -> str:
    """The age as a phrase: `12m ago`, `just now`, `never`."""
    if at is None:
        return "never"
    text = age(at, now)
    return "just now" if text == "<5s" else f"{text} ago"


def clock_time(at: int, zone: tzinfo | None, form: str = "%H:%M") -> str:
    """A time (ms UTC) in `zone` (None: the machine's), as text in the strftime format `form`."""
    return _moment(at, zone).strftime(form)


def utc_offset(at: int, zone: tzinfo | None) -> str:
    """The offset of the time zone from UTC: `UTC`, `+02:00`."""
    text = _moment(at, zone).strftime("%z")
    return "UTC" if text in ("+0000", "") else f"{text[:3]}:{text[3:]}"


def utc_offset_ms(at: int, zone: tzinfo | None) -> int:
    """The offset of a time zone from UTC in milliseconds; None is the machine's zone."""
    ahead = _moment(at, zone).utcoffset()
    return round(ahead.total_seconds() * 1_000) if ahead else 0


def _moment(at: int, zone: tzinfo | None) -> datetime:
    moment = datetime.fromtimestamp(at / 1_000, zone or UTC)
    return moment if zone else moment.astimezone()
