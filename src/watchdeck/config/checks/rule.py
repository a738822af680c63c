"""Checks the text of one alert rule, merges it with a packaged rule, and compiles it."""

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import asdict, replace

from watchdeck.config.checks import fields
from watchdeck.config.checks.fields import Bounds
from watchdeck.config.reading.problems import Problem, child_key, did_you_mean
from watchdeck.domain.rules.condition import Condition, ConditionError, read_condition
from watchdeck.domain.rules.rule import RESERVED_LABELS, Absent, NoData, Rule, RuleFamily, Severity
from watchdeck.domain.settings.rules import RuleText
from watchdeck.domain.values.matcher import Matcher, read_matcher
from watchdeck.domain.values.units import Milliseconds

_DAY = 86_400_000
_MOST = Milliseconds(31 * _DAY)
BOUNDS: Bounds = {
    "for": (Milliseconds(0), _MOST),
    "resolve_for": (Milliseconds(0), _MOST),
    "no_data_after": (Milliseconds(1_000), _MOST),
    "min_samples": (1, 1_000_000),
    "severity": (1, 4),
}
_MOST_ENTRIES = 30
_LABEL = re.compile(r"[A-Za-z_][\w.-]{0,79}", re.ASCII)
_PLACEHOLDER = re.compile(r"\{([^{}]{0,80})\}")
_SEVERITIES = "1 is the worst; 1 and 2 page somebody, 3 and 4 are notices."


def merge_rule(base: RuleText, text: RuleText) -> RuleText:
    """The packaged rule `base`, with the settings that `text` gives in place of its own.

    When `text` gives a `when`, the `for` of `base` is dropped: it belongs to the old condition.
    """
    changes = asdict(text)
    if text.when is not None:
        base = replace(base, for_=None)
    return replace(base, **{name: value for name, value in changes.items() if value is not None})


def rule_problems(text: RuleText) -> Iterator[Problem]:
    """Every problem of one rule alone, each with its key."""
    yield from fields.text_problems(text)
    yield from fields.name_problems(text.name)
    yield from _when_problems(text)
    yield from _number_problems(text)
    yield from _choice_problems(text)
    yield from _match_problems(text)
    yield from _label_problems(text)
    yield from _message_problems(text.message or "")
    if text.runbook and "://" in text.runbook and (problem := fields.url_problem(text.runbook)):
        yield Problem("runbook", *problem)


def compile_rule(text: RuleText) -> Rule:
    """Build the rule that is evaluated from a text that has no problems."""
    when = _condition(text)
    values: dict[str, Any] = {
        "severity": text.severity and Severity(text.severity),
        "resolve_for": text.resolve_for,
        "min_samples": text.min_samples,
        "no_data": text.no_data and NoData(text.no_data),
        "no_data_after": text.no_data_after,
        "match": text.match and matchers_of(text),
        "labels": text.labels,
        "family": text.family and RuleFamily(text.family),
        "playbook": text.playbook,
        "runbook": text.runbook,
        "message": text.message,
        "group_by": text.group_by,
        "enabled": text.enabled,
    }
    set_values = {name: value for name, value in values.items() if value is not None}
    words = " ".join((text.when or "").split())
    if text.for_:
        words += f" for {text.for_}"
    return Rule(text.name, words, when.test, hold=when.hold, origin=text.origin, **set_values)


def matchers_of(text: RuleText) -> tuple[Matcher, ...]:
    """The matchers that choose a rule's models; empty for all models. Raises MatcherError."""
    return tuple(read_matcher(one) for one in text.match or ())


def _condition(text: RuleText) -> Condition:
    """The condition of a rule, with its hold time from `when` or `for`. Raises ConditionError."""
    when = read_condition(text.when or "")
    if not text.for_:
        return when
    if isinstance(when.test, Absent):
        return Condition(Absent(int(text.for_)))
    return Condition(when.test, int(text.for_))


def _when_problems(text: RuleText) -> Iterator[Problem]:
    try:
        when = read_condition(text.when or "")
    except ConditionError as error:
        yield Problem("when", f"at character {error.position + 1}: {error.text}", error.hint)
        return
    hold = when.hold or (isinstance(when.test, Absent) and when.test.after)
    if hold and text.for_:
        yield Problem("for", "stands in when too", "Keep one of the two.")


def _number_problems(text: RuleText) -> Iterator[Problem]:
    for problem in fields.bound_problems(text, BOUNDS):
        hint = _SEVERITIES if problem.key == "severity" else ""
        yield replace(problem, hint=hint)


def _choice_problems(text: RuleText) -> Iterator[Problem]:
    for name, known in (("no_data", NoData), ("family", RuleFamily)):
        value = getattr(text, name)
        if value is not None and value not in tuple(known):
            otherwise = f"There are: {', '.join(known)}."
            yield Problem(name, "is none that there is", did_you_mean(value, known, otherwise))


def _match_problems(text: RuleText) -> Iterator[Problem]:
    for number, one in enumerate(text.match or ()):
        yield from fields.read_problems(f"match[{number}]", read_matcher, one)


def _label_problems(text: RuleText) -> Iterator[Problem]:
    for name in ("labels", "group_by", "match"):
        entries = getattr(text, name)
        if entries is not None and len(entries) > _MOST_ENTRIES:
            yield Problem(name, f"has {len(entries)} entries; at most {_MOST_ENTRIES} are taken")
    for name in text.labels or {}:
        if name in RESERVED_LABELS:
            yield Problem(child_key("labels", name), "is a label that watchdeck sets itself")
        elif not _LABEL.fullmatch(name):
            yield Problem(child_key("labels", name), "is no name of a label", "Write one word.")
    for number, name in enumerate(text.group_by or ()):
        if not _LABEL.fullmatch(name):
            yield Problem(f"group_by[{number}]", "is no name of a label", "Such as owner.")


def _message_problems(message: str) -> Iterator[Problem]:
    """Problems of a message: placeholders that no label fills, and single braces."""
    hint = "Places are {model}, {value}, {limit} and labels, such as {owner}."
    for match in _PLACEHOLDER.finditer(message):
        if not _LABEL.fullmatch(match[1]):
            yield Problem("message", f"has a place that no label fills ({match[0]})", hint)
    if set("{}") & set(_PLACEHOLDER.sub("", message)):
        yield Problem("message", "has a brace without its other half", hint)
