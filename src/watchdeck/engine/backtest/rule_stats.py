"""What rules were worth: what people thought of their alerts, and whom they woke."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import Alert, Episode, Feedback
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.printer import format_condition
from watchdeck.domain.rules.rule import Limit, Rule, Threshold
from watchdeck.domain.values.units import Unit
from watchdeck.engine.backtest.replay import Firing

NIGHT = (22, 7)
"""From which hour until which a page is one at night."""

_FACTORS = (0.8, 1.0, 1.25, 1.5, 2.0, 3.0)
"""Limits that are tried, as multiples of the one that a rule has; above 1 it fires less."""

Fired = tuple[Episode, Alert, Feedback | None]
"""An episode that fired, its alert, and what somebody thought of it when it was over."""


class RuleQuality(Struct, frozen=True):
    """What one rule did: how often it fired and paged, and how many called that what."""

    rule: str
    fired: int = 0
    models: int = 0
    pages: int = 0
    at_night: int = 0
    useful: int = 0
    noise: int = 0
    late: int = 0

    @property
    def judged(self) -> int:
        """How many of its alerts somebody said anything of."""
        return self.useful + self.noise + self.late

    @property
    def precision(self) -> float | None:
        """The share of those that was no noise; None when nobody said anything."""
        return 1 - self.noise / self.judged if self.judged else None


class LimitTrial(Struct, frozen=True):
    """What another limit (`words`) would have done with the alerts that people judged."""

    words: str
    fired: int
    kept: int
    noise: int


def rule_quality(fired: Iterable[Fired], hour_of: Callable[[int], int]) -> tuple[RuleQuality, ...]:
    """What each rule that fired was worth, the noisiest first.

    `hour_of` tells the hour of the day of a time (ms UTC), where those who are paged live.
    """
    by_rule: dict[str, list[Fired]] = {}
    for one in fired:
        by_rule.setdefault(one[1].rule, []).append(one)
    found = [_worth(rule, some, hour_of) for rule, some in by_rule.items()]
    return tuple(sorted(found, key=lambda one: (-one.noise, -one.pages, -one.fired, one.rule)))


def _worth(rule: str, fired: Sequence[Fired], hour_of: Callable[[int], int]) -> RuleQuality:
    pages = [episode.paged_at for episode, _, _ in fired if episode.peak_severity.pages]
    hours = [hour_of(at) for at in pages if at is not None]
    opinions = [opinion for _, _, opinion in fired]
    return RuleQuality(
        rule,
        len(fired),
        len({alert.model for _, alert, _ in fired}),
        len(hours),
        sum(hour >= NIGHT[0] or hour < NIGHT[1] for hour in hours),
        opinions.count(Feedback.USEFUL),
        opinions.count(Feedback.NOISE),
        opinions.count(Feedback.LATE),
    )


def other_limits(rule: Rule) -> Iterator[Rule]:
    """The rule with other limits, in order; none of a rule that compares nothing with a limit."""
    test = rule.test
    if not isinstance(test, Threshold):
        return
    for factor in _FACTORS:
        limit = _scaled(test, test.limit, factor)
        if limit is not None:
            clear = test.clear and _scaled(test, test.clear, factor)
            other = replace(test, limit=limit, clear=clear)
            yield replace(rule, test=other, when=format_condition(other, rule.hold))


def try_limit(words: str, firings: Sequence[Firing], fired: Iterable[Fired]) -> LimitTrial:
    """What a limit's firings mean to people: which useful alerts it keeps, and how much noise."""
    kept = noise = 0
    for episode, alert, opinion in fired:
        met = any(one.model == alert.model and _meets(one, episode) for one in firings)
        kept += met and opinion in (Feedback.USEFUL, Feedback.LATE)
        noise += met and opinion is Feedback.NOISE
    return LimitTrial(words, len(firings), kept, noise)


def best(worth: RuleQuality, some: Iterable[LimitTrial]) -> LimitTrial | None:
    """The limit that keeps every useful alert with the least noise; None when none is better."""
    wanted = worth.useful + worth.late
    good = [one for one in some if one.kept >= wanted and one.noise < worth.noise]
    return min(good, key=lambda one: (one.noise, one.fired), default=None)


def _meets(firing: Firing, episode: Episode) -> bool:
    """Whether both were at the same time."""
    begun = firing.until is None or firing.until >= episode.started_at
    return begun and (episode.ended_at is None or firing.at <= episode.ended_at)


def _scaled(test: Threshold, limit: Limit, factor: float) -> Limit | None:
    """A limit that is `factor` times as far away; None where there is none so far."""
    if limit.promises is not None:
        return Limit(promises=_round(limit.promises * factor))
    value = _round(limit.value * factor if test.above else limit.value / factor)
    whole = SIGNALS[test.signal].unit is Unit.RATIO and value > 1
    return None if whole or SIGNALS[test.signal].unit is Unit.STATE else Limit(value)


def _round(value: float) -> float:
    """Six digits: nobody writes a limit with more."""
    return float(f"{value:.6g}")
