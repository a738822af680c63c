"""One rule, from the way it is written to the way it is judged, with all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import asdict, replace

from watchdeck.config.checks.text import bad_texts, wrong_name, wrong_url
from watchdeck.config.reading.problems import Problem, below, did_you_mean, from_error
from watchdeck.domain.rules.labels import OWN
from watchdeck.domain.rules.parser import Condition, ConditionError, read_when
from watchdeck.domain.rules.rule import Absent, NoData, Rule, RuleFamily
from watchdeck.domain.settings.rules import RuleText
from watchdeck.domain.values.matcher import Matcher, MatcherError, read_matcher
from watchdeck.domain.values.severity import Severity
from watchdeck.domain.values.units import Milliseconds

_DAY = 86_400_000
_MOST = Milliseconds(31 * _DAY)
_BOUNDS: dict[str, tuple[Any, Any]] = {
    "for": (Milliseconds(0), _MOST),
    "resolve_for": (Milliseconds(0), _MOST),
    "no_data_after": (Milliseconds(1_000), _MOST),
    "min_samples": (1, 1_000_000),
    "severity": (1, 4),
}
_MOST_ENTRIES = 30
_LABEL = re.compile(r"[A-Za-z_][\w.-]{0,79}", re.ASCII)
_PLACE = re.compile(r"\{([^{}]{0,80})\}")
_SEVERITIES = "1 is the worst; 1 and 2 page somebody, 3 and 4 are notices."


def merge_rule(base: RuleText, text: RuleText) -> RuleText:
    """A rule of the pack as somebody changed it: what they wrote counts, all else stays.

    A new `when` comes with its own `for`.
    """
    written = asdict(text)
    if text.when is not None:
        base = replace(base, for_=None)
    return replace(base, **{name: value for name, value in written.items() if value is not None})


def wrong_rule(text: RuleText) -> Iterator[Problem]:
    """Every problem of one rule by itself, each with its key."""
    yield from bad_texts(text)
    yield from wrong_name(text.name)
    yield from _wrong_when(text)
    yield from _outside(text)
    yield from _wrong_words(text)
    yield from _wrong_match(text)
    yield from _wrong_labels(text)
    yield from _wrong_message(text.message or "")
    if text.runbook and "://" in text.runbook and (problem := wrong_url(text.runbook)):
        yield Problem("runbook", *problem)


def compile_rule(text: RuleText) -> Rule:
    """The rule that a text without problems means."""
    when = _when(text)
    given: dict[str, Any] = {
        "severity": text.severity and Severity(text.severity),
        "resolve_for": text.resolve_for,
        "min_samples": text.min_samples,
        "no_data": text.no_data and NoData(text.no_data),
        "no_data_after": text.no_data_after,
        "match": text.match and matchers(text),
        "labels": text.labels,
        "family": text.family and RuleFamily(text.family),
        "playbook": text.playbook,
        "runbook": text.runbook,
        "message": text.message,
        "group_by": text.group_by,
        "enabled": text.enabled,
    }
    known = {name: value for name, value in given.items() if value is not None}
    words = " ".join((text.when or "").split())
    if text.for_:
        words += f" for {text.for_}"
    return Rule(text.name, words, when.test, hold=when.hold, origin=text.origin, **known)


def matchers(text: RuleText) -> tuple[Matcher, ...]:
    """For which models a rule is. Raises MatcherError."""
    return tuple(read_matcher(one) for one in text.match or ())


def _when(text: RuleText) -> Condition:
    """What must be true and for how long, wherever that is written. Raises WhenError."""
    when = read_when(text.when or "")
    if not text.for_:
        return when
    if isinstance(when.test, Absent):
        return Condition(Absent(int(text.for_)))
    return Condition(when.test, int(text.for_))


def _wrong_when(text: RuleText) -> Iterator[Problem]:
    try:
        when = read_when(text.when or "")
    except ConditionError as error:
        yield Problem("when", f"at character {error.position + 1}: {error.text}", error.hint)
        return
    said = when.hold or (isinstance(when.test, Absent) and when.test.after)
    if said and text.for_:
        yield Problem("for", "stands in when too", "Keep one of the two.")


def _outside(text: RuleText) -> Iterator[Problem]:
    for name, (least, most) in _BOUNDS.items():
        value = getattr(text, "for_" if name == "for" else name)
        if value is not None and not least <= value <= most:
            said = f"is {value}, {'less than' if value < least else 'more than'}"
            hint = _SEVERITIES if name == "severity" else ""
            yield Problem(name, f"{said} {least if value < least else most}", hint)


def _wrong_words(text: RuleText) -> Iterator[Problem]:
    for name, known in (("no_data", NoData), ("family", RuleFamily)):
        value = getattr(text, name)
        if value is not None and value not in tuple(known):
            otherwise = f"There are: {', '.join(known)}."
            yield Problem(name, "is none that there is", did_you_mean(value, known, otherwise))


def _wrong_match(text: RuleText) -> Iterator[Problem]:
    for number, one in enumerate(text.match or ()):
        try:
            read_matcher(one)
        except MatcherError as error:
            yield from_error(f"match[{number}]", error)


def _wrong_labels(text: RuleText) -> Iterator[Problem]:
    for name in ("labels", "group_by", "match"):
        entries = getattr(text, name)
        if entries is not None and len(entries) > _MOST_ENTRIES:
            said = f"has {len(entries)} entries; at most {_MOST_ENTRIES} are taken"
            yield Problem(name, said)
    for name in text.labels or {}:
        if name in OWN:
            yield Problem(below("labels", name), "is a label that watchdeck sets itself")
        elif not _LABEL.fullmatch(name):
            yield Problem(below("labels", name), "is no name of a label", "Write one word.")
    for number, name in enumerate(text.group_by or ()):
        if not _LABEL.fullmatch(name):
            yield Problem(f"group_by[{number}]", "is no name of a label", "Such as owner.")


def _wrong_message(message: str) -> Iterator[Problem]:
    """Places of a message that no alert can fill, or braces that are none."""
    hint = "Places are {model}, {value}, {limit} and labels, such as {owner}."
    for match in _PLACE.finditer(message):
        if not _LABEL.fullmatch(match[1]):
            yield Problem("message", f"has a place that no label fills ({match[0]})", hint)
    if set("{}") & set(_PLACE.sub("", message)):
        yield Problem("message", "has a brace without its other half", hint)
