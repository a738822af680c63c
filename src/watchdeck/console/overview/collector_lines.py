"""The collector's own health: its state, its timing and its losses."""

from __future__ import annotations

from collections.abc import Sequence

from watchdeck.console.lines.line import (
    NO_VALUE,
    Line,
    Role,
    Span,
    Spans,
    cut,
    untrusted_text,
    wrap,
    wrap_parts,
)
from watchdeck.console.lines.relative_time import age, age_phrase
from watchdeck.console.widgets.chrome_lines import collector_state
from watchdeck.domain.board.board import Collector, CollectorStatus, Presence
from watchdeck.domain.values.format import format_value
from watchdeck.domain.values.units import Unit

_LATE = 1.0
"""Lag of the collector's wake-ups, in seconds, above which it is shown as a warning."""


def collector_lines(collector: Collector, now: int, cells: int) -> tuple[Line, ...]:
    """The collector's problems, then its state, timing and counts of lost data, `cells` wide."""
    status = collector.heartbeat
    if status is None:
        reason = Span(collector.missing_reason, Role.MUTED)
        return wrap_parts([(Span(" "), collector_state(collector)), (reason,)], cells)
    problems = [
        line
        for words in (_blind_warning(status), _store_warning(status), status.outside)
        if words
        for line in wrap(f"▲ {words}", cells - 1, Role.CRITICAL, most=2)
    ]
    parts = [
        (collector_state(collector),),
        *_identity(status, now),
        *_timing(status),
        *_volume(status),
    ]
    lines = [*problems, *wrap_parts(parts, cells - 1)]
    return tuple(Line((Span(" "), *line.spans)) for line in lines)


def other_consoles(others: Sequence[Presence], cells: int) -> tuple[Span, ...]:
    """The other consoles on this store and their views, cut to `cells`; empty without any."""
    if not others:
        return ()
    names = ", ".join(f"{one.who} ({one.view})" for one in others)
    return (Span("also here ", Role.MUTED), untrusted_text(cut(names, max(8, cells)), Role.ACCENT))


def _blind_warning(status: CollectorStatus) -> str:
    return status.blind and f"blind: {status.blind}"


def _store_warning(status: CollectorStatus) -> str:
    return status.storing and f"store: {status.storing}"


def _identity(status: CollectorStatus, now: int) -> list[Spans]:
    return [
        _pair("pid", str(status.pid)),
        _pair("version", status.version),
        _pair("up", age(status.started_at, now)),
        _pair("tick", age_phrase(status.at, now)),
    ]


def _timing(status: CollectorStatus) -> list[Spans]:
    late = status.lag > _LATE
    return [
        _pair("lag", format_value(status.lag, Unit.SECONDS), Role.WARNING if late else Role.TEXT),
        _pair("scrape p50", _seconds(status.scrape_p50)),
        _pair("p95", _seconds(status.scrape_p95)),
        _pair("in flight", _count(status.in_flight)),
    ]


def _volume(status: CollectorStatus) -> list[Spans]:
    return [
        _pair("endpoints", _count(status.endpoints)),
        _pair("scrapes", _count(status.scrapes)),
        _pair("samples", _count(status.samples)),
        _loss("failed", status.failed),
        _loss("cut", status.cut),
        _loss("overrun", status.overrun),
        _pair("queued", _count(status.queued)),
        _loss("dropped", status.dropped),
    ]


def _pair(label: str, value: str, role: Role = Role.TEXT) -> Spans:
    return (Span(f"{label} ", Role.MUTED), untrusted_text(value, role, 40))


def _loss(label: str, count: int) -> Spans:
    return _pair(label, _count(count), Role.WARNING if count else Role.TEXT)


def _count(count: int) -> str:
    return format_value(count, Unit.COUNT)


def _seconds(value: float | None) -> str:
    return NO_VALUE if value is None else format_value(value, Unit.SECONDS)
