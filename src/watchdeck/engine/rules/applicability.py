"""Whom a rule reaches: the models that it can be judged on, and why not the others."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from watchdeck.domain.board.board import LatestScrape
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.signal import PROBE_SIGNALS
from watchdeck.domain.rules.labels import labels_of
from watchdeck.domain.rules.rule import Burn, Rule, Threshold, Unsupported
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.domain.signals.plan_builder import kind_signals
from watchdeck.domain.values.matcher import matches
from watchdeck.engine.rules.conditions import limit_for
from watchdeck.engine.rules.target import target_for

NOT_MEANT = "is not meant"
"""The reason that nobody asks for."""


def reason_not_applicable(
    rule: Rule, facts: EndpointFacts, kind: str | None, told: Collection[str] | None
) -> str:
    """Why a rule is not judged on a model that tells these signals; empty when it is.

    None stands for signals that nobody knows yet.
    """
    if not matches(rule.match, labels_of(facts, kind)):
        return NOT_MEANT
    if _unpromised(rule, facts):
        return f"promises no {signals_of(rule)[0]}"
    if told is None:
        return "was never scraped" if signals_of(rule) else ""
    missing = [signal for signal in signals_of(rule) if signal not in told]
    if missing:
        return f"tells no {' and no '.join(missing)}"
    judged = target_for(facts, kind, (replace(rule, enabled=True),), 0).judged
    return "" if judged or isinstance(rule.test, Unsupported) else "cannot be judged by it"


def measured(latest: LatestScrape, kind: Kind | None) -> frozenset[str]:
    """The signals that a model tells, or will tell once it has traffic."""
    known = measured_by(latest.facts, kind) - {*latest.not_measurable}
    return known | latest.signals.keys()


def measured_by(facts: EndpointFacts, kind: Kind | None) -> frozenset[str]:
    """The signals that a server of a kind may tell of a model."""
    told = kind_signals(kind, Endpoint(facts.name, facts.url, map=facts.map))
    insecure = not facts.url.startswith("https:")
    return frozenset({*told, *PROBE_SIGNALS} - ({"tls_days_left"} if insecure else set()))


def signals_of(rule: Rule) -> tuple[str, ...]:
    """The signals that a model must have for a rule to be judged on it."""
    signal = getattr(rule.test, "signal", None)
    if isinstance(rule.test, Burn) and signal == "error_ratio":
        return ("error_ratio", "request_rate")
    return (signal,) if signal else ()


def _unpromised(rule: Rule, facts: EndpointFacts) -> bool:
    test = rule.test
    if isinstance(test, Burn):
        return getattr(facts.slo, test.signal) is None
    if isinstance(test, Threshold):
        limits = (test.limit, test.clear or test.limit)
        return any(limit_for(limit, test.signal, facts.slo) is None for limit in limits)
    return False
