"""The quality of rules: the feedback on their alerts, and their pages at night."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import Alert, Episode, Feedback
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.condition import format_condition
from watchdeck.domain.rules.rule import Limit, Rule, Threshold
from watchdeck.domain.values.units import Unit
from watchdeck.engine.backtest.replay import Firing

NIGHT = (22, 7)
"""Local hours at which the night begins and ends, to count pages at night."""

_FACTORS = (0.8, 1.0, 1.25, 1.5, 2.0, 3.0)
"""Limits to try, as multiples of the limit of a rule; above 1 the rule fires less."""

RatedEpisode = tuple[Episode, Alert, Feedback | None]
"""An episode that fired, its alert, and the feedback on it."""


class RuleQuality(Struct, frozen=True):
    """How often one rule fired and paged, and the feedback on its alerts."""

    rule: str
    fired: int = 0
    models: int = 0
    """The number of models on which it fired."""
    pages: int = 0
    at_night: int = 0
    """The pages at night."""
    useful: int = 0
    noise: int = 0
    late: int = 0

    @property
    def rated(self) -> int:
        """The number of alerts with feedback."""
        return self.useful + self.noise + self.late

    @property
    def precision(self) -> float | None:
        """The share of rated alerts that were not noise; None without feedback."""
        return 1 - self.noise / self.rated if self.rated else None


class LimitTrial(Struct, frozen=True):
    """How often a rule would fire with another limit, and how many rated alerts would remain."""

    words: str
    """The condition with the other limit."""
    fired: int
    """How often the rule would have fired."""
    kept: int
    """Alerts rated useful or late that would remain."""
    noise: int
    """Alerts rated noise that would remain."""


def rule_quality(
    fired: Iterable[RatedEpisode], hour_of: Callable[[int], int]
) -> tuple[RuleQuality, ...]:
    """The quality of each rule that fired, the noisiest first.

    `hour_of` returns the local hour of the day of a time (ms UTC).
    """
    by_rule: dict[str, list[RatedEpisode]] = {}
    for one in fired:
        by_rule.setdefault(one[1].rule, []).append(one)
    found = [_quality_of(rule, some, hour_of) for rule, some in by_rule.items()]
    return tuple(sorted(found, key=lambda one: (-one.noise, -one.pages, -one.fired, one.rule)))


def _quality_of(
    rule: str, fired: Sequence[RatedEpisode], hour_of: Callable[[int], int]
) -> RuleQuality:
    pages = [episode.paged_at for episode, _, _ in fired if episode.peak_severity.is_paging]
    hours = [hour_of(at) for at in pages if at is not None]
    feedback = [feedback for _, _, feedback in fired]
    return RuleQuality(
        rule,
        len(fired),
        len({alert.model for _, alert, _ in fired}),
        len(hours),
        sum(hour >= NIGHT[0] or hour < NIGHT[1] for hour in hours),
        feedback.count(Feedback.USEFUL),
        feedback.count(Feedback.NOISE),
        feedback.count(Feedback.LATE),
    )


def other_limits(rule: Rule) -> Iterator[Rule]:
    """Yield copies of a rule with other limits; none for a rule without a limit."""
    test = rule.test
    if not isinstance(test, Threshold):
        return
    for factor in _FACTORS:
        limit = _scale(test, test.limit, factor)
        if limit is not None:
            clear = test.clear and _scale(test, test.clear, factor)
            other = replace(test, limit=limit, clear=clear)
            yield replace(rule, test=other, when=format_condition(other, rule.hold))


def try_limit(words: str, firings: Sequence[Firing], fired: Iterable[RatedEpisode]) -> LimitTrial:
    """Count the alerts with feedback that a rule would still raise with another limit.

    `words` is the condition with that limit, and `firings` come from a replay with it. An alert
    of `fired` would still be raised if a firing on the same model overlaps it in time.
    """
    kept = noise = 0
    for episode, alert, feedback in fired:
        overlaps = any(one.model == alert.model and _is_concurrent(one, episode) for one in firings)
        kept += overlaps and feedback in (Feedback.USEFUL, Feedback.LATE)
        noise += overlaps and feedback is Feedback.NOISE
    return LimitTrial(words, len(firings), kept, noise)


def best_limit(quality: RuleQuality, some: Iterable[LimitTrial]) -> LimitTrial | None:
    """The trial with the least noise that keeps all alerts rated useful or late.

    None when no such trial has less noise than the rule has now.
    """
    wanted = quality.useful + quality.late
    good = [one for one in some if one.kept >= wanted and one.noise < quality.noise]
    return min(good, key=lambda one: (one.noise, one.fired), default=None)


def _is_concurrent(firing: Firing, episode: Episode) -> bool:
    """Whether both overlap in time."""
    begun = firing.until is None or firing.until >= episode.started_at
    return begun and (episode.ended_at is None or firing.at <= episode.ended_at)


def _scale(test: Threshold, limit: Limit, factor: float) -> Limit | None:
    """The limit made harder to pass by `factor`; None when no value of the signal can pass it."""
    if limit.promises is not None:
        return Limit(promises=_round(limit.promises * factor))
    value = _round(limit.value * factor if test.above else limit.value / factor)
    whole = SIGNALS[test.signal].unit is Unit.RATIO and value > 1
    return None if whole or SIGNALS[test.signal].unit is Unit.STATE else Limit(value)


def _round(value: float) -> float:
    """Round to six significant digits, as a person would write a limit."""
    return float(f"{value:.6g}")
