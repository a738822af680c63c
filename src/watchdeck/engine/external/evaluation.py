"""One sitting over what others said: what is open, what is known, and where decisions go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import Alert, Episode, Transition
from watchdeck.domain.external.event import ExternalEvent
from watchdeck.domain.external.source import RemoteAlertState
from watchdeck.store.alerts.episodes import alert_id, read_episodes
from watchdeck.store.alerts.external_events import (
    PendingResolve,
    read_open_foreign,
    read_standings,
    waiting,
)
from watchdeck.store.alerts.external_sources import sources
from watchdeck.store.files.connection import Connection

AlertKey = tuple[str, str]
"""Source and fingerprint."""

LabelMapping = Mapping[str, str]

SaveTransitions = Callable[[Alert, Episode, tuple[Transition, ...]], Episode | None]
"""Keeps an episode, its steps and what is told of them, in the transaction under way.

It returns the episode with its number and revision; None when somebody else changed it first.
"""


class ExternalEvaluation:
    """One sitting: what is open, what is known of its sources, and where decisions go."""

    def __init__(
        self,
        db: Connection,
        now: int,
        keep: SaveTransitions,
        mute: frozenset[str],
        named: Mapping[str, LabelMapping],
        suppressed: MutableMapping[int, tuple[str, ...]],
    ) -> None:
        self.db = db
        self.now = now
        self.keep = keep
        self.mute = mute
        self.named = named
        self.suppressed = suppressed
        self.said: dict[str, dict[str, RemoteAlertState]] = {}
        self.sources = {source.name: source for source in sources(self.db)}
        pairs = read_open_foreign(self.db)
        self.open = {(alert.source, alert.fingerprint): (one, alert) for one, alert in pairs}
        self.early = {alert_key(one): one for one in waiting(self.db, PendingResolve.EARLY)}
        self.held = {alert_key(one): one for one in waiting(self.db, PendingResolve.HELD)}

    def alert(self, event: ExternalEvent) -> Alert:
        """The alert that an event is about, with its number."""
        known = self.named.get(event.model, {})
        model = known.get("model", event.model)
        labels = {**known, **event.labels, "model": model}
        alert = Alert(0, event.source, event.fingerprint, event.rule, model, labels)
        alert = replace(alert, id=alert_id(self.db, alert))
        self.suppressed[alert.id] = event.suppressed_by
        return alert

    def last(self, alert: Alert) -> RemoteAlertState | None:
        """What its source last said of an alert while it fired."""
        if alert.source not in self.said:
            self.said[alert.source] = read_standings(self.db, alert.source)
        return self.said[alert.source].get(alert.fingerprint)

    def previous(self, alert: Alert) -> Episode | None:
        """The newest episode of an alert."""
        return next(iter(read_episodes(self.db, alert.id, self.now, 1)), None)

    def begun(self, alert: Alert, after: Episode | None, steps: tuple[Transition, ...]) -> None:
        """Keep an episode that is new or open again, if there is one."""
        if after is not None:
            self.kept(alert, None, replace(after, alert=alert.id), steps)

    def kept(
        self,
        alert: Alert,
        before: Episode | None,
        after: Episode | None,
        steps: tuple[Transition, ...],
    ) -> None:
        """Keep what became of an episode, if it became anything."""
        if after is None or after == before:
            return
        kept = self.keep(alert, after, steps)
        key = (alert.source, alert.fingerprint)
        self.open.pop(key, None)
        if kept is not None and kept.is_open:
            self.open[key] = (kept, alert)


def alert_key(event: ExternalEvent) -> AlertKey:
    """The key of the alert that an event is about."""
    return event.source, event.fingerprint
