"""Health by word, shape and colour: any one of the three is enough to tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.domain.board.board import Model
from watchdeck.domain.board.health import WORST_FIRST, Health


class HealthBadge(Struct, frozen=True):
    """How one health looks; `short` is the word where there is little room."""

    shape: str
    word: str
    short: str
    role: Role


MARKS = {
    Health.DOWN: HealthBadge("✖", "DOWN", "DOWN", Role.DOWN),
    Health.CRITICAL: HealthBadge("▲", "CRITICAL", "CRIT", Role.CRITICAL),
    Health.UNKNOWN: HealthBadge("?", "UNKNOWN", "UNKN", Role.UNKNOWN),
    Health.WARNING: HealthBadge("◆", "WARNING", "WARN", Role.WARNING),
    Health.OK: HealthBadge("●", "ok", "ok", Role.OK),
}


def word(health: Health) -> Span:
    """Shape and word: `✖ DOWN`, `● ok`."""
    mark = MARKS[health]
    return Span(f"{mark.shape} {mark.word}", mark.role)


def short(health: Health) -> Span:
    """Shape and short word, six cells at most."""
    mark = MARKS[health]
    return Span(f"{mark.shape} {mark.short}", mark.role)


def worst_first(models: Iterable[Model]) -> tuple[Model, ...]:
    """The models in the order of a person who has ten seconds, then by name."""
    return tuple(sorted(models, key=lambda m: (WORST_FIRST.index(m.health), m.facts.name)))


def counts(models: Iterable[Model]) -> Line:
    """How many models have each health, worst first; a health that none has is left out."""
    found = Counter(model.health for model in models)
    marks = [(MARKS[health], found[health]) for health in WORST_FIRST if found[health]]
    return Line(tuple(Span(f" {m.shape} {count} {m.word} ", m.role) for m, count in marks))
