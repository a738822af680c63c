"""The alerts of a board: every open episode, and those that ended lately, with who has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from sqlite3 import Connection

from watchdeck.domain.alerts.alert import ActiveAlert, Alert, AlertState, Episode, KnownIssue
from watchdeck.store.alerts.acknowledgements import (
    count_notes,
    read_acknowledgements,
    read_opinions,
    read_pins,
)
from watchdeck.store.alerts.episodes import ALERT, EPISODE, alert_from, as_of, episode_from

LINGER = 900_000
"""Milliseconds that an alert stays on a board after its end."""

HOURS = 24
_HOUR = 3_600_000

_EPISODE_WIDTH = EPISODE.count(",") + 1
_ALERT_WIDTH = ALERT.count(",") + 1

_NOW = f"""
select {EPISODE}, {ALERT} from episode as e join alert as a on a.id = e.alert
where e.ended_at is null or (e.ended_at > :since and e.fired_at is not null)
order by e.id
"""

_THEN = f"""
select {EPISODE}, {ALERT}, t.at, t.condition, t.data, t.severity, t.flapping, t.value, t.why
from episode as e
join alert as a on a.id = e.alert
join transition as t on t.episode = e.id and t.number = (
    select max(p.number) from transition as p where p.episode = e.id and p.at <= :at
)
where e.started_at <= :at and (e.ended_at is null or e.ended_at > :since)
order by e.id
"""

_FIRED = """
select alert, fired_at, ended_at from episode
where fired_at < :end and (ended_at is null or ended_at > :start) order by id
"""


def read_active_alerts(db: Connection, at: int | None, now: int) -> tuple[ActiveAlert, ...]:
    """The alerts of now, or those of a moment `at` of the past (ms UTC), the oldest first.

    Who is not to hear of them is not known here: mutes are recomputed, never kept.
    """
    moment = now if at is None else at
    found = _now(db, moment - LINGER) if at is None else _then(db, moment)
    if not found:
        return ()
    owners = read_acknowledgements(db, at)
    notes = count_notes(db, moment - LINGER, moment)
    pins = read_pins(db, moment)
    opinions = read_opinions(db, min(episode.started_at for episode, _ in found))
    hours = _hours(db, moment)
    return tuple(
        ActiveAlert(
            alert,
            episode,
            owners.get(episode.id),
            pins=tuple(pin for pin in pins if _is_about(pin, alert)),
            hours=hours.get(alert.id, (0.0,) * HOURS),
            notes=notes.get(episode.id, 0),
            opinion=opinions.get(episode.id),
        )
        for episode, alert in found
    )


def _now(db: Connection, since: int) -> list[tuple[Episode, Alert]]:
    rows = db.execute(_NOW, {"since": since}).fetchall()
    return [(episode_from(row[:_EPISODE_WIDTH]), alert_from(row[_EPISODE_WIDTH:])) for row in rows]


def _then(db: Connection, at: int) -> list[tuple[Episode, Alert]]:
    found = []
    for row in db.execute(_THEN, {"at": at, "since": at - LINGER}).fetchall():
        alert = alert_from(row[_EPISODE_WIDTH : _EPISODE_WIDTH + _ALERT_WIDTH])
        when, *state = row[_EPISODE_WIDTH + _ALERT_WIDTH :]
        episode = as_of(episode_from(row[:_EPISODE_WIDTH]), when, *state)
        if _is_shown(episode, at):
            found.append((episode, alert))
    return found


def _is_shown(episode: Episode, at: int) -> bool:
    """Whether an episode of the past had not been over for long; what never fired was dropped.

    Of one that opened again it is not known when it fired before that, but that it did.
    """
    if episode.condition is not AlertState.OK:
        return True
    fired = episode.fired_at is not None or episode.reopened > 0
    return fired and episode.ended_at is not None and at - episode.ended_at < LINGER


def _is_about(pin: KnownIssue, alert: Alert) -> bool:
    return pin.model in ("", alert.model) and pin.rule in ("", alert.rule)


def _hours(db: Connection, at: int) -> dict[int, tuple[float, ...]]:
    """The share of each of the last hours in which each alert fired, the newest last."""
    start = at - HOURS * _HOUR
    fired: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for alert, began, ended in db.execute(_FIRED, {"start": start, "end": at}).fetchall():
        fired[alert].append(
            (max(began, start) - start, min(at if ended is None else ended, at) - start)
        )
    return {alert: tuple(_shares(stretches)) for alert, stretches in fired.items()}


def _shares(stretches: Iterable[tuple[int, int]]) -> list[float]:
    shares = [0.0] * HOURS
    for began, ended in stretches:
        for hour in range(began // _HOUR, min(HOURS, -(-ended // _HOUR))):
            inside = min(ended, (hour + 1) * _HOUR) - max(began, hour * _HOUR)
            shares[hour] = min(1.0, shares[hour] + inside / _HOUR)
    return shares
