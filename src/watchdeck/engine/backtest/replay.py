"""Replay of a rule over stored history, by the code that evaluates it live.

Mutes by other rules, silences and maintenance are not replayed. Absent scrapes are not either: a
gap in history is a time without a collector.
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
    no_data_timeout,
)
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, SIGNALS, signal_details
from watchdeck.domain.rules.anomaly import DAY, SPAN, WEEK
from watchdeck.domain.rules.rule import Anomaly, Burn, Rule, Threshold, WeekBefore
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.engine.rules.applicability import signals_of
from watchdeck.engine.rules.baseline import SEASON_SPAN
from watchdeck.engine.rules.burn_rate import LONGEST_WINDOW
from watchdeck.engine.rules.conditions import (
    AbsentCondition,
    DownCondition,
    EndpointCondition,
    ScrapeValues,
    ThresholdCondition,
    evaluate,
)
from watchdeck.engine.rules.target import RuleState, Target, target_for
from watchdeck.store.metrics.raw import Block

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_PACE_RUN = 20
"""Consecutive intervals of another length that mean a new scrape interval; fewer are gaps."""

_OUTCOMES = tuple(outcome.value for outcome in Outcome)
_OK = Outcome.OK.value
_NO_STATE = ModelState.UNKNOWN.value
_STATES = {0.0: ModelState.NOT_READY.value, 1.0: ModelState.READY.value}


class Firing(Struct, frozen=True):
    """One time that a rule would have fired."""

    model: str
    at: int
    """Start (ms UTC)."""
    until: int | None
    """End (ms UTC); None when it still fires at the end of the replay."""
    why: str
    """The reason at the start."""
    peak: float | None = None
    """The worst value; None when unknown."""
    reopened: int = 0
    """How often it fired again soon after its end, without another message."""


class Replay(Struct, frozen=True):
    """The result of a replay on one model."""

    model: str
    firings: tuple[Firing, ...] = ()
    first: int | None = None
    """The time of the first stored scrape (ms UTC); None without a scrape."""
    last: int | None = None
    """The time of the last stored scrape (ms UTC); None without a scrape."""
    every: int = 0
    """The longest scrape interval in the replayed history (ms)."""
    samples: int = 0
    """Number of replayed scrapes."""
    unknown: int = 0
    """Number of scrapes for which the rule was unknown: no value, or too little history before."""
    uncollected: int = 0
    """Milliseconds between `first` and `last` in which no collector ran."""


def lookback(rule: Rule) -> int:
    """Milliseconds of history that a rule needs before an evaluation; 0 without a window."""
    match rule.test:
        case Burn():
            return LONGEST_WINDOW
        case Anomaly(seasonal=seasonal):
            return SEASON_SPAN if seasonal else SPAN + DAY
        case WeekBefore(window=window):
            return WEEK + 2 * window
        case Threshold(window=window):
            return window
    return 0


def replay(
    rule: Rule, facts: EndpointFacts, kind: str | None, blocks: Iterable[Block], start: int
) -> Replay:
    """Replay a rule that applies to a model, over its scrapes from `start` (ms UTC).

    `blocks` are the stored scrapes from `lookback(rule)` ms before `start` on.
    """
    replayed = _RuleReplay(rule, facts, kind, start)
    for block in blocks:
        for part in _split_by_interval(block):
            replayed.add(part)
    return replayed.result


class _RuleReplay:
    """The state of a replay: one rule on one model."""

    def __init__(self, rule: Rule, facts: EndpointFacts, kind: str | None, start: int) -> None:
        self._rule, self._facts, self._kind, self._start = rule, facts, kind, start
        self._columns = tuple(dict.fromkeys((OUTCOME_COLUMN, "ready", *_rule_columns(rule))))
        self._places = {name: place for place, name in enumerate(self._columns)}
        self._target: Target | None = None
        self._failures = 0
        self._firings: list[Firing] = []
        self.result = Replay(facts.name)

    def add(self, block: Block) -> None:
        """Evaluate the rule on stored scrapes at about equal intervals; updates `result`."""
        target = self._target_at(block)
        [state] = target.rule_states
        rows, unknown = _value_rows(block, self._columns), 0
        for index in _rows_to_evaluate(
            state, _notable_rows(state.condition, rows, self._places), len(rows)
        ):
            at = block.times[index]
            before = block.times[index - 1] if index else self.result.last
            sample = self._sample(target, at, before, rows[index].tolist())
            self._mark_stale_after_gap(state, at, before)
            target.add_sample(sample)
            self._complete_budgets(target, at)
            if at >= self._start:
                unknown += self._evaluate(target, state, sample)
        self.result = replace(
            self.result,
            firings=self._firings_so_far(state),
            samples=self.result.samples + sum(at >= self._start for at in block.times),
            unknown=self.result.unknown + unknown,
            uncollected=self.result.uncollected + self._gap_time(block.times, state.every),
            last=block.times[-1],
        )

    def _target_at(self, block: Block) -> Target:
        """The target with the scrape interval of a block, which may differ from today's."""
        every, before = max(_median_interval(block.times), self._facts.every), self._target
        if before is not None and _is_same_interval(before.facts.every, every):
            return before
        first = block.times[0]
        facts = replace(self._facts, every=every)
        after = target_for(facts, self._kind, (self._rule,), first, before)
        if before is not None:
            after.rule_states[0].episode = before.rule_states[0].episode
            after.rule_states[0].last_ended = before.rule_states[0].last_ended
        known = first if self.result.first is None else self.result.first
        self._target = after
        self.result = replace(self.result, first=known, every=max(every, self.result.every))
        return after

    def _sample(
        self, target: Target, at: int, before: int | None, row: Sequence[float]
    ) -> ScrapeValues:
        """A scrape with the columns that the rule needs; skipped rows count as successes."""
        if target.sample is not None and target.sample.at != before:
            self._failures = 0
        outcome = _OUTCOMES[int(row[0])]
        self._failures = 0 if outcome == _OK else self._failures + 1
        state = _STATES.get(row[1], _NO_STATE)
        return ScrapeValues(at, array("d", row), self._places, outcome, self._failures, state)

    def _mark_stale_after_gap(self, state: RuleState, at: int, before: int | None) -> None:
        """Mark the episode as stale after a gap in history, as a restart of the collector does."""
        if state.episode is None or before is None:
            return
        if at - before > no_data_timeout(self._rule, state.every):
            state.episode = mark_stale(state.episode, at - state.every)

    def _gap_time(self, times: Sequence[int], every: int) -> int:
        """Milliseconds without a collector between these scrapes, and since the block before."""
        past = [] if self.result.last is None else [self.result.last]
        gaps = (after - before for before, after in pairwise([*past, *times]))
        return sum(gap - every for gap in gaps if gap > no_data_timeout(self._rule, every))

    def _complete_budgets(self, target: Target, at: int) -> None:
        """Mark error budgets as complete once the replay covers their longest window."""
        for burned in target.budgets.values():
            burned.complete = burned.complete or at - (self.result.first or 0) >= LONGEST_WINDOW

    def _evaluate(self, target: Target, state: RuleState, sample: ScrapeValues) -> bool:
        """Evaluate one sample; returns whether the rule was unknown."""
        episode = state.episode
        truth = state.condition.truth(sample, sample.at, episode is not None and episode.truth)
        if episode is not None or truth or (truth is None and state.fires_on_no_data):
            found = evaluate(state.condition, truth, sample, sample.at)
            found = apply_no_data_policy(self._rule, state.every, found, target.last_good_at)
            after, steps = advance(self._rule, state.every, episode, found, state.last_ended)
            if after is not None:
                state.update_episode(after)
            self._record(steps)
        return truth is None

    def _record(self, steps: Iterable[Transition]) -> None:
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

    def _firings_so_far(self, state: RuleState) -> tuple[Firing, ...]:
        """All firings until now; one that still fires has its peak so far."""
        firings = list(self._firings)
        if firings and firings[-1].until is None and state.episode is not None:
            firings[-1] = replace(firings[-1], peak=state.episode.peak)
        return tuple(firings)


def _rows_to_evaluate(state: RuleState, notable: Flags | None, count: int) -> Iterator[int]:
    """Indexes of the rows to evaluate: all while an episode is open, else only notable ones."""
    places = None if notable is None else notable.nonzero()[0]
    index = 0
    while index < count:
        if places is not None and state.episode is None:
            later = places[places.searchsorted(index) :]
            if not len(later):
                return
            index = int(later[0])
        yield index
        index += 1


def _notable_rows(
    condition: EndpointCondition, rows: Floats, places: Mapping[str, int]
) -> Flags | None:
    """Flags of the rows on which the condition may be true; None when it needs every sample."""
    import numpy as np

    if isinstance(condition, AbsentCondition):
        return np.zeros(len(rows), np.bool_)
    if isinstance(condition, DownCondition):
        notable: Flags = (rows[:, 0] != 0) | (rows[:, 1] == 0)
        return notable
    if isinstance(condition, ThresholdCondition):
        values = rows[:, places[condition.test.signal]]
        limit, above = condition.limit, condition.test.above
        is_past: Flags = ~(values <= limit if above else values >= limit)
        if _MEAN in places:
            is_past |= rows[:, places[_MEAN]] > limit
        return is_past
    return None


_MEAN = "latency_mean"
"""The signal that may prove a quantile of the latency above a limit."""


def _rule_columns(rule: Rule) -> Iterator[str]:
    """The columns that the test of a rule reads: its signals, with their details and the mean."""
    for signal in signals_of(rule):
        yield signal
        yield from (f"{signal}.{detail}" for detail in signal_details(SIGNALS[signal]))
        if signal.startswith("latency_"):
            yield _MEAN


def _split_by_interval(block: Block) -> Iterator[Block]:
    """Split a block where the scrape interval changes for good."""
    import numpy as np

    gaps, first = np.diff(np.array(block.times)), 0
    while len(gaps) - first >= _PACE_RUN:
        every = _median_interval(block.times[first : first + _PACE_RUN])
        odd = (2 * gaps[first:] >= 3 * every) | (3 * gaps[first:] <= 2 * every)
        lasting = np.convolve(odd, np.ones(_PACE_RUN), "valid") == _PACE_RUN
        if not lasting.any():
            break
        past = first + int(lasting.argmax()) + 1
        yield Block(block.columns, block.times[first:past], block.values[first:past])
        first = past
    yield Block(block.columns, block.times[first:], block.values[first:])


def _median_interval(times: Sequence[int]) -> int:
    """The median interval (ms) of scrapes; 0 for a single one."""
    gaps = sorted(after - before for before, after in pairwise(times))
    return gaps[len(gaps) // 2] if gaps else 0


def _is_same_interval(every: int, other: int) -> bool:
    return 2 * every < 3 * other and 2 * other < 3 * every


def _value_rows(block: Block, columns: Sequence[str]) -> Floats:
    """The values of these columns, one row a scrape; NaN for a missing column."""
    import numpy as np

    rows = np.full((len(block.times), len(columns)), np.nan)
    for place, name in enumerate(columns):
        if name in block.columns:
            rows[:, place] = block.values[:, block.columns.index(name)]
    return rows
