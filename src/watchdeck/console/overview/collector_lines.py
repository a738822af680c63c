"""The collector's own health: is anyone collecting, in time, and does all of it arrive."""

from __future__ import annotations

from collections.abc import Sequence

from watchdeck.console.lines.line import (
    NOTHING,
    Line,
    Role,
    Span,
    Spans,
    cut,
    foreign_text,
    wrap,
    wrap_parts,
)
from watchdeck.console.lines.relative_time import age, ago
from watchdeck.console.widgets.chrome_lines import state
from watchdeck.domain.board.board import Collector, CollectorStatus
from watchdeck.domain.board.presence import Presence
from watchdeck.domain.values.format import format_value
from watchdeck.domain.values.units import Unit

_LATE = 1.0
"""A wake-up later than this many seconds is worth a colour."""


def collector(seen: Collector, now: int, cells: int) -> tuple[Line, ...]:
    """What keeps the collector from working, then its state, pace and losses."""
    beat = seen.heartbeat
    if beat is None:
        never = Span(seen.silence, Role.MUTED)
        return wrap_parts([(Span(" "), state(seen)), (never,)], cells)
    trouble = [
        line
        for words in (_blind(beat), _storing(beat), beat.outside)
        if words
        for line in wrap(f"▲ {words}", cells - 1, Role.CRITICAL, most=2)
    ]
    parts = [(state(seen),), *_who(beat, now), *_pace(beat), *_work(beat)]
    lines = [*trouble, *wrap_parts(parts, cells - 1)]
    return tuple(Line((Span(" "), *line.spans)) for line in lines)


def company(others: Sequence[Presence], cells: int) -> tuple[Span, ...]:
    """Who else looks at this store, and where, in at most so many cells."""
    if not others:
        return ()
    names = ", ".join(f"{one.who} ({one.view})" for one in others)
    return (Span("also here ", Role.MUTED), foreign_text(cut(names, max(8, cells)), Role.ACCENT))


def _blind(beat: CollectorStatus) -> str:
    return beat.blind and f"blind: {beat.blind}"


def _storing(beat: CollectorStatus) -> str:
    return beat.storing and f"store: {beat.storing}"


def _who(beat: CollectorStatus, now: int) -> list[Spans]:
    return [
        _pair("pid", str(beat.pid)),
        _pair("version", beat.version),
        _pair("up", age(beat.started_at, now)),
        _pair("tick", ago(beat.at, now)),
    ]


def _pace(beat: CollectorStatus) -> list[Spans]:
    late = beat.lag > _LATE
    return [
        _pair("lag", format_value(beat.lag, Unit.SECONDS), Role.WARNING if late else Role.TEXT),
        _pair("scrape p50", _seconds(beat.scrape_p50)),
        _pair("p95", _seconds(beat.scrape_p95)),
        _pair("in flight", _count(beat.in_flight)),
    ]


def _work(beat: CollectorStatus) -> list[Spans]:
    return [
        _pair("endpoints", _count(beat.endpoints)),
        _pair("scrapes", _count(beat.scrapes)),
        _pair("samples", _count(beat.samples)),
        _loss("failed", beat.failed),
        _loss("cut", beat.cut),
        _loss("overrun", beat.overrun),
        _pair("queued", _count(beat.queued)),
        _loss("dropped", beat.dropped),
    ]


def _pair(label: str, value: str, role: Role = Role.TEXT) -> Spans:
    return (Span(f"{label} ", Role.MUTED), foreign_text(value, role, 40))


def _loss(label: str, count: int) -> Spans:
    return _pair(label, _count(count), Role.WARNING if count else Role.TEXT)


def _count(count: int) -> str:
    return format_value(count, Unit.COUNT)


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else format_value(value, Unit.SECONDS)
