"""Rows and lines of the changes before a moment: change markers and health changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo

from msgspec import Struct

from watchdeck.console.lines.health import HEALTH_BADGES, health_label
from watchdeck.console.lines.line import Line, Role, Span, spans_width, untrusted_text, wrap
from watchdeck.console.lines.relative_time import clock_time, short_duration
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import Change, HealthChange, Model

LOOKBACK = 1_800_000
"""Milliseconds before the moment in which changes are listed."""


class ChangeEvent(Struct, frozen=True):
    """A change marker, such as a deploy, or a change of health, at `at` (ms UTC).

    `shape` and `role` are the symbol and the colour that it is listed with.
    """

    at: int
    endpoint: str
    shape: str
    what: str
    words: str
    role: Role


def change_events(
    changes: Iterable[Change], healths: Mapping[str, tuple[HealthChange, ...]], start: int
) -> tuple[ChangeEvent, ...]:
    """All change markers and changes of health since `start` (ms UTC), newest first.

    `healths` maps names of models to their health changes, led by the one in force at `start`.
    """
    markers = [
        ChangeEvent(one.at, one.endpoint, "◆", one.what, one.text, Role.ACCENT)
        for one in changes
        if one.at >= start
    ]
    turns = [event for some in healths.values() for event in _health_events(some, start)]
    return tuple(sorted([*markers, *turns], key=lambda one: (-one.at, one.endpoint, one.what)))


def _health_events(healths: tuple[HealthChange, ...], start: int) -> Iterator[ChangeEvent]:
    """The changes from one health to another; a new reason alone is not a change."""
    for before, after in zip((None, *healths), healths, strict=False):
        is_same = before is not None and before.health is after.health
        if after.at >= start and not is_same:
            badge = HEALTH_BADGES[after.health]
            what = f"{before.health} → {after.health}" if before else str(after.health)
            yield ChangeEvent(after.at, after.endpoint, badge.shape, what, after.why, badge.role)


def relation_of(name: str, model: Model | None, models: Iterable[Model]) -> str:
    """How the model called `name` relates to `model`: `it depends on this`; empty if unrelated."""
    if model is None:
        return ""
    facts = model.facts
    if name == facts.name:
        return "itself"
    if name in facts.depends_on:
        return "it depends on this"
    if name in facts.resource_names:
        return "it runs on this"
    others = (other for other in models if other.facts.name == name)
    return "depends on it" if any(facts.name in one.facts.depends_on for one in others) else ""


class EventRow(Struct, frozen=True):
    """One row: an event, its time of day, its age, and how it relates to the model in focus."""

    event: ChangeEvent
    clock: str
    age: str
    relation: str


def event_rows(
    events: Iterable[ChangeEvent],
    moment: int,
    zone: tzinfo | None,
    model: Model | None,
    models: tuple[Model, ...],
) -> tuple[EventRow, ...]:
    """One row for each event, with its relation to `model`.

    Times of day are in `zone`, None being the machine's; ages count back from `moment` (ms UTC).
    """
    return tuple(
        EventRow(
            event,
            clock_time(event.at, zone, "%H:%M:%S"),
            short_duration(moment - event.at),
            relation_of(event.endpoint, model, models),
        )
        for event in events
    )


def reason_lines(
    model: Model, alerts: Iterable[ActiveAlert], now: int, cells: int
) -> tuple[Line, ...]:
    """Two lines: the health of a model with its reason, and its open alerts."""
    since = () if model.since is None else (Span(f"  since {short_duration(now - model.since)}"),)
    start = (Span(" "), health_label(model.health), *since, Span("  "))
    why = wrap(model.why, cells - spans_width(start), Role.STRONG, most=1)
    first = Line((*start, *(why[0].spans if why else ())))
    reasons = [
        f"{one.alert.rule} {one.display_state.value.lower()}: {one.episode.why}"
        for one in alerts
        if one.alert.model == model.facts.name and one.episode.is_open
    ]
    text = f"alerts: {'; '.join(reasons)}" if reasons else "no alert of it is open"
    role = Role.WARNING if reasons else Role.MUTED
    return (first, Line((Span(" "), untrusted_text(text, role))))


def _what(row: EventRow, _now: int) -> Span:
    return Span(f"{row.event.shape} {row.event.what}", row.event.role)


def _model(row: EventRow, _now: int) -> Span:
    return untrusted_text(row.event.endpoint, Role.STRONG)


def _related(row: EventRow, _now: int) -> Span:
    return Span(row.relation, Role.ACCENT)


EVENT_COLUMNS: Columns[EventRow] = (
    Column("when", "when", 8, lambda row, _: Span(row.clock, Role.MUTED)),
    Column("before", "before", 6, lambda row, _: Span(row.age, Role.MUTED), right=True, rank=2),
    Column("model", "model", 14, _model, most=24),
    Column("what", "what", 14, _what, most=24),
    Column("words", "in words", 20, lambda row, _: untrusted_text(row.event.words), most=80),
    Column("related", "related", 8, _related, most=18, rank=1),
)
"""The columns of the list of changes around one model."""

FLEET_COLUMNS = EVENT_COLUMNS[:-1]
"""The columns of the list of all changes: without a model, nothing is related to it."""
