"""The scope of a silence: whether it would mute every alert that there is, or that there can be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain

from msgspec import Struct

from watchdeck.domain.alerts.alert import OURS
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.matcher import Matcher, matches

AlertLabels = Mapping[str, str]

_NAMES = ("model", "rule", "alertname")
"""Labels whose value, written out, is what a person wants to mute."""

_SHARED = ("source", "severity")
"""Labels that every alert has, with few values: an equal one selects no part of a fleet."""

_UNSEEN = {"model": "a model that nobody has configured", "rule": "an unknown rule", "source": OURS}
"""The labels of an alert that is like no other."""


class RuleScope(Struct, frozen=True):
    """A rule as silences see it: the labels of its alerts, and the models that it applies to."""

    labels: AlertLabels
    match: tuple[Matcher, ...] = ()


class KnownAlerts(Struct, frozen=True):
    """The alerts by which a silence is judged: those that can be raised, and those that are open.

    Attributes:
        models: The labels of each model that is watched.
        rules: The rules in force.
        raised: The labels of each open alert.
    """

    models: tuple[AlertLabels, ...] = ()
    rules: tuple[RuleScope, ...] = ()
    raised: tuple[AlertLabels, ...] = ()

    def possible(self, names: Collection[str]) -> Iterator[AlertLabels]:
        """The labels of the alerts that the rules can raise about the models.

        Only labels called `names` matter: models and rules that are alike in them are one.
        """
        rules = _distinct_rules(self.rules or (RuleScope({}),), names)
        needed = {*names, *(one.label for rule in rules for one in rule.match)}
        for model in _distinct(self.models, needed):
            for rule in rules:
                if matches(rule.match, model):
                    own = {"model": model.get("model", ""), "source": OURS}
                    yield {**model, **rule.labels, **own}

    def all(self, names: Collection[str]) -> Iterator[AlertLabels]:
        """The possible alerts and the open ones; while hardly any is known, one more.

        Alerts about no model, such as those about the collector, are left out: a silence that
        spares them alone still mutes every model.
        """
        yield from self.possible(names)
        yield from [one for one in self.raised if one.get("model")] or self.raised
        if self._is_tiny():
            yield _UNSEEN

    def _is_tiny(self) -> bool:
        """Whether fewer than two different alerts are known."""
        raised = ((one.get("rule"), one.get("model")) for one in self.raised)
        possible = (
            (rule.labels.get("rule"), model.get("model"))
            for model in self.models
            for rule in self.rules or (RuleScope({}),)
        )
        pairs = iter(chain(raised, possible))
        first = next(pairs, None)
        return all(pair == first for pair in pairs)


def _distinct(found: Iterable[AlertLabels], names: Collection[str]) -> list[dict[str, str]]:
    """The labels called `names` of each, without repeats."""
    parts = (tuple((name, one[name]) for name in names if name in one) for one in found)
    return [dict(part) for part in dict.fromkeys(parts)]


def _distinct_rules(rules: Iterable[RuleScope], names: Collection[str]) -> list[RuleScope]:
    found = {
        (rule.match, tuple((name, rule.labels[name]) for name in names if name in rule.labels))
        for rule in rules
    }
    return [RuleScope(dict(labels), match) for match, labels in found]


NOTHING_KNOWN = KnownAlerts()


def hides_everything(matchers: Iterable[Matcher], known: KnownAlerts) -> bool:
    """Whether a silence or maintenance with these matchers mutes all that is known.

    A model, a rule or an `alertname` that is written out is always a choice. Another value that is
    written out, such as `owner=risk`, is one unless several models are watched and all have it.
    """
    given = tuple(matchers)
    if all(one.matches_everything or one.negated for one in given):
        return True
    values = {one.label for one in given if one.wanted and not (one.pattern or one.negated)}
    if not values.isdisjoint(_NAMES):
        return False
    names = {one.label for one in given}
    if values.difference(_SHARED):
        return len(known.models) > 1 and _match_all(given, known.possible(names))
    return _match_all(given, known.all(names))


def scope_refusal(matchers: Iterable[Matcher], known: KnownAlerts) -> str:
    """Why a silence with these matchers is refused for its scope; empty when it is not."""
    given = tuple(matchers)
    if not hides_everything(given, known):
        return ""
    count = sum(matches(given, labels) for labels in known.raised)
    open_now = f": {count} of {len(known.raised)} that are open" if count else ""
    return f"it would hide nearly every alert{open_now}; say which, such as model=fraud"


def _match_all(given: tuple[Matcher, ...], alerts: Iterable[AlertLabels]) -> bool:
    """Whether there are alerts, and the matchers match all, whatever their severity becomes."""
    by_severity = any(one.label == "severity" for one in given)
    severities = [{"severity": str(int(one))} for one in Severity] if by_severity else [{}]
    found = False
    for labels in alerts:
        if not all(matches(given, {**labels, **severity}) for severity in severities):
            return False
        found = True
    return found
