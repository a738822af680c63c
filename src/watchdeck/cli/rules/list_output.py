"""Rules in words and as JSON: whom they reach, and why not the others."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from watchdeck.domain.board.board import Model
from watchdeck.domain.rules.rule import Rule, RuleFamily, Unsupported
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.domain.values.text import clean
from watchdeck.engine.rules.applicability import (
    NOT_MEANT,
    measured,
    measured_by,
    reason_not_applicable,
)
from watchdeck.service.endpoint_facts import facts


class RuleTarget(Struct, frozen=True):
    """A model as rules see it; `told` are its signals, None before anything is known of it."""

    facts: EndpointFacts
    kind: str | None
    told: Collection[str] | None


class RuleCoverage(Struct, frozen=True):
    """A rule, the models it is judged on, and why not the others that it means."""

    rule: Rule
    on: tuple[RuleTarget, ...]
    held_back: Mapping[str, tuple[str, ...]]

    @property
    def state(self) -> str:
        """One word and what belongs to it."""
        if not self.rule.enabled:
            return "switched off"
        if isinstance(self.rule.test, Unsupported):
            return f"waiting for {', '.join(self.rule.test.signals)}"
        return f"on {models_in_words(len(self.on))}"


def targets_of_board(models: Iterable[Model]) -> tuple[RuleTarget, ...]:
    """The models of a board."""
    from watchdeck.config.reading.kinds import load_kinds

    kinds = {kind.name: kind for kind in load_kinds()}
    return tuple(
        RuleTarget(
            model.facts,
            model.latest.kind if model.latest else None,
            measured(model.latest, kinds.get(model.latest.kind or "")) if model.latest else None,
        )
        for model in models
    )


def targets_of_config(endpoints: Iterable[Endpoint]) -> tuple[RuleTarget, ...]:
    """The models of a configuration that nobody has collected from."""
    from watchdeck.config.reading.kinds import load_kinds

    kinds = {kind.name: kind for kind in load_kinds()}
    found = ((facts(endpoint), kinds.get(endpoint.kind)) for endpoint in endpoints)
    return tuple(
        RuleTarget(one, kind.name if kind else None, measured_by(one, kind) if kind else None)
        for one, kind in found
    )


def coverage(rule: Rule, models: Sequence[RuleTarget]) -> RuleCoverage:
    """Whom a rule reaches of these models."""
    on: list[RuleTarget] = []
    others: dict[str, list[str]] = {}
    for model in models:
        why = reason_not_applicable(rule, model.facts, model.kind, model.told)
        if why:
            others.setdefault(why, []).append(model.facts.name)
        elif not isinstance(rule.test, Unsupported):
            on.append(model)
    return RuleCoverage(rule, tuple(on), {why: tuple(names) for why, names in others.items()})


def list_text(reaches: Sequence[RuleCoverage]) -> str:
    """The rules by family, then those that wait and those that are off."""
    groups: dict[str, list[RuleCoverage]] = {family: [] for family in RuleFamily}
    groups |= {"waiting for signals": [], "switched off": []}
    for one in reaches:
        groups[_group(one)].append(one)
    name = max((len(one.rule.name) for one in reaches), default=0)
    when = max((len(one.rule.when) for one in reaches), default=0)
    lines: list[str] = []
    for title, some in groups.items():
        lines += ["", title] if some else []
        lines += (
            f"  {one.rule.severity:d}  {one.rule.name:{name}}  {clean(one.rule.when):{when}}  "
            f"{_where(one)}"
            for one in sorted(some, key=lambda one: one.rule.severity)
        )
    return "\n".join(line.rstrip() for line in lines[1:]) or "no rules"


def _group(one: RuleCoverage) -> str:
    if not one.rule.enabled:
        return "switched off"
    return "waiting for signals" if isinstance(one.rule.test, Unsupported) else one.rule.family


def _where(one: RuleCoverage) -> str:
    """Whom a rule reaches; where that is nobody, why."""
    if one.on or not one.rule.enabled or isinstance(one.rule.test, Unsupported):
        return one.state
    reasons = {why: len(names) for why, names in one.held_back.items() if why != NOT_MEANT}
    told = ", ".join(f"{models_in_words(count)} {why}" for why, count in reasons.items())
    return f"on no model: {told or 'none is meant'}"


def list_json(reaches: Iterable[RuleCoverage]) -> str:
    """The rules for scripts."""
    return as_json(
        [
            {
                **rule_json(one.rule),
                "family": one.rule.family,
                "enabled": one.rule.enabled,
                "origin": one.rule.origin,
                "state": one.state,
                "models": [model.facts.name for model in one.on],
                "held_back": one.held_back,
            }
            for one in reaches
        ]
    )


def rule_json(rule: Rule) -> dict[str, Any]:
    """What a rule is, for scripts."""
    return {"name": rule.name, "when": rule.when, "severity": int(rule.severity)}


def models_in_words(count: int) -> str:
    """`1 model`, `3 models`."""
    return f"{count} model{'s' * (count != 1)}"


def as_json(found: object) -> str:
    """What was found, for scripts."""
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
