"""The health of the past, as `domain.judge` judges its scrapes; few of them need to be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from watchdeck.demo.history.alerts import PastEpisode
from watchdeck.demo.history.conditions import Scrapes
from watchdeck.domain.alerts.alert import ActiveAlert, Alert, Episode
from watchdeck.domain.board.board import LatestScrape
from watchdeck.domain.board.health import HealthChange, HealthResult
from watchdeck.domain.board.health_evaluation import current_reason, evaluate_health

_MANY = 2
"""From so many failures in a row on, more make no other health."""


def health_history(scrapes: Scrapes, alarms: Sequence[PastEpisode] = ()) -> Iterator[HealthChange]:
    """The changes that the engine would have recorded, oldest first."""
    recorded: HealthChange | None = None
    steps = _steps(alarms)
    raised: dict[str, ActiveAlert] = {}
    for number in _turns(scrapes, [at for at, _, _ in steps]):
        at = int(scrapes.times[number])
        while steps and steps[0][0] <= at:
            _, alert, episode = steps.pop(0)
            raised[alert.fingerprint] = ActiveAlert(alert, episode)
        previous = HealthResult(recorded.health, recorded.cause, recorded.why) if recorded else None
        latest = scrapes.latest(number, scrapes.values[number])
        verdict = evaluate_health(
            latest, previous, at, alerts=(_now(one, latest) for one in raised.values())
        )
        if recorded is None or (recorded.health, recorded.cause) != (verdict.health, verdict.cause):
            recorded = _change(scrapes.facts.name, at, verdict, recorded)
            yield recorded


def _now(raised: ActiveAlert, latest: LatestScrape) -> ActiveAlert:
    """An alert with the figure of a scrape at which nothing happened to it."""
    why = current_reason(raised, latest) or raised.episode.why
    return replace(raised, episode=replace(raised.episode, why=why))


def _steps(alarms: Sequence[PastEpisode]) -> list[tuple[int, Alert, Episode]]:
    """How each episode was after each step of it, in the order of time."""
    found = [(one.at, alarm.alert, one.episode) for alarm in alarms for one in alarm.steps]
    return sorted(found, key=lambda step: step[0])


def _turns(scrapes: Scrapes, times: Sequence[int]) -> list[int]:
    """The scrapes of which something is another than of the one before."""
    import numpy as np

    ready = np.nan_to_num(scrapes.values[:, scrapes.columns.index("ready")], nan=-1.0)
    failures = np.minimum(scrapes.failures, _MANY)
    turns = (np.diff(ready, prepend=np.nan) != 0) | (np.diff(failures, prepend=-1) != 0)
    turns[scrapes.times.searchsorted(np.array(times, np.int64))] = True
    found: list[int] = np.flatnonzero(turns).tolist()
    return found


def _change(
    name: str, at: int, verdict: HealthResult, recorded: HealthChange | None
) -> HealthChange:
    same = recorded is not None and recorded.health is verdict.health
    since = recorded.began if recorded and same else None
    return HealthChange(name, at, verdict.health, verdict.cause, verdict.why, since)
