"""The fleet, worst first: what is broken, since when, and why."""

from __future__ import annotations

from watchdeck.console.lines.health import word
from watchdeck.console.lines.line import Role, Span, foreign_text
from watchdeck.console.lines.relative_time import age, format_age_short
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.board.board import Model
from watchdeck.domain.board.health import Health


def _health(model: Model, _now: int) -> Span:
    return word(model.health)


def _name(model: Model, _now: int) -> Span:
    return foreign_text(model.facts.name, Role.STRONG)


def _since(model: Model, now: int) -> Span:
    return Span(age(model.since, now))


def _seen(model: Model, now: int) -> Span:
    return Span(format_age_short(model.latest.at if model.latest else None, now), Role.MUTED)


def _why(model: Model, _now: int) -> Span:
    return foreign_text(model.why, Role.MUTED if model.health is Health.OK else Role.TEXT)


COLUMNS: Columns[Model] = (
    Column("health", "", 10, _health),
    Column("name", "model", 16, _name, most=24, by=lambda model: model.facts.name.casefold()),
    Column("since", "since", 6, _since, right=True, by=lambda model: model.since),
    Column("seen", "seen", 4, _seen, right=True, rank=1),
    Column("why", "why", 20, _why, most=400),
)
"""The columns of the fleet strip, in their order."""
