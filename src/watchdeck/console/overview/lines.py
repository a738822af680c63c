"""The lines of the overview's panels: fleet columns, urgent alerts, changes and impact."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo

from watchdeck.console.alerts.list_lines import (
    owner_words,
    reason_words,
    state_counts,
    state_span,
    urgency,
)
from watchdeck.console.charts.sparkline import sparkline
from watchdeck.console.lines.health import HEALTH_BADGES
from watchdeck.console.lines.line import (
    DotStyle,
    Line,
    Role,
    Span,
    cut,
    fit,
    spans_width,
    untrusted_text,
)
from watchdeck.console.lines.relative_time import age, age_phrase, clock_time
from watchdeck.console.lines.table import Column, Columns
from watchdeck.console.models.columns import SUMMARY_COLUMNS
from watchdeck.console.state.queries import TREND_SLOTS, Sparkline
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import Change, Health, Model, sort_worst_first

_HARMFUL = (Health.DOWN, Health.CRITICAL)
"""The healths of a model that affect its dependents."""


def fleet_columns(trends: Mapping[str, Sparkline], dots: DotStyle) -> Columns[Model]:
    """The columns of the overview's list of models.

    `trends` are the last hour's latency and errors of each model, drawn as sparklines.
    """

    def latency(model: Model, _now: int) -> Span:
        trend, target = trends.get(model.facts.name), model.facts.slo.latency_p95
        if trend is None:
            return Span("")
        top = target.seconds if target is not None else 2 * median_level(trend.latency)
        return Span(sparkline(trend.latency, dots, top), Role.CHART)

    def errors(model: Model, _now: int) -> Span:
        trend = trends.get(model.facts.name)
        return Span(sparkline(trend.errors, dots, _MIN_ERROR_SCALE) if trend else "", Role.CHART)

    *before, why = SUMMARY_COLUMNS
    return (
        *before,
        Column("latency", "p95 1h", TREND_SLOTS, latency, rank=2),
        Column("errors", "errors 1h", TREND_SLOTS, errors, rank=3),
        why,
    )


def median_level(values: Sequence[float]) -> float:
    """The median of the finite values; 0 when there are none.

    Twice the median is the top of a sparkline, so a steady line lies half way up.
    """
    known = sorted(value for value in values if math.isfinite(value))
    return known[len(known) // 2] if known else 0.0


_MIN_ERROR_SCALE = 0.01
"""The error ratio at the top of a sparkline, unless a worse one is shown."""


def urgent_alert_lines(
    alerts: Iterable[ActiveAlert], now: int, cells: int, rows: int
) -> tuple[tuple[Span, ...], tuple[Line, ...]]:
    """The counts of open alerts by state, and one line for each of the `rows` most urgent."""
    opened = [one for one in alerts if one.episode.is_open]
    first = sorted(opened, key=urgency)[:rows]
    return state_counts(opened).spans, tuple(_urgent_alert_line(one, now, cells) for one in first)


def _urgent_alert_line(raised: ActiveAlert, now: int, cells: int) -> Line:
    spans = (
        Span(" "),
        Span(fit(state_span(raised).text, 12), state_span(raised).role),
        untrusted_text(fit(f" {raised.alert.model}", 16), Role.STRONG),
        Span(fit(age(raised.episode.since, now), 7, right=True), Role.MUTED),
        untrusted_text(
            f"  {owner_words(raised, now)}" if raised.acknowledgement else "", Role.ACCENT
        ),
    )
    return Line(
        (*spans, untrusted_text(cut(f"  {reason_words(raised)}", cells - spans_width(spans))))
    )


def change_lines(
    recorded: Iterable[Change], now: int, zone: tzinfo | None, cells: int, rows: int
) -> tuple[Line, ...]:
    """One line for each of the `rows` newest changes: time, age, model, change."""
    newest = sorted(recorded, key=lambda change: (-change.at, change.endpoint, change.id))
    return tuple(_change_line(change, now, zone, cells) for change in newest[:rows])


def _change_line(change: Change, now: int, zone: tzinfo | None, cells: int) -> Line:
    when = f" {clock_time(change.at, zone)}  {fit(age_phrase(change.at, now), 10)}"
    name = fit(change.endpoint, 18)
    text = f"{change.what}: {change.text}" if change.text else change.what
    room = cells - len(when) - 24
    return Line(
        (Span(when, Role.MUTED), Span(f"  {name}  ", Role.STRONG), untrusted_text(cut(text, room)))
    )


def impact_lines(models: Iterable[Model], cells: int, rows: int) -> tuple[Line, ...]:
    """One line for each model that is down or critical: the services and models that need it.

    At most `rows` lines; none for a model that nothing needs.
    """
    known = tuple(models)
    bad = (model for model in sort_worst_first(known) if model.health in _HARMFUL)
    affected = ((model, _affected_names(model, known)) for model in bad)
    lines = [_impact_line(model, names, cells) for model, names in affected if names]
    return tuple(lines[:rows])


def _impact_line(model: Model, names: Sequence[str], cells: int) -> Line:
    badge = HEALTH_BADGES[model.health]
    name = untrusted_text(model.facts.name, Role.STRONG, 40)
    start = (Span(f" {badge.shape} ", badge.role), name)
    text = cut(", ".join(names), cells - spans_width(start) - 9)
    return Line((*start, Span(" hurts ", Role.MUTED), untrusted_text(text)))


def _affected_names(model: Model, models: tuple[Model, ...]) -> list[str]:
    name = model.facts.name
    dependents = [other.facts.name for other in models if name in other.facts.depends_on]
    users = [other.facts.name for other in models if name in other.facts.resource_names]
    return [*model.facts.serves, *dependents, *users]
