"""What a filter sees of a model, and of an alert."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from watchdeck.domain.alerts.alert import ActiveAlert, DisplayState
from watchdeck.domain.board.board import Model
from watchdeck.domain.board.filter import Vocabulary
from watchdeck.domain.values.units import Unit

_OF_MODEL: dict[str, Callable[[Model], str | None]] = {
    "name": lambda model: model.facts.name,
    "health": lambda model: model.health.value,
    "kind": lambda model: model.latest.kind if model.latest else None,
    "owner": lambda model: model.facts.owner,
    "model": lambda model: model.facts.model,
    "tier": lambda model: None if model.facts.tier is None else str(model.facts.tier),
    "why": lambda model: model.why,
    "version": lambda model: model.latest.identity.version if model.latest else None,
}
"""What can be compared by its text; any other key is a label."""


class FilteredModel(Struct, frozen=True):
    """A model as a filter sees it."""

    model: Model

    def words(self) -> Iterator[str]:
        """Its name, owner, kind, services and labels."""
        facts, latest = self.model.facts, self.model.latest
        yield facts.name
        yield from (text for text in (facts.owner, facts.model) if text)
        if latest and latest.kind:
            yield latest.kind
        yield from facts.serves
        yield from facts.labels.values()

    def text(self, key: str) -> str | None:
        """A field of it, or a label."""
        read = _OF_MODEL.get(key)
        return read(self.model) if read else self.model.facts.labels.get(key)

    def number(self, name: str) -> float | None:
        """The newest value of a signal."""
        reading = self.model.latest.signals.get(name) if self.model.latest else None
        return None if reading is None else reading.value


ALERTS = Vocabulary(
    {"sev": "severity"},
    {"severity": Unit.COUNT, "age": Unit.SECONDS, "notes": Unit.COUNT, "reopened": Unit.COUNT},
    "number of an alert",
    "sev<=2, age>10m",
    {"state": tuple(shown.value for shown in DisplayState)},
)
"""Alerts are compared by how bad and how old they are."""

_OF_ALERT: dict[str, Callable[[ActiveAlert], str | None]] = {
    "rule": lambda raised: raised.alert.rule,
    "model": lambda raised: raised.alert.model,
    "source": lambda raised: raised.alert.source,
    "state": lambda raised: raised.shown.value,
    "by": lambda raised: raised.acknowledgement.by if raised.acknowledgement else None,
    "why": lambda raised: raised.episode.why,
}

_WORDS: dict[str, Callable[[ActiveAlert], bool]] = {
    "unacked": lambda raised: (
        raised.acknowledgement is None and raised.shown is not DisplayState.RESOLVED
    ),
    "muted": lambda raised: bool(raised.mutes),
    "flapping": lambda raised: raised.episode.flapping,
}
"""Single words that tell how an alert is handled; `!unacked` is what somebody has."""


class FilteredAlert(Struct, frozen=True):
    """An alert as a filter sees it at the moment `now` (ms UTC)."""

    raised: ActiveAlert
    now: int

    def words(self) -> Iterator[str]:
        """Its rule, model, labels and state, and single words for how it is handled."""
        alert = self.raised.alert
        yield alert.rule
        yield alert.model
        yield self.raised.shown.value
        yield from (word for word, holds in _WORDS.items() if holds(self.raised))
        yield from alert.labels.values()

    def text(self, key: str) -> str | None:
        """A field of it, or a label."""
        read = _OF_ALERT.get(key)
        return read(self.raised) if read else self.raised.alert.labels.get(key)

    def number(self, name: str) -> float | None:
        """How bad and how old it is (s), how many notes it has, how often it came again."""
        episode = self.raised.episode
        numbers = {
            "severity": int(episode.severity),
            "age": (self.now - episode.started_at) / 1_000,
            "notes": self.raised.notes,
            "reopened": episode.reopened,
        }
        return numbers.get(name)
