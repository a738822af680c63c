"""What conditions ask for beyond their words, in a sentence with the reason."""

import math
from collections.abc import Iterable

from watchdeck.domain.rules.rule import SEASON_DAYS, Anomaly, Burn, Rule
from watchdeck.domain.settings.endpoint import Slo
from watchdeck.domain.values.format import digits, format_value
from watchdeck.domain.values.units import Milliseconds, Unit
from watchdeck.engine.rules.burn_rate import MINIMUM_BAD_EVENTS

_EVENTS = {"availability": "probes", "error_ratio": "requests"}


def note_on(rule: Rule, objectives: Iterable[Slo]) -> str:
    """The note on a rule, for the models with these objectives; empty for most rules."""
    match rule.test:
        case Burn():
            return _burn_note(rule.test, rule.min_samples, objectives)
        case Anomaly(seasonal=True):
            return (
                f"compares with the same hour of other days once {SEASON_DAYS} days of history show"
                " that they are alike, else with the whole week"
            )
    return ""


def _burn_note(test: Burn, min_samples: int, objectives: Iterable[Slo]) -> str:
    """The fewest events with which a burn-rate rule fires, and why it needs so many."""
    events = _EVENTS[test.signal]
    long, short = (
        " or ".join(str(Milliseconds(span)) for span in spans)
        for spans in zip(*((pair.long, pair.short) for pair in test.pairs), strict=True)
    )
    needs = f"needs {math.ceil(MINIMUM_BAD_EVENTS)} failed {events} in {long}"
    if min_samples > 1:
        needs += f", and {min_samples} {events} in {short}"
    return f"{needs}: {_burn_reason(test, objectives)}"


def _burn_reason(test: Burn, objectives: Iterable[Slo]) -> str:
    """Why one failure is not enough, by the strictest objective."""
    shares = [share for one in objectives if (share := _bad_share(test, one))]
    factor = min(pair.factor for pair in test.pairs)
    fewest = math.ceil(1 / (factor * min(shares))) - 1 if shares else 0
    if fewest < 2:
        return "one or two failures show no trend"
    promised = min(shares) if test.signal == "error_ratio" else 1 - min(shares)
    objective = f"{test.signal} {format_value(promised, Unit.RATIO)}"
    return f"with {objective}, one failure of {fewest} alone is past {digits(factor)}x"


def _bad_share(test: Burn, slo: Slo) -> float:
    """The share of events that may be bad; 0 without such an objective."""
    if test.signal == "error_ratio":
        return slo.error_ratio or 0.0
    return 0.0 if slo.availability is None else 1 - slo.availability
