"""Wording: the one line that tells a person what an alert is about."""

from __future__ import annotations

import re
from collections.abc import Mapping

from watchdeck.domain.alerts.alert import Alert, Episode
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.values.format import digits, format_value
from watchdeck.domain.values.text import clean

LONGEST = 400
"""Characters of a message's text."""

_PLACE = re.compile(r"\{([^{}]{0,80})\}")


def summary(alert: Alert, episode: Episode, rule: Rule | None = None) -> str:
    """What an episode is about, in the rule's own words or with the values that crossed."""
    if rule is not None and rule.message:
        return fill_template(rule.message, template_values(alert, episode, rule))
    about, why = alert.model or alert.source, episode.why or alert.rule
    return clean(why if why.startswith(about) else f"{about}: {why}", LONGEST)


def template_values(alert: Alert, episode: Episode, rule: Rule) -> dict[str, str]:
    """What a rule's message may name: every label, and the value and limit with their unit."""
    signal = SIGNALS.get(getattr(rule.test, "signal", ""))
    known = {
        "model": alert.model,
        "rule": alert.rule,
        "severity": str(int(episode.severity)),
        "why": episode.why,
    }
    for name, number in (("value", episode.value), ("limit", episode.limit)):
        plain = "unknown" if number is None else digits(number)
        known[name] = plain if signal is None else format_value(number, signal.unit)
    return {**alert.labels, **known}


def fill_template(template: str, known: Mapping[str, str]) -> str:
    """A template with its `{name}`s replaced; a name that is not known stays as it is written."""
    return clean(_PLACE.sub(lambda match: known.get(match[1], match[0]), template), LONGEST)
