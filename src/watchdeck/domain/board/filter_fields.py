"""The texts, fields and numbers of models and alerts that filters match."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from watchdeck.domain.alerts.alert import ActiveAlert, DisplayState
from watchdeck.domain.board.board import Model
from watchdeck.domain.board.filter import Vocabulary
from watchdeck.domain.values.units import Unit

_MODEL_FIELDS: dict[str, Callable[[Model], str | None]] = {
    "name": lambda model: model.facts.name,
    "health": lambda model: model.health.value,
    "kind": lambda model: model.latest.kind if model.latest else None,
    "owner": lambda model: model.facts.owner,
    "model": lambda model: model.facts.model,
    "tier": lambda model: None if model.facts.tier is None else str(model.facts.tier),
    "why": lambda model: model.why,
    "version": lambda model: model.latest.identity.version if model.latest else None,
}
"""The fields of a model that are compared as text; any other key is a label."""


class FilteredModel(Struct, frozen=True):
    """A model as a filter sees it."""

    model: Model

    def texts(self) -> Iterator[str]:
        """The name, owner, model, kind, services and label values."""
        facts, latest = self.model.facts, self.model.latest
        yield facts.name
        yield from (text for text in (facts.owner, facts.model) if text)
        if latest and latest.kind:
            yield latest.kind
        yield from facts.serves
        yield from facts.labels.values()

    def text(self, key: str) -> str | None:
        """A field or a label; None when there is none."""
        read = _MODEL_FIELDS.get(key)
        return read(self.model) if read else self.model.facts.labels.get(key)

    def number(self, name: str) -> float | None:
        """The newest value of a signal; None when unknown."""
        reading = self.model.latest.signals.get(name) if self.model.latest else None
        return None if reading is None else reading.value


ALERTS = Vocabulary(
    {"sev": "severity"},
    {"severity": Unit.COUNT, "age": Unit.SECONDS, "notes": Unit.COUNT, "reopened": Unit.COUNT},
    "number of an alert",
    "sev<=2, age>10m",
    {"state": tuple(state.value for state in DisplayState)},
)
"""The names for filters of alerts: severity, age and counts, and the values of `state`."""

_ALERT_FIELDS: dict[str, Callable[[ActiveAlert], str | None]] = {
    "rule": lambda active: active.alert.rule,
    "model": lambda active: active.alert.model,
    "source": lambda active: active.alert.source,
    "state": lambda active: active.display_state.value,
    "by": lambda active: active.acknowledgement.by if active.acknowledgement else None,
    "why": lambda active: active.episode.why,
}

_STATE_WORDS: dict[str, Callable[[ActiveAlert], bool]] = {
    "unacked": lambda active: (
        active.acknowledgement is None and active.display_state is not DisplayState.RESOLVED
    ),
    "muted": lambda active: bool(active.mutes),
    "flapping": lambda active: active.episode.flapping,
}
"""Words that match by the handling of an alert; `!unacked` matches acknowledged ones."""


class FilteredAlert(Struct, frozen=True):
    """An alert as a filter sees it at `now` (ms UTC)."""

    active: ActiveAlert
    now: int

    def texts(self) -> Iterator[str]:
        """The rule, model, state, label values, and `unacked`, `muted`, `flapping` where true."""
        alert = self.active.alert
        yield alert.rule
        yield alert.model
        yield self.active.display_state.value
        yield from (word for word, holds in _STATE_WORDS.items() if holds(self.active))
        yield from alert.labels.values()

    def text(self, key: str) -> str | None:
        """A field or a label; None when there is none."""
        read = _ALERT_FIELDS.get(key)
        return read(self.active) if read else self.active.alert.labels.get(key)

    def number(self, name: str) -> float | None:
        """The severity, age (s), count of notes or count of reopenings; None for another name."""
        episode = self.active.episode
        numbers = {
            "severity": int(episode.severity),
            "age": (self.now - episode.started_at) / 1_000,
            "notes": self.active.notes,
            "reopened": episode.reopened,
        }
        return numbers.get(name)
