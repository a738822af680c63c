"""What the deck tells beside the fleet: what changed lately, and what a bad model hurts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo

from watchdeck.console.alerts.list_lines import counts, owner_words, reason_words, state, urgency
from watchdeck.console.charts.sparkline import spark
from watchdeck.console.lines.glyphs import DotStyle
from watchdeck.console.lines.health import MARKS, worst_first
from watchdeck.console.lines.line import Line, Role, Span, cut, fit, foreign_text, length
from watchdeck.console.lines.relative_time import age, ago, clock
from watchdeck.console.lines.table import Column, Columns
from watchdeck.console.models import summary_columns as fleet
from watchdeck.console.state.trends import SLOTS, Sparkline
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import Change, Model
from watchdeck.domain.board.health import Health

_HURTS = (Health.DOWN, Health.CRITICAL)
"""Healths that others feel."""


def columns(trends: Mapping[str, Sparkline], dots: DotStyle) -> Columns[Model]:
    """The fleet strip with the last hour of latency and errors in it."""

    def latency(model: Model, _now: int) -> Span:
        trend, promised = trends.get(model.facts.name), model.facts.slo.latency_p95
        if trend is None:
            return Span("")
        top = promised.seconds if promised is not None else 2 * median_level(trend.latency)
        return Span(spark(trend.latency, dots, top), Role.CHART)

    def errors(model: Model, _now: int) -> Span:
        trend = trends.get(model.facts.name)
        return Span(spark(trend.errors, dots, _LEAST_TOP) if trend else "", Role.CHART)

    *before, why = fleet.COLUMNS
    return (
        *before,
        Column("latency", "p95 1h", SLOTS, latency, rank=2),
        Column("errors", "errors 1h", SLOTS, errors, rank=3),
        why,
    )


def median_level(values: Sequence[float]) -> float:
    """The middle one of the known values: a line that is as it always was lies half way up."""
    known = sorted(value for value in values if math.isfinite(value))
    return known[len(known) // 2] if known else 0.0


_LEAST_TOP = 0.01
"""One failure in a hundred reaches the top of a sparkline of errors, where nothing is worse."""


def urgent(
    alerts: Iterable[ActiveAlert], now: int, cells: int, rows: int
) -> tuple[tuple[Span, ...], tuple[Line, ...]]:
    """How many open alerts are how, and the most urgent ones in a line each."""
    opened = [one for one in alerts if one.episode.is_open]
    first = sorted(opened, key=urgency)[:rows]
    return counts(opened).spans, tuple(_urgent(one, now, cells) for one in first)


def _urgent(raised: ActiveAlert, now: int, cells: int) -> Line:
    spans = (
        Span(" "),
        Span(fit(state(raised).text, 12), state(raised).role),
        foreign_text(fit(f" {raised.alert.model}", 16), Role.STRONG),
        Span(fit(age(raised.episode.since, now), 7, right=True), Role.MUTED),
        foreign_text(
            f"  {owner_words(raised, now)}" if raised.acknowledgement else "", Role.ACCENT
        ),
    )
    return Line((*spans, foreign_text(cut(f"  {reason_words(raised)}", cells - length(spans)))))


def changes(
    found: Iterable[Change], now: int, zone: tzinfo | None, cells: int, rows: int
) -> tuple[Line, ...]:
    """The newest changes first: when, which model, what."""
    newest = sorted(found, key=lambda change: (-change.at, change.endpoint, change.id))
    return tuple(_change(change, now, zone, cells) for change in newest[:rows])


def _change(change: Change, now: int, zone: tzinfo | None, cells: int) -> Line:
    when = f" {clock(change.at, zone)}  {fit(ago(change.at, now), 10)}"
    name = fit(change.endpoint, 18)
    room = cells - len(when) - 24
    return Line(
        (
            Span(when, Role.MUTED),
            Span(f"  {name}  ", Role.STRONG),
            foreign_text(
                cut(f"{change.what}: {change.text}" if change.text else change.what, room)
            ),
        )
    )


def impact_lines(models: Iterable[Model], cells: int, rows: int) -> tuple[Line, ...]:
    """What a model that is down or critical takes with it: services, and models that need it."""
    known = tuple(models)
    lines = []
    for model in worst_first(known):
        felt = _felt(model, known) if model.health in _HURTS else []
        if felt:
            mark = MARKS[model.health]
            start = (
                Span(f" {mark.shape} ", mark.role),
                foreign_text(model.facts.name, Role.STRONG, 40),
            )
            room = cells - length(start) - 9
            lines.append(
                Line(
                    (*start, Span(" hurts ", Role.MUTED), foreign_text(cut(", ".join(felt), room)))
                )
            )
    return tuple(lines[:rows])


def _felt(model: Model, models: tuple[Model, ...]) -> list[str]:
    name = model.facts.name
    needing = [other.facts.name for other in models if name in other.facts.depends_on]
    lent = [other.facts.name for other in models if name in other.facts.resources]
    return [*model.facts.serves, *needing, *lent]
