"""A rule over stored history: when it would have fired, by the code that judges it live.

What other rules, silences and planned work would have muted is not played. Nor is absence: a hole
in history is a time in which nobody collected.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import AlertEvent, Transition
from watchdeck.domain.alerts.lifecycle import (
    advance,
    apply_no_data_policy,
    mark_stale,
    silent_after,
)
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN
from watchdeck.domain.rules.anomaly import DAY, SPAN, WEEK
from watchdeck.domain.rules.rule import Anomaly, Burn, Rule, Threshold, WeekBefore
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.engine.rules.applicability import signals_of
from watchdeck.engine.rules.baseline import SEASONS
from watchdeck.engine.rules.burn_rate import FURTHEST
from watchdeck.engine.rules.conditions import (
    AbsentCondition,
    DownCondition,
    EndpointCondition,
    ScrapeValues,
    ThresholdCondition,
    evaluate,
)
from watchdeck.engine.rules.target import RuleState, Target, target_for
from watchdeck.store.metrics.scan import Block

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_LASTING = 20
"""So many distances of scrapes in a row are a new pace, and not a few holes."""

_OUTCOMES = tuple(outcome.value for outcome in Outcome)
_OK = Outcome.OK.value
_NO_STATE = ModelState.UNKNOWN.value
_STATES = {0.0: ModelState.NOT_READY.value, 1.0: ModelState.READY.value}


class Firing(Struct, frozen=True):
    """One time that a rule would have fired, from `at` until `until` (ms UTC; None is still).

    `why` is what it would have said then. `reopened` counts how often it would have come back
    without another message.
    """

    model: str
    at: int
    until: int | None
    why: str
    peak: float | None = None
    reopened: int = 0


class Replay(Struct, frozen=True):
    """What a rule would have done on one model.

    `first` and `last` are the first and the last scrape that there is (ms UTC), `every` the
    distance of scrapes then, and `uncollected` how long (ms) nobody collected in between. `unknown`
    counts those of the `samples` of which the rule could not be told: no value, or too little
    before them.
    """

    model: str
    firings: tuple[Firing, ...] = ()
    first: int | None = None
    last: int | None = None
    every: int = 0
    samples: int = 0
    unknown: int = 0
    uncollected: int = 0


def lookback(rule: Rule) -> int:
    """How much (ms) must lie before a moment for a rule to be judged at it."""
    match rule.test:
        case Burn():
            return FURTHEST
        case Anomaly(seasonal=seasonal):
            return SEASONS if seasonal else SPAN + DAY
        case WeekBefore(window=window):
            return WEEK + 2 * window
        case Threshold(window=window):
            return window
    return 0


def replay(
    rule: Rule, facts: EndpointFacts, kind: str | None, blocks: Iterable[Block], start: int
) -> Replay:
    """Play a rule over the scrapes of one model, on which it can be judged, from `start` (ms UTC).

    The blocks begin `lookback` before that, where there is so much.
    """
    player = _Player(rule, facts, kind, start)
    for block in blocks:
        for stretch in _stretches(block):
            player.play(stretch)
    return player.told


class _Player:
    """A rule on one model, as it stands after each scrape."""

    def __init__(self, rule: Rule, facts: EndpointFacts, kind: str | None, start: int) -> None:
        self._rule, self._facts, self._kind, self._start = rule, facts, kind, start
        self._columns = tuple(dict.fromkeys((OUTCOME_COLUMN, "ready", *signals_of(rule))))
        self._places = {name: place for place, name in enumerate(self._columns)}
        self._watched: Target | None = None
        self._failures = 0
        self._firings: list[Firing] = []
        self.told = Replay(facts.name)

    def play(self, block: Block) -> None:
        """Live through scrapes that came about as often as each other."""
        watched = self._settled(block)
        [judged] = watched.judged
        rows, unknown = _rows(block, self._columns), 0
        for index in _turns(judged, _loud(judged.check, rows, self._places), len(rows)):
            at = block.times[index]
            before = block.times[index - 1] if index else self.told.last
            sample = self._sample(watched, at, before, rows[index].tolist())
            self._wake(judged, at, before)
            watched.take(sample)
            self._remember(watched, at)
            if at >= self._start:
                unknown += self._judge(watched, judged, sample)
        self.told = replace(
            self.told,
            firings=self._so_far(judged),
            samples=self.told.samples + sum(at >= self._start for at in block.times),
            unknown=self.told.unknown + unknown,
            uncollected=self.told.uncollected + self._holes(block.times, judged.every),
            last=block.times[-1],
        )

    def _settled(self, block: Block) -> Target:
        """The model, scraped as often as it was then: an endpoint may be polled otherwise now."""
        every, before = max(_spacing(block.times), self._facts.every), self._watched
        if before is not None and _alike(before.facts.every, every):
            return before
        first = block.times[0]
        facts = replace(self._facts, every=every)
        after = target_for(facts, self._kind, (self._rule,), first, before)
        if before is not None:
            after.judged[0].episode = before.judged[0].episode
            after.judged[0].ended = before.judged[0].ended
        known = first if self.told.first is None else self.told.first
        self._watched = after
        self.told = replace(self.told, first=known, every=max(every, self.told.every))
        return after

    def _sample(
        self, watched: Target, at: int, before: int | None, row: Sequence[float]
    ) -> ScrapeValues:
        """A scrape with the columns that the rule needs; those that were left out were good."""
        if watched.sample is not None and watched.sample.at != before:
            self._failures = 0
        outcome = _OUTCOMES[int(row[0])]
        self._failures = 0 if outcome == _OK else self._failures + 1
        state = _STATES.get(row[1], _NO_STATE)
        return ScrapeValues(at, array("d", row), self._places, outcome, self._failures, state)

    def _wake(self, judged: RuleState, at: int, before: int | None) -> None:
        """After a time in which nobody collected, all is as after a restart."""
        if judged.episode is None or before is None:
            return
        if at - before > silent_after(self._rule, judged.every):
            judged.episode = mark_stale(judged.episode, at - judged.every)

    def _holes(self, times: Sequence[int], every: int) -> int:
        """For how long (ms) nobody collected, up to and between these scrapes."""
        past = [] if self.told.last is None else [self.told.last]
        apart = (after - before for before, after in pairwise([*past, *times]))
        return sum(gap - every for gap in apart if gap > silent_after(self._rule, every))

    def _remember(self, watched: Target, at: int) -> None:
        """Budgets know all that they look back on, once so much was played."""
        for burned in watched.burned.values():
            burned.complete = burned.complete or at - (self.told.first or 0) >= FURTHEST

    def _judge(self, watched: Target, judged: RuleState, sample: ScrapeValues) -> bool:
        """Take a step; whether the rule could not be told."""
        episode = judged.episode
        truth = judged.check.truth(sample, sample.at, episode is not None and episode.truth)
        if episode is not None or truth or (truth is None and judged.fires_on_silence):
            found = evaluate(judged.check, truth, sample, sample.at)
            found = apply_no_data_policy(self._rule, judged.every, found, watched.good_at)
            after, steps = advance(self._rule, judged.every, episode, found, judged.ended)
            if after is not None:
                judged.keep(after)
            self._note(steps)
        return truth is None

    def _note(self, steps: Iterable[Transition]) -> None:
        for one in steps:
            if one.verb is AlertEvent.FIRED:
                self._firings.append(Firing(self._facts.name, one.at, None, one.episode.why))
            elif one.verb in (AlertEvent.REOPENED, AlertEvent.RESOLVED):
                last = self._firings[-1]
                self._firings[-1] = replace(
                    last,
                    until=one.at if one.verb is AlertEvent.RESOLVED else None,
                    reopened=one.episode.reopened,
                    peak=one.episode.peak,
                )

    def _so_far(self, judged: RuleState) -> tuple[Firing, ...]:
        """All firings, the newest with its peak until now when it is not over."""
        firings = list(self._firings)
        if firings and firings[-1].until is None and judged.episode is not None:
            firings[-1] = replace(firings[-1], peak=judged.episode.peak)
        return tuple(firings)


def _turns(judged: RuleState, loud: Flags | None, count: int) -> Iterator[int]:
    """The scrapes that change anything: all while an episode is open, else the loud ones."""
    places = None if loud is None else loud.nonzero()[0]
    index = 0
    while index < count:
        if places is not None and judged.episode is None:
            later = places[places.searchsorted(index) :]
            if not len(later):
                return
            index = int(later[0])
        yield index
        index += 1


def _loud(check: EndpointCondition, rows: Floats, places: Mapping[str, int]) -> Flags | None:
    """Which scrapes are not plainly false; None where every scrape counts, for what is to come."""
    import numpy as np

    if isinstance(check, AbsentCondition):
        return np.zeros(len(rows), np.bool_)
    if isinstance(check, DownCondition):
        loud: Flags = (rows[:, 0] != 0) | (rows[:, 1] == 0)
        return loud
    if isinstance(check, ThresholdCondition):
        values = rows[:, places[check.test.signal]]
        return ~(values <= check.limit if check.test.above else values >= check.limit)
    return None


def _stretches(block: Block) -> Iterator[Block]:
    """The scrapes of a block, cut where they begin to come more often, or less."""
    import numpy as np

    gaps, first = np.diff(np.array(block.times)), 0
    while len(gaps) - first >= _LASTING:
        every = _spacing(block.times[first : first + _LASTING])
        odd = (2 * gaps[first:] >= 3 * every) | (3 * gaps[first:] <= 2 * every)
        lasting = np.convolve(odd, np.ones(_LASTING), "valid") == _LASTING
        if not lasting.any():
            break
        past = first + int(lasting.argmax()) + 1
        yield Block(block.columns, block.times[first:past], block.values[first:past])
        first = past
    yield Block(block.columns, block.times[first:], block.values[first:])


def _spacing(times: Sequence[int]) -> int:
    """The usual distance (ms) of scrapes; 0 of a single one."""
    apart = sorted(after - before for before, after in pairwise(times))
    return apart[len(apart) // 2] if apart else 0


def _alike(every: int, other: int) -> bool:
    return 2 * every < 3 * other and 2 * other < 3 * every


def _rows(block: Block, columns: Sequence[str]) -> Floats:
    """The values of these columns, a row a scrape; NaN in a column that there is not."""
    import numpy as np

    rows = np.full((len(block.times), len(columns)), np.nan)
    for place, name in enumerate(columns):
        if name in block.columns:
            rows[:, place] = block.values[:, block.columns.index(name)]
    return rows
