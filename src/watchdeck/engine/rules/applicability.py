"""The models that a rule applies to, and why it does not apply to the others."""

from collections.abc import Collection

from msgspec.structs import replace

from watchdeck.domain.board.board import LatestScrape
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.signal import PROBE_SIGNALS
from watchdeck.domain.rules.rule import Burn, Rule, Threshold, Unsupported, labels_of
from watchdeck.domain.settings.endpoint import Endpoint, EndpointFacts
from watchdeck.domain.signals.plan_builder import kind_signals
from watchdeck.domain.values.matcher import matches
from watchdeck.engine.rules.conditions import limit_for
from watchdeck.engine.rules.target import target_for

NOT_MATCHED = "is not meant"
"""The reason when the matchers of a rule exclude the model; reports leave it out."""


def reason_not_applicable(
    rule: Rule, facts: EndpointFacts, kind: str | None, signals: Collection[str] | None
) -> str:
    """Why a rule does not apply to a model with these signals; empty when it does.

    `signals` is None while they are unknown, before the first scrape.
    """
    if not matches(rule.match, labels_of(facts, kind)):
        return NOT_MATCHED
    if _is_slo_missing(rule, facts):
        return f"promises no {signals_of(rule)[0]}"
    if signals is None:
        return "was never scraped" if signals_of(rule) else ""
    missing = [signal for signal in signals_of(rule) if signal not in signals]
    if missing:
        return f"tells no {' and no '.join(missing)}"
    states = target_for(facts, kind, (replace(rule, enabled=True),), 0).rule_states
    return "" if states or isinstance(rule.test, Unsupported) else "cannot be judged by it"


def measured_signals(latest: LatestScrape, kind: Kind | None) -> frozenset[str]:
    """The signals that a model reports, or will report once it has traffic."""
    known = measurable_signals(latest.facts, kind) - {*latest.not_measurable}
    return known | latest.signals.keys()


def measurable_signals(facts: EndpointFacts, kind: Kind | None) -> frozenset[str]:
    """The signals that a server of this kind can report for a model."""
    reported = kind_signals(kind, Endpoint(facts.name, facts.url, map=facts.map))
    insecure = not facts.url.startswith("https:")
    return frozenset({*reported, *PROBE_SIGNALS} - ({"tls_days_left"} if insecure else set()))


def signals_of(rule: Rule) -> tuple[str, ...]:
    """The signals that a model must have for a rule to apply."""
    signal = getattr(rule.test, "signal", None)
    if isinstance(rule.test, Burn) and signal == "error_ratio":
        return ("error_ratio", "request_rate")
    return (signal,) if signal else ()


def _is_slo_missing(rule: Rule, facts: EndpointFacts) -> bool:
    test = rule.test
    if isinstance(test, Burn):
        return getattr(facts.slo, test.signal) is None
    if isinstance(test, Threshold):
        limits = (test.limit, test.clear or test.limit)
        return any(limit_for(limit, test.signal, facts.slo) is None for limit in limits)
    return False
