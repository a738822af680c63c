"""The table of models: one row a model, one column a signal."""

from __future__ import annotations

from collections.abc import Callable

from watchdeck.console.lines import number
from watchdeck.console.lines.health import short
from watchdeck.console.lines.line import NOTHING, Role, Span, foreign_text
from watchdeck.console.lines.relative_time import format_age_short
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.board.board import Model, SignalValue
from watchdeck.domain.board.health import Health


def _signal(
    name: str, text_of: Callable[[SignalValue | None], str] = number.cell
) -> Callable[[Model, int], Span]:
    def cell(model: Model, _now: int) -> Span:
        text = text_of(model.latest.signals.get(name) if model.latest else None)
        return Span(text, Role.MUTED if text == NOTHING else Role.TEXT)

    return cell


def _value(name: str) -> Callable[[Model], float | None]:
    def value(model: Model) -> float | None:
        reading = model.latest.signals.get(name) if model.latest else None
        return None if reading is None else reading.value

    return value


def _state(model: Model, _now: int) -> Span:
    return short(model.health)


def _name(model: Model, _now: int) -> Span:
    return foreign_text(model.facts.name, Role.STRONG)


def _kind_of(model: Model) -> str | None:
    return model.latest.kind if model.latest else None


def _kind(model: Model, _now: int) -> Span:
    return foreign_text((model.latest and model.latest.kind) or NOTHING, Role.MUTED)


def _why(model: Model, _now: int) -> Span:
    return foreign_text(model.why, Role.MUTED if model.health is Health.OK else Role.TEXT)


def _seen(model: Model, now: int) -> Span:
    return Span(format_age_short(model.latest.at if model.latest else None, now), Role.MUTED)


def of_signal(name: str) -> Column[Model]:
    """A column of any signal, under its own name; it gives way before the usual ones."""
    head = name.removesuffix("_utilization").removesuffix("_ratio").replace("_", " ")
    width = max(6, len(head))
    return Column(name, head, width, _signal(name), right=True, rank=6, by=_value(name))


COLUMNS: Columns[Model] = (
    Column("state", "", 6, _state),
    Column("name", "model", 14, _name, most=40, by=lambda model: model.facts.name.casefold()),
    Column("kind", "kind", 8, _kind, most=12, rank=3, by=_kind_of),
    Column("p50", "p50", 6, _signal("latency_p50"), right=True, by=_value("latency_p50"), rank=4),
    Column("p95", "p95", 6, _signal("latency_p95"), right=True, by=_value("latency_p95")),
    Column("p99", "p99", 6, _signal("latency_p99"), right=True, by=_value("latency_p99"), rank=2),
    Column("rate", "req/s", 5, _signal("request_rate"), right=True, by=_value("request_rate")),
    Column("errors", "err", 5, _signal("error_ratio"), right=True, by=_value("error_ratio")),
    Column(
        "saturation",
        "sat",
        4,
        _signal("saturation", number.percent),
        right=True,
        by=_value("saturation"),
        rank=1,
    ),
    Column(
        "availability",
        "avail",
        5,
        _signal("availability"),
        right=True,
        by=_value("availability"),
        rank=1,
    ),
    Column("seen", "seen", 4, _seen, right=True, by=lambda model: model.latest and model.latest.at),
    Column("why", "why", 16, _why, most=80, rank=5),
)
"""The columns of the models table, in their order."""
