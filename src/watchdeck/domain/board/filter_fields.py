"""The texts, fields and numbers of models and alerts that filters match."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from msgspec import Struct

from watchdeck.domain.alerts.alert import ActiveAlert, DisplayState
from watchdeck.domain.board.board import Model
from watchdeck.domain.board.filter import EVERYTHING, MODELS, Filter, Vocabulary, matches
from watchdeck.domain.values.units import Unit

RowT = TypeVar("RowT")


class FilterField(Struct, Generic[RowT], frozen=True):
    """A field that filters compare as text: its meaning, and its reader; None when unknown."""

    means: str
    read: Callable[[RowT], str | None]


class FilterNumber(Struct, frozen=True):
    """A number of an alert that filters compare at `now` (ms UTC)."""

    means: str
    unit: Unit
    read: Callable[[ActiveAlert, int], float]


class FilterWord(Struct, frozen=True):
    """A word that matches alerts by how they are handled."""

    means: str
    holds: Callable[[ActiveAlert], bool]


MODEL_FIELDS: dict[str, FilterField[Model]] = {
    "name": FilterField("Name of the endpoint.", lambda model: model.facts.name),
    "health": FilterField("Health.", lambda model: model.health.value),
    "kind": FilterField(
        "Kind of server.", lambda model: model.latest.kind if model.latest else None
    ),
    "owner": FilterField("Team or person to call.", lambda model: model.facts.owner),
    "model": FilterField("Name of the model on its server.", lambda model: model.facts.model),
    "tier": FilterField(
        "Importance, as configured.",
        lambda model: None if model.facts.tier is None else str(model.facts.tier),
    ),
    "resources": FilterField(
        "Endpoints of the machines and devices that it uses, with commas between.",
        lambda model: ",".join(sorted(model.facts.resource_names)) or None,
    ),
    "why": FilterField("The whole reason of the health.", lambda model: model.why),
    "version": FilterField(
        "Version that the server reports.",
        lambda model: model.latest.identity.version if model.latest else None,
    ),
}
"""The fields of a model that are compared as text; any other key is a label."""

MODEL_TEXTS = "name, owner, model, kind, services that it serves, resources, label values"
"""The texts of a model in which words and patterns are searched."""


class FilteredModel(Struct, frozen=True):
    """A model as a filter sees it."""

    model: Model

    def texts(self) -> Iterator[str]:
        """The name, owner, model, kind, services, resources and label values."""
        facts, latest = self.model.facts, self.model.latest
        yield facts.name
        yield from (text for text in (facts.owner, facts.model) if text)
        if latest and latest.kind:
            yield latest.kind
        yield from facts.serves
        yield from facts.resource_names
        yield from facts.labels.values()

    def text(self, key: str) -> str | None:
        """A field or a label; None when there is none."""
        field = MODEL_FIELDS.get(key)
        return field.read(self.model) if field else self.model.facts.labels.get(key)

    def number(self, name: str) -> float | None:
        """The newest value of a signal; None when unknown."""
        reading = self.model.latest.signals.get(name) if self.model.latest else None
        return None if reading is None else reading.value


ALERT_NUMBERS = {
    "severity": FilterNumber(
        "1 to 4, 1 the worst.", Unit.COUNT, lambda active, _now: int(active.episode.severity)
    ),
    "age": FilterNumber(
        "Time since the condition was first true.",
        Unit.SECONDS,
        lambda active, now: (now - active.episode.started_at) / 1_000,
    ),
    "notes": FilterNumber(
        "Number of notes that people wrote.", Unit.COUNT, lambda active, _now: active.notes
    ),
    "reopened": FilterNumber(
        "How often the alert came back soon after its end.",
        Unit.COUNT,
        lambda active, _now: active.episode.reopened,
    ),
}
"""The numbers of an alert that are compared."""

ALERTS = Vocabulary(
    {"sev": "severity"},
    {name: number.unit for name, number in ALERT_NUMBERS.items()},
    {name: number.means for name, number in ALERT_NUMBERS.items()},
    "number of an alert",
    "sev<=2, age>10m",
    {"state": tuple(state.value for state in DisplayState)},
    of=MODELS,
)
"""The names for filters of alerts: severity, age, counts, values of `state`; those of models."""

ALERT_FIELDS: dict[str, FilterField[ActiveAlert]] = {
    "rule": FilterField(
        "Name of the rule; of an external alert, its `alertname`.", lambda active: active.alert.rule
    ),
    "model": FilterField("Name of the endpoint.", lambda active: active.alert.model),
    "source": FilterField(
        "`watchdeck`, or the system that reported the alert.", lambda active: active.alert.source
    ),
    "state": FilterField(
        "State on the screen, which joins condition, owner and mutes.",
        lambda active: active.display_state.value,
    ),
    "by": FilterField(
        "Who has acknowledged.",
        lambda active: active.acknowledgement.by if active.acknowledgement else None,
    ),
    "why": FilterField("The whole reason of the alert.", lambda active: active.episode.why),
}
"""The fields of an alert that are compared as text; any other key is a label."""

ALERT_WORDS = {
    "unacked": FilterWord(
        "Nobody has acknowledged, and the alert has not ended; `!unacked` is the opposite.",
        lambda active: (
            active.acknowledgement is None and active.display_state is not DisplayState.RESOLVED
        ),
    ),
    "muted": FilterWord(
        "Nobody is notified: a silence, maintenance or another reason.",
        lambda active: bool(active.mutes),
    ),
    "flapping": FilterWord(
        "The condition changes too often to notify each time.",
        lambda active: active.episode.flapping,
    ),
}
"""Words that match alerts by how they are handled."""

ALERT_TEXTS = "rule, model, state, label values, and the words below where they hold"
"""The texts of an alert in which words and patterns are searched."""


class FilteredAlert(Struct, frozen=True):
    """An alert as a filter sees it at `now` (ms UTC), with its model if that is watched."""

    active: ActiveAlert
    now: int
    model: Model | None = None

    def texts(self) -> Iterator[str]:
        """The rule, model, state, label values, and `unacked`, `muted`, `flapping` where true."""
        alert = self.active.alert
        yield alert.rule
        yield alert.model
        yield self.active.display_state.value
        yield from (word for word, entry in ALERT_WORDS.items() if entry.holds(self.active))
        yield from alert.labels.values()

    def text(self, key: str) -> str | None:
        """A field or a label, else a field or a label of the model; None when there is none."""
        field = ALERT_FIELDS.get(key)
        if field is not None:
            return field.read(self.active)
        label = self.active.alert.labels.get(key)
        return FilteredModel(self.model).text(key) if label is None and self.model else label

    def number(self, name: str) -> float | None:
        """The severity, age (s) or a count, else the newest value of a signal of the model."""
        number = ALERT_NUMBERS.get(name)
        if number is not None:
            return number.read(self.active, self.now)
        return FilteredModel(self.model).number(name) if self.model else None


def filter_alerts(
    alerts: Iterable[ActiveAlert], wanted: Filter, models: Iterable[Model], now: int
) -> tuple[ActiveAlert, ...]:
    """The alerts that match a filter at `now` (ms UTC), in their order."""
    if wanted == EVERYTHING:
        return tuple(alerts)
    known = {model.facts.name: model for model in models}
    return tuple(
        one
        for one in alerts
        if matches(wanted, FilteredAlert(one, now, known.get(one.alert.model)))
    )


def filter_models(models: Iterable[Model], wanted: Filter) -> tuple[Model, ...]:
    """The models that match a filter, in their order."""
    if wanted == EVERYTHING:
        return tuple(models)
    return tuple(model for model in models if matches(wanted, FilteredModel(model)))
