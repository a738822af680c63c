"""The labels of a model and of its alerts: what rules, silences and routes match."""

from __future__ import annotations

from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.settings.facts import EndpointFacts

OWN = ("model", "kind", "rule", "family", "signal", "playbook", "severity", "source")
"""Labels that watchdeck gives an alert itself: no rule may say otherwise."""


def labels_of(facts: EndpointFacts, kind: str | None = None) -> dict[str, str]:
    """The labels of a model: its own, and what is known of it under names that win over them.

    `model` is the name that it is watched by. What is not known has no label.
    """
    known = {
        "model": facts.name,
        "kind": kind,
        "owner": facts.owner,
        "tier": None if facts.tier is None else str(facts.tier),
    }
    return {**facts.labels, **{name: value for name, value in known.items() if value}}


def alert_labels(rule: Rule, model: dict[str, str]) -> dict[str, str]:
    """The labels of a rule's alert about a model; the rule's own win over the model's.

    The severity is no label here: it changes while an alert lasts, and whoever matches adds it.
    """
    signal = getattr(rule.test, "signal", "")
    said = {"rule": rule.name, "family": rule.family.value, "playbook": rule.playbook}
    known = {name: value for name, value in (*said.items(), ("signal", signal)) if value}
    return {**model, **rule.labels, **known, "model": model.get("model", "")}
