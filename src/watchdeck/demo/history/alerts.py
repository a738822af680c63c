"""The alerts of the past: when each rule would have fired, stepped by the engine's own life of one.

All scrapes of a rule are compared at once; an episode is stepped only where something can happen to
it. Rules that look at how things usually are, or were a week before, are not played.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.demo.history.conditions import ConditionTrack, Scrapes, evaluate_condition
from watchdeck.domain.alerts.alert import (
    Alert,
    AlertEvent,
    AlertState,
    DataState,
    Episode,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import Evaluation, advance
from watchdeck.domain.rules.rule import Rule
from watchdeck.engine.rules.target import RuleState, target_for

if TYPE_CHECKING:
    from watchdeck.demo.history.array_types import Integers


class PastEpisode(Struct, frozen=True):
    """One time that a rule fired: the episode at its end, and all that happened to it."""

    alert: Alert
    episode: Episode
    steps: tuple[Transition, ...]


def alert_history(
    scrapes: Scrapes, kind: str, rules: tuple[Rule, ...], every: int
) -> list[PastEpisode]:
    """All episodes that fired, the oldest first; `every` is the distance (ms) of the scrapes."""
    facts = replace(scrapes.facts, every=every)
    watched = target_for(facts, kind, rules, int(scrapes.times[0]))
    found: list[PastEpisode] = []
    for one in watched.judged:
        track = evaluate_condition(one.check, scrapes, every)
        if track is not None:
            found += _episodes(one, track, scrapes.times)
    return sorted(found, key=lambda alarm: (alarm.episode.started_at, alarm.alert.fingerprint))


def _episodes(one: RuleState, track: ConditionTrack, times: Integers) -> Iterator[PastEpisode]:
    """The episodes of a rule: from each scrape that makes it true until it is over again."""
    import numpy as np

    begins = np.flatnonzero(track.begins & track.known)
    breaks = np.flatnonzero(~track.goes_on | ~track.known)
    open_: Episode | None = None
    over: list[PastEpisode] = []
    steps: tuple[Transition, ...] = ()
    number = 0
    while number < len(times):
        if open_ is None:
            place = int(begins.searchsorted(number))
            if place == len(begins):
                break
            number = int(begins[place])
        found = _finding(track, number, int(times[number]), held=open_ is not None and open_.truth)
        ended = over[-1].episode if over else None
        after, told = advance(one.rule, one.every, open_, found, ended)
        if any(each.verb is AlertEvent.REOPENED for each in told):
            steps = over.pop().steps
        steps += told
        number += 1
        open_ = after if after is not None and after.is_open else None
        if after is not None and open_ is None:
            over.append(PastEpisode(one.alert, after, steps))
            steps = ()
        elif open_ is not None and _is_settled(open_):
            number, open_ = _ahead(track, breaks, times, number, open_)
    if open_ is not None:
        over.append(PastEpisode(one.alert, open_, steps))
    yield from (alarm for alarm in over if alarm.episode.fired_at is not None)


def _finding(track: ConditionTrack, number: int, at: int, *, held: bool) -> Evaluation:
    truth = bool((track.goes_on if held else track.begins)[number])
    said = track.said(number)
    known = truth if track.known[number] else None
    return Evaluation(known, said.value, said.limit, said.why, at, said.samples)


def _is_settled(episode: Episode) -> bool:
    """Whether more of the same makes no difference but to its figures."""
    firing = episode.condition is AlertState.FIRING and episode.data is DataState.FRESH
    return firing and episode.truth and not episode.recent and not episode.flapping


def _ahead(
    track: ConditionTrack, breaks: Integers, times: Integers, number: int, episode: Episode
) -> tuple[int, Episode]:
    """Go to the last scrape before it is no longer true, with the worst value on the way."""
    import numpy as np

    place = int(breaks.searchsorted(number))
    last = (int(breaks[place]) if place < len(breaks) else len(times)) - 1
    if last <= number:
        return number, episode
    limit = episode.limit or 0.0
    values = np.append(track.values[number:last], episode.peak or limit)
    worst = float(values[np.abs(values - limit).argmax()])
    samples, seen_at = episode.samples + last - number, int(times[last - 1])
    return last, replace(episode, peak=worst, samples=samples, seen_at=seen_at)
