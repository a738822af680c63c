"""What changed in the half hour before a moment: markers and healths of the whole fleet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo

from msgspec import Struct

from watchdeck.console.lines.health import MARKS, word
from watchdeck.console.lines.line import Line, Role, Span, foreign_text, length, wrap
from watchdeck.console.lines.relative_time import clock, short_duration
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import Change, Model
from watchdeck.domain.board.health import HealthChange

BEFORE = 1_800_000
"""How far back one looks, in milliseconds."""


class ChangeEvent(Struct, frozen=True):
    """One thing that changed; `role` is that of its mark."""

    at: int
    endpoint: str
    shape: str
    what: str
    words: str
    role: Role


def events(
    changes: Iterable[Change], healths: Mapping[str, tuple[HealthChange, ...]], start: int
) -> tuple[ChangeEvent, ...]:
    """All that changed since `start` (ms UTC), the newest first.

    `healths` are those of each model, led by the one in force at `start`.
    """
    marked = [
        ChangeEvent(one.at, one.endpoint, "◆", one.what, one.text, Role.ACCENT)
        for one in changes
        if one.at >= start
    ]
    turned = [event for found in healths.values() for event in _turns(found, start)]
    return tuple(sorted([*marked, *turned], key=lambda one: (-one.at, one.endpoint, one.what)))


def _turns(found: tuple[HealthChange, ...], start: int) -> Iterator[ChangeEvent]:
    """The times that a health became another; a new reason alone is none."""
    for before, after in zip((None, *found), found, strict=False):
        same = before is not None and before.health is after.health
        if after.at >= start and not same:
            mark = MARKS[after.health]
            turn = f"{before.health} → {after.health}" if before else str(after.health)
            yield ChangeEvent(after.at, after.endpoint, mark.shape, turn, after.why, mark.role)


def relation_of(name: str, model: Model | None, models: Iterable[Model]) -> str:
    """What an event's model is to the one that is asked about, in a word; empty when nothing."""
    if model is None:
        return ""
    facts = model.facts
    if name == facts.name:
        return "itself"
    if name in facts.depends_on:
        return "it depends on this"
    if name in facts.resources:
        return "it runs on this"
    needing = (other for other in models if other.facts.name == name)
    return "depends on it" if any(facts.name in one.facts.depends_on for one in needing) else ""


class EventRow(Struct, frozen=True):
    """An event as a row: its time of day, its distance from the moment, what it is to the model."""

    event: ChangeEvent
    clock: str
    before: str
    related: str


def rows(
    found: Iterable[ChangeEvent],
    moment: int,
    zone: tzinfo | None,
    model: Model | None,
    models: tuple[Model, ...],
) -> tuple[EventRow, ...]:
    """The events as they are listed."""
    return tuple(
        EventRow(
            event,
            clock(event.at, zone, "%H:%M:%S"),
            short_duration(moment - event.at),
            relation_of(event.endpoint, model, models),
        )
        for event in found
    )


def why(model: Model, alerts: Iterable[ActiveAlert], now: int, cells: int) -> tuple[Line, ...]:
    """The health, since when, and every alert of the model that is open."""
    since = () if model.since is None else (Span(f"  since {short_duration(now - model.since)}"),)
    start = (Span(" "), word(model.health), *since, Span("  "))
    told = wrap(model.why, cells - length(start), Role.STRONG, most=1)
    first = Line((*start, *(told[0].spans if told else ())))
    found = [
        f"{one.alert.rule} {one.shown.value.lower()}: {one.episode.why}"
        for one in alerts
        if one.alert.model == model.facts.name and one.episode.is_open
    ]
    text = f"alerts: {'; '.join(found)}" if found else "no alert of it is open"
    return (first, Line((Span(" "), foreign_text(text, Role.WARNING if found else Role.MUTED))))


def _when(row: EventRow, _now: int) -> Span:
    return Span(row.clock, Role.MUTED)


def _distance(row: EventRow, _now: int) -> Span:
    return Span(row.before, Role.MUTED)


def _model(row: EventRow, _now: int) -> Span:
    return foreign_text(row.event.endpoint, Role.STRONG)


def _what(row: EventRow, _now: int) -> Span:
    return Span(f"{row.event.shape} {row.event.what}", row.event.role)


def _words(row: EventRow, _now: int) -> Span:
    return foreign_text(row.event.words)


def _related(row: EventRow, _now: int) -> Span:
    return Span(row.related, Role.ACCENT)


COLUMNS: Columns[EventRow] = (
    Column("when", "when", 8, _when),
    Column("before", "before", 6, _distance, right=True, rank=2),
    Column("model", "model", 14, _model, most=24),
    Column("what", "what", 14, _what, most=24),
    Column("words", "in words", 20, _words, most=80),
    Column("related", "related", 8, _related, most=18, rank=1),
)
"""The columns of the list of what changed."""

OF_ALL = COLUMNS[:-1]
"""The same when no model is asked about, to which another could be related."""
