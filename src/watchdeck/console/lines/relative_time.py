"""Ages and moments, in steps so coarse that a quiet screen stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from watchdeck.console.lines.line import NOTHING

STEP = 5_000
"""No age on a screen is finer than this many milliseconds."""

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000


def coarse(now: int) -> int:
    """The moment that ages are drawn for: it moves in steps."""
    return now // STEP * STEP


def short_duration(milliseconds: int) -> str:
    """A length of time: `<5s`, `25s`, `12m`, `2h 5m`, `14h`, `3d`."""
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
    """How long ago `at` was; a dash when that is not known."""
    return NOTHING if at is None else short_duration(now - at)


def format_age_short(at: int | None, now: int) -> str:
    """The age in its largest part alone, three cells: `<5s`, `25s`, `2h`."""
    return age(at, now).partition(" ")[0]


def ago(at: int | None, now: int) -> str:
    """The age as a phrase: `12m ago`, `just now`, `never`."""
    if at is None:
        return "never"
    text = age(at, now)
    return "just now" if text == "<5s" else f"{text} ago"


def clock(at: int, zone: tzinfo | None, form: str = "%H:%M") -> str:
    """A moment on the reader's clock; no zone is the machine's own."""
    return _moment(at, zone).strftime(form)


def offset(at: int, zone: tzinfo | None) -> str:
    """How the reader's clock differs from UTC: `UTC`, `+02:00`."""
    text = _moment(at, zone).strftime("%z")
    return "UTC" if text in ("+0000", "") else f"{text[:3]}:{text[3:]}"


def ahead_of_utc(at: int, zone: tzinfo | None) -> int:
    """The same in milliseconds."""
    ahead = _moment(at, zone).utcoffset()
    return round(ahead.total_seconds() * 1_000) if ahead else 0


def _moment(at: int, zone: tzinfo | None) -> datetime:
    moment = datetime.fromtimestamp(at / 1_000, zone or UTC)
    return moment if zone else moment.astimezone()
