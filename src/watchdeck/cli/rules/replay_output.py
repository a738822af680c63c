"""What a replay of a rule found, in words and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from msgspec import Struct

from watchdeck.cli.options import iso
from watchdeck.cli.rules.list_output import RuleCoverage, as_json, models_in_words, rule_json
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.rule import Absent
from watchdeck.domain.values.format import format_duration, format_value
from watchdeck.domain.values.text import clean
from watchdeck.engine.backtest.replay import Firing, Replay, lookback
from watchdeck.engine.rules.applicability import NOT_MEANT

_WIDTH = 98
_SHOWN = 10
"""Firings of one model that are told one by one."""

_FEW = 0.01
"""The share of scrapes, or of time, that may be lost without a word."""

_WEEK = 7 * 86_400_000


class ReplayReport(Struct, frozen=True):
    """What a rule would have done from `start` until `end` (ms UTC)."""

    reach: RuleCoverage
    replays: tuple[Replay, ...]
    start: int
    end: int

    @property
    def firings(self) -> tuple[Firing, ...]:
        """All of them, the oldest first."""
        found = (firing for replay in self.replays for firing in replay.firings)
        return tuple(sorted(found, key=lambda one: (one.at, one.model)))

    @property
    def weeks(self) -> float:
        """How many weeks of scrapes there were to play."""
        begun = min((one.first for one in self.replays if one.first is not None), default=self.end)
        return (self.end - max(begun, self.start)) / _WEEK


def as_text(trial: ReplayReport) -> str:
    """When a rule would have fired on each model, and how often in all."""
    rule = trial.reach.rule
    kind = "a page" if rule.severity.pages else "a notice"
    head = f"{clean(rule.name)}: {clean(rule.when)} (severity {rule.severity:d}, {kind})"
    lines = [head, f"from {iso(trial.start)} until {iso(trial.end)}", *_held_back(trial.reach), ""]
    doubts = [list(_doubts(replay, trial)) for replay in trial.replays]
    common = [doubt for doubt in next(iter(doubts), []) if all(doubt in one for one in doubts)]
    for replay, some in zip(trial.replays, doubts, strict=True):
        lines += _replayed(replay, trial, [doubt for doubt in some if doubt not in common])
    return "\n".join([*lines, *_in_all(trial), *(f"On each: {doubt}." for doubt in common)])


def _held_back(one: RuleCoverage) -> Iterator[str]:
    for why, names in one.held_back.items():
        if why != NOT_MEANT:
            yield from wrap(f"not on {', '.join(map(clean, names))}: {_its(names)} {why}", _WIDTH)


def _its(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "each"


def _replayed(replay: Replay, trial: ReplayReport, doubts: Sequence[str]) -> Iterator[str]:
    last = trial.end if replay.last is None else replay.last
    yield f"{clean(replay.model)}: {_how_often(replay.firings, last)}"
    hidden = len(replay.firings) - _SHOWN
    if hidden > 0:
        yield f"  (the {hidden} before are left out; --json has them)"
    for firing in replay.firings[-_SHOWN:]:
        again = f", came back {firing.reopened} times" if firing.reopened else ""
        yield f"  {iso(firing.at)}  {_lasted(firing, last)}{again}  {clean(firing.why)}"
    yield from (f"  {doubt}" for doubt in doubts)


def _how_often(firings: Sequence[Firing], end: int) -> str:
    if not firings:
        return "never"
    lengths = [(firing.until or end) - firing.at for firing in firings]
    longest = f", the longest {format_duration(max(lengths))}" if len(lengths) > 1 else ""
    return f"{count_words(len(firings))}, {format_duration(sum(lengths))} in all{longest}"


def _lasted(firing: Firing, end: int) -> str:
    still = "" if firing.until else " and still"
    return f"for {format_duration((firing.until or end) - firing.at)}{still}"


def _doubts(replay: Replay, trial: ReplayReport) -> Iterator[str]:
    """What makes a replay worth less than it looks."""
    if replay.first is None:
        yield "nothing was scraped in that time"
        return
    if isinstance(trial.reach.rule.test, Absent):
        yield "absence cannot be played: a hole in history is a time in which nobody collected"
    late, needed = replay.first - trial.start, lookback(trial.reach.rule)
    slack = 2 * replay.every
    if late > slack:
        yield f"its history begins only at {iso(replay.first)}"
    if replay.last is not None and trial.end - replay.last > slack:
        yield f"its history ends at {iso(replay.last)}"
    if needed and replay.first > trial.start - needed + slack:
        short = format_duration(needed)
        yield f"the rule looks back {short}, and knows less than live in its first {short}"
    if replay.uncollected > _FEW * (trial.end - trial.start):
        yield f"nobody collected for {format_duration(replay.uncollected)} of it"
    if replay.unknown > _FEW * replay.samples:
        share = format_value(replay.unknown / replay.samples, SIGNALS["error_ratio"].unit)
        yield f"for {share} of its scrapes nobody can tell whether the rule was true"
    usual = next(one.facts.every for one in trial.reach.on if one.facts.name == replay.model)
    if replay.every > 1.5 * usual:
        then, now = format_duration(replay.every), format_duration(usual)
        yield f"it was scraped every {then} then, every {now} now"


def _in_all(trial: ReplayReport) -> Iterator[str]:
    rule, firings = trial.reach.rule, trial.firings
    if not trial.replays:
        yield f"Nothing was played: the rule is {trial.reach.state}."
        return
    yield ""
    weekly = f", {len(firings) / trial.weeks:.2g} a week" if firings and trial.weeks > 0 else ""
    word = "pages" if rule.severity.pages else "notices"
    yield (
        f"In all: {count_words(len(firings))} on {models_in_words(len(trial.replays))}{weekly}"
        f"{f'; all of them {word}' if firings else ''}."
    )


def for_scripts(trial: ReplayReport) -> str:
    """A replay for scripts; `until` is null of what was not over."""
    weeks, pages = trial.weeks, len(trial.firings) if trial.reach.rule.severity.pages else 0
    return as_json(
        {
            **rule_json(trial.reach.rule),
            "since": iso(trial.start),
            "until": iso(trial.end),
            "held_back": trial.reach.held_back,
            "pages_per_week": round(pages / weeks, 3) if weeks > 0 else None,
            "models": [_replay_json(replay, trial) for replay in trial.replays],
        }
    )


def _replay_json(replay: Replay, trial: ReplayReport) -> dict[str, Any]:
    return {
        "name": replay.model,
        "fired": [
            {
                "at": iso(firing.at),
                "until": None if firing.until is None else iso(firing.until),
                "why": firing.why,
                "peak": _finite(firing.peak),
                "reopened": firing.reopened,
            }
            for firing in replay.firings
        ],
        "history_since": None if replay.first is None else iso(replay.first),
        "history_until": None if replay.last is None else iso(replay.last),
        "samples": replay.samples,
        "unknown": replay.unknown,
        "uncollected_s": replay.uncollected / 1_000,
        "doubts": list(_doubts(replay, trial)),
    }


def _finite(value: float | None) -> float | None:
    """JSON has no word for a budget that burns without end."""
    return None if value is None or math.isinf(value) else value


def count_words(count: int) -> str:
    """`never`, `once`, `3 times`."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
