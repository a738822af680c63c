"""Health as word, shape and colour: each alone is enough to recognize it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.domain.board.board import WORST_FIRST, Health, Model


class HealthBadge(Struct, frozen=True):
    """How one health is shown: shape, word and role; `short` is the word for narrow columns."""

    shape: str
    word: str
    short: str
    role: Role


HEALTH_BADGES = {
    Health.DOWN: HealthBadge("✖", "DOWN", "DOWN", Role.DOWN),
    Health.CRITICAL: HealthBadge("▲", "CRITICAL", "CRIT", Role.CRITICAL),
    Health.UNKNOWN: HealthBadge("?", "UNKNOWN", "UNKN", Role.UNKNOWN),
    Health.WARNING: HealthBadge("◆", "WARNING", "WARN", Role.WARNING),
    Health.OK: HealthBadge("●", "ok", "ok", Role.OK),
}


def health_label(health: Health) -> Span:
    """The shape and word of a health: `✖ DOWN`, `● ok`."""
    badge = HEALTH_BADGES[health]
    return Span(f"{badge.shape} {badge.word}", badge.role)


def short_health_label(health: Health) -> Span:
    """The shape and short word of a health, in at most six cells: `▲ CRIT`."""
    badge = HEALTH_BADGES[health]
    return Span(f"{badge.shape} {badge.short}", badge.role)


def health_counts(models: Iterable[Model]) -> Line:
    """A line with the number of models in each health, worst first; zeros are left out."""
    found = Counter(model.health for model in models)
    badges = [(HEALTH_BADGES[health], found[health]) for health in WORST_FIRST if found[health]]
    return Line(tuple(Span(f" {b.shape} {count} {b.word} ", b.role) for b, count in badges))
