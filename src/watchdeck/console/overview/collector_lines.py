"""The collector's own health: is anyone collecting, in time, and does all of it arrive."""

from __future__ import annotations

from collections.abc import Sequence

from watchdeck.console.lines.line import NOTHING, Line, Role, Span, cut, flow, said, wrap
from watchdeck.console.lines.relative_time import age, ago
from watchdeck.console.widgets.chrome_lines import state
from watchdeck.domain.board.board import Collector, Heartbeat
from watchdeck.domain.board.presence import Presence
from watchdeck.domain.values.format import quantity
from watchdeck.domain.values.units import Unit

Part = tuple[Span, ...]

_LATE = 1.0
"""A wake-up later than this many seconds is worth a colour."""


def collector(seen: Collector, now: int, cells: int) -> tuple[Line, ...]:
    """What keeps the collector from working, then its state, pace and losses."""
    beat = seen.heartbeat
    if beat is None:
        never = Span(seen.silence, Role.MUTED)
        return flow([(Span(" "), state(seen)), (never,)], cells)
    trouble = [
        line
        for words in (_blind(beat), _storing(beat), beat.outside)
        if words
        for line in wrap(f"▲ {words}", cells - 1, Role.CRITICAL, most=2)
    ]
    parts = [(state(seen),), *_who(beat, now), *_pace(beat), *_work(beat)]
    lines = [*trouble, *flow(parts, cells - 1)]
    return tuple(Line((Span(" "), *line.spans)) for line in lines)


def company(others: Sequence[Presence], cells: int) -> tuple[Span, ...]:
    """Who else looks at this store, and where, in at most so many cells."""
    if not others:
        return ()
    names = ", ".join(f"{one.who} ({one.view})" for one in others)
    return (Span("also here ", Role.MUTED), said(cut(names, max(8, cells)), Role.ACCENT))


def _blind(beat: Heartbeat) -> str:
    return beat.blind and f"blind: {beat.blind}"


def _storing(beat: Heartbeat) -> str:
    return beat.storing and f"store: {beat.storing}"


def _who(beat: Heartbeat, now: int) -> list[Part]:
    return [
        _pair("pid", str(beat.pid)),
        _pair("version", beat.version),
        _pair("up", age(beat.started_at, now)),
        _pair("tick", ago(beat.at, now)),
    ]


def _pace(beat: Heartbeat) -> list[Part]:
    late = beat.lag > _LATE
    return [
        _pair("lag", quantity(beat.lag, Unit.SECONDS), Role.WARNING if late else Role.TEXT),
        _pair("scrape p50", _seconds(beat.scrape_p50)),
        _pair("p95", _seconds(beat.scrape_p95)),
        _pair("in flight", _count(beat.in_flight)),
    ]


def _work(beat: Heartbeat) -> list[Part]:
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


def _pair(label: str, value: str, role: Role = Role.TEXT) -> Part:
    return (Span(f"{label} ", Role.MUTED), said(value, role, 40))


def _loss(label: str, count: int) -> Part:
    return _pair(label, _count(count), Role.WARNING if count else Role.TEXT)


def _count(count: int) -> str:
    return quantity(count, Unit.COUNT)


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else quantity(value, Unit.SECONDS)
