"""Muting: the reasons why no notification is sent for an alert; the alert itself goes on."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field

from watchdeck.domain.alerts.alert import (
    OURS,
    ActiveAlert,
    Alert,
    DataState,
    Episode,
    Mute,
    MuteKind,
)
from watchdeck.domain.alerts.maintenance import Maintenance, window_at
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.matcher import Matcher, matches


class DownAlert(Struct, frozen=True):
    """The alert that reports a model as down: its id in the store, and its severity."""

    id: int
    severity: Severity


class MuteContext(Struct, frozen=True):
    """Everything that can mute alerts: the input of `mute_reasons`."""

    silences: tuple[Silence, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    down_models: Mapping[str, DownAlert] = field(default_factory=dict)
    """The models that are down or send no data, each with the alert about that."""
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The models that each model depends on."""
    suppressed: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """The names of what mutes an external alert at its source, by alert id."""


def mute_reasons(
    alert: Alert, episode: Episode, context: MuteContext, now: int
) -> tuple[Mute, ...]:
    """Every reason why an episode is muted at `now` (ms UTC); empty when it is not muted.

    A silence or maintenance stops muting an alert that becomes more severe, unless its matchers
    name severities. A model that is down mutes its alerts, but not the one that reports it, nor one
    of another system that has data of its own or is worse. Models that depend on each other do not
    mute each other.
    """
    labels = labels_of(alert, episode.severity)
    return (
        *_silence_mutes(episode, labels, context, now),
        *_maintenance_mutes(episode, labels, context, now),
        *_inhibition_mutes(alert, episode, context),
        *(Mute(MuteKind.SOURCE, by) for by in context.suppressed.get(alert.id, ())),
    )


def find_down_models(
    found: Iterable[tuple[Episode, Alert]], is_trouble: Callable[[Alert], bool]
) -> dict[str, DownAlert]:
    """The models with a firing alert that `is_trouble` accepts, and the one of the lowest id."""
    return {
        alert.model: DownAlert(alert.id, episode.severity)
        for episode, alert in sorted(found, key=lambda pair: -pair[1].id)
        if episode.is_firing and is_trouble(alert)
    }


def labels_of(alert: Alert, severity: int) -> dict[str, str]:
    """The labels that matchers see: the alert's own, and rule, model, source and severity."""
    known = {"rule": alert.rule, "model": alert.model, "source": alert.source}
    return alert.labels | known | {"severity": str(int(severity))}


def matching_alerts(
    matchers: Iterable[Matcher], alerts: Iterable[ActiveAlert]
) -> tuple[ActiveAlert, ...]:
    """The alerts that a silence with these matchers would mute."""
    given = tuple(matchers)
    labels = ((one, labels_of(one.alert, one.episode.severity)) for one in alerts)
    return tuple(one for one, known in labels if matches(given, known))


def _silence_mutes(
    episode: Episode, labels: Mapping[str, str], context: MuteContext, now: int
) -> Iterable[Mute]:
    for silence in context.silences:
        if not silence.is_active_at(now) or not matches(silence.matchers, labels):
            continue
        if silence.has_severity_matcher or not _has_worsened(episode, silence.starts_at):
            why = f"{silence.by}: {silence.reason}"
            yield Mute(MuteKind.SILENCE, str(silence.id), silence.ends_at, why)


def _maintenance_mutes(
    episode: Episode, labels: Mapping[str, str], context: MuteContext, now: int
) -> Iterable[Mute]:
    for work in context.maintenance:
        window = window_at(work, now) if matches(work.matchers, labels) else None
        if window and (work.has_severity_matcher or not _has_worsened(episode, window.opens)):
            yield Mute(MuteKind.MAINTENANCE, work.name, window.closes)


def _has_worsened(episode: Episode, since: int) -> bool:
    return episode.worse_at is not None and episode.worse_at >= since


def _inhibition_mutes(alert: Alert, episode: Episode, context: MuteContext) -> Iterable[Mute]:
    trouble = context.down_models.get(alert.model)
    if trouble is not None and _is_explained(alert, episode, trouble):
        yield Mute(MuteKind.NO_DATA, alert.model)
    depends = context.dependencies
    for model in sorted(_dependencies_of(alert.model, depends)):
        if model in context.down_models and alert.model not in _dependencies_of(model, depends):
            yield Mute(MuteKind.DEPENDENCY, model)


def _is_explained(alert: Alert, episode: Episode, down: DownAlert) -> bool:
    """Whether an alert follows from its model being down."""
    if alert.source == OURS:
        return alert.id != down.id
    return episode.data is DataState.NONE and episode.severity >= down.severity


def _dependencies_of(model: str, depends: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The models that a model depends on, directly or through others."""
    needed: set[str] = set()
    rest = list(depends.get(model, ()))
    while rest:
        one = rest.pop()
        if one not in needed:
            needed.add(one)
            rest.extend(depends.get(one, ()))
    return needed
