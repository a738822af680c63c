"""The alerts of a board: open and recently ended episodes, with owner, notes and feedback."""

from collections import defaultdict
from collections.abc import Iterable
from sqlite3 import Connection

from watchdeck.domain.alerts.alert import ActiveAlert, Alert, AlertState, Episode, KnownIssue
from watchdeck.store.alerts.acknowledgements import (
    count_notes,
    read_acknowledgements,
    read_feedback,
    read_known_issues,
)
from watchdeck.store.alerts.episodes import ALERT, EPISODE, alert_from, episode_as_of, episode_from

RESOLVED_RETENTION = 900_000
"""Milliseconds that an ended alert stays on a board."""

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
    """Alerts that are open, or ended up to 15 min ago, oldest first.

    As of `now`, or of a past moment `at` (both ms UTC). Their mute reasons are empty: those are not
    stored, but computed for every board.
    """
    moment = now if at is None else at
    found = _read_current(db, moment - RESOLVED_RETENTION) if at is None else _read_past(db, moment)
    if not found:
        return ()
    owners = read_acknowledgements(db, at)
    notes = count_notes(db, moment - RESOLVED_RETENTION, moment)
    issues = read_known_issues(db, moment)
    feedback = read_feedback(db, min(episode.started_at for episode, _ in found))
    hours = _firing_shares(db, moment)
    return tuple(
        ActiveAlert(
            alert,
            episode,
            owners.get(episode.id),
            known_issues=tuple(issue for issue in issues if _is_about(issue, alert)),
            hours=hours.get(alert.id, (0.0,) * HOURS),
            notes=notes.get(episode.id, 0),
            feedback=feedback.get(episode.id),
        )
        for episode, alert in found
    )


def _read_current(db: Connection, since: int) -> list[tuple[Episode, Alert]]:
    rows = db.execute(_NOW, {"since": since}).fetchall()
    return [(episode_from(row[:_EPISODE_WIDTH]), alert_from(row[_EPISODE_WIDTH:])) for row in rows]


def _read_past(db: Connection, at: int) -> list[tuple[Episode, Alert]]:
    found = []
    for row in db.execute(_THEN, {"at": at, "since": at - RESOLVED_RETENTION}).fetchall():
        alert = alert_from(row[_EPISODE_WIDTH : _EPISODE_WIDTH + _ALERT_WIDTH])
        when, *state = row[_EPISODE_WIDTH + _ALERT_WIDTH :]
        episode = episode_as_of(episode_from(row[:_EPISODE_WIDTH]), when, *state)
        if _is_shown(episode, at):
            found.append((episode, alert))
    return found


def _is_shown(episode: Episode, at: int) -> bool:
    """Whether the board of `at` (ms UTC) shows an episode: open then, or fired and ended recently.

    A reopened episode has fired, though the time of its first firing is not stored.
    """
    if episode.condition is not AlertState.OK:
        return True
    fired = episode.fired_at is not None or episode.reopened > 0
    return fired and episode.ended_at is not None and at - episode.ended_at < RESOLVED_RETENTION


def _is_about(issue: KnownIssue, alert: Alert) -> bool:
    return issue.model in ("", alert.model) and issue.rule in ("", alert.rule)


def _firing_shares(db: Connection, at: int) -> dict[int, tuple[float, ...]]:
    """By alert id: the share of each of the last 24 hours that the alert fired, newest last."""
    start = at - HOURS * _HOUR
    fired: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for alert, began, ended in db.execute(_FIRED, {"start": start, "end": at}).fetchall():
        fired[alert].append(
            (max(began, start) - start, min(at if ended is None else ended, at) - start)
        )
    return {alert: tuple(_hourly_shares(stretches)) for alert, stretches in fired.items()}


def _hourly_shares(stretches: Iterable[tuple[int, int]]) -> list[float]:
    shares = [0.0] * HOURS
    for began, ended in stretches:
        for hour in range(began // _HOUR, min(HOURS, -(-ended // _HOUR))):
            inside = min(ended, (hour + 1) * _HOUR) - max(began, hour * _HOUR)
            shares[hour] = min(1.0, shares[hour] + inside / _HOUR)
    return shares
