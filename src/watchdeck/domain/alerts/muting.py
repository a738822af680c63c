"""Muting: why nobody is told of an alert that is true; it goes on, and is counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field

from watchdeck.domain.alerts.alert import ActiveAlert, Alert, AlertState, Episode, Mute, MuteKind
from watchdeck.domain.alerts.maintenance import Maintenance, window_at
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.values.matcher import Matcher, matches


class MuteContext(Struct, frozen=True):
    """What stands beside an alert, and may mute it.

    `troubled` are the models that are down or say nothing, each with the number of the alert that
    tells so. `depends` says on which models a model depends, `suppressed` by what its source keeps
    a foreign alert quiet, by its number.
    """

    silences: tuple[Silence, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    troubled: Mapping[str, int] = field(default_factory=dict)
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    suppressed: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def mute_reasons(alert: Alert, episode: Episode, world: MuteContext, now: int) -> tuple[Mute, ...]:
    """Every reason why nobody is told of an episode at `now` (ms UTC); none when somebody is.

    A silence or a maintenance no longer holds once the severity rose in it, unless it names
    severities. The alert that tells of a model's trouble is never muted by that trouble, nor two
    models by each other.
    """
    labels = labels_of(alert, episode.severity)
    return (
        *_silenced(episode, labels, world, now),
        *_maintained(episode, labels, world, now),
        *_inhibited(alert, world),
        *(Mute(MuteKind.SOURCE, by) for by in world.suppressed.get(alert.id, ())),
    )


def models_down(
    found: Iterable[tuple[Episode, Alert]], tells: Callable[[Alert], bool]
) -> dict[str, int]:
    """The models in trouble, each with the alert that tells so; `tells` says which alerts do."""
    burning = (AlertState.FIRING, AlertState.CLEARING)
    return {
        alert.model: alert.id
        for episode, alert in sorted(found, key=lambda pair: -pair[1].id)
        if episode.condition in burning and tells(alert)
    }


def labels_of(alert: Alert, severity: int) -> dict[str, str]:
    """The labels that a matcher sees: the alert's own, and what is known of every alert."""
    known = {"rule": alert.rule, "model": alert.model, "source": alert.source}
    return alert.labels | known | {"severity": str(int(severity))}


def matched_alerts(
    matchers: Iterable[Matcher], raised: Iterable[ActiveAlert]
) -> tuple[ActiveAlert, ...]:
    """The alerts that a silence of these matchers would hide."""
    wanted = tuple(matchers)
    return tuple(
        one for one in raised if matches(wanted, labels_of(one.alert, one.episode.severity))
    )


def _silenced(
    episode: Episode, labels: Mapping[str, str], world: MuteContext, now: int
) -> Iterable[Mute]:
    for silence in world.silences:
        if not silence.holds_at(now) or not matches(silence.matchers, labels):
            continue
        if silence.names_severity or not _rose(episode, silence.starts_at):
            why = f"{silence.by}: {silence.reason}"
            yield Mute(MuteKind.SILENCE, str(silence.id), silence.ends_at, why)


def _maintained(
    episode: Episode, labels: Mapping[str, str], world: MuteContext, now: int
) -> Iterable[Mute]:
    for work in world.maintenance:
        window = window_at(work, now) if matches(work.matchers, labels) else None
        if window and (work.names_severity or not _rose(episode, window.opens)):
            yield Mute(MuteKind.MAINTENANCE, work.name, window.closes)


def _rose(episode: Episode, since: int) -> bool:
    return episode.worse_at is not None and episode.worse_at >= since


def _inhibited(alert: Alert, world: MuteContext) -> Iterable[Mute]:
    telling = world.troubled.get(alert.model)
    if telling is not None and telling != alert.id:
        yield Mute(MuteKind.NO_DATA, alert.model)
    for model in sorted(_needed(alert.model, world.depends)):
        if model in world.troubled and alert.model not in _needed(model, world.depends):
            yield Mute(MuteKind.DEPENDENCY, model)


def _needed(model: str, depends: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The models that one depends on, directly or through others."""
    needed: set[str] = set()
    rest = list(depends.get(model, ()))
    while rest:
        one = rest.pop()
        if one not in needed:
            needed.add(one)
            rest.extend(depends.get(one, ()))
    return needed
