"""The text of a scenario, line by line:

    rule slow: latency_p95 > 200ms for 1m; severity 2; resolve_for 1m
    slo availability 99.9%; latency_p95 200ms
    pack                              the rules that hold without a configuration
    load 10s
      fraud.latency_p95 0.1x30 0.4x30 _x5 0.1x60
      fraud.latency_p95 (0.1x6 0.4)x9 a group, nine times
      m[1-50].error_ratio 0.5x9       fifty models
    do 6m ack slow/fraud anna         see `playing` for what can be done
    expect 5m30s slow/fraud pending
    told page resolved                the messages to the channel, one after the other
    letters <= 3                      what arrives there, folded

A value is `0.4`, a scrape without this value `-`, a failed scrape `!`, and no scrape at all `_`.
Of a model all lines last as long as the longest. A time is since the first scrape; `end` is the
last. What stands behind `#` is a remark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.rules.rule import NoData, Rule, Severity
from watchdeck.domain.settings.endpoint import Slo
from watchdeck.domain.values.units import Milliseconds, Ratio

LOST, FAILED, ABSENT = "_", "!", "-"


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is done, or expected, at a time (ms since the first scrape)."""

    at: int
    words: tuple[str, ...]
    number: int


@dataclass(slots=True)
class Scenario:
    """A scenario as it is to be played; `series` holds the cells of each model's signals."""

    title: str = ""
    every: int = 10_000
    tick: int = 0
    rules: list[Rule] = field(default_factory=list)
    pack: bool = False
    slo: Slo = field(default_factory=Slo)
    series: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    depends: dict[str, tuple[str, ...]] = field(default_factory=dict)
    deeds: list[Line] = field(default_factory=list)
    expected: list[Line] = field(default_factory=list)
    told: list[str] | None = None
    letters: int | None = None

    @property
    def steps(self) -> int:
        """Scrapes of the model that is scraped longest."""
        return max(len(cells) for one in self.series.values() for cells in one.values())

    @property
    def end(self) -> int:
        """The time of the last scrape."""
        return (self.steps - 1) * self.every


def read_scenario(path: Path) -> Scenario:
    """Read a file."""
    found = Scenario(title=path.stem.replace("-", " "))
    later: list[tuple[str, int]] = []
    for number, written in enumerate(path.read_text().splitlines(), 1):
        text = written.partition("#")[0].rstrip()
        if not text:
            continue
        word, _, rest = text.strip().partition(" ")
        if text[0] == " ":
            _series(found, text.split())
        elif word in ("do", "expect"):
            later.append((text, number))
        else:
            _HEAD[word](found, rest.strip())
    for text, number in later:
        word, when, *words = text.split()
        at = found.end if when == "end" else duration(when)
        lines = found.deeds if word == "do" else found.expected
        lines.append(Line(at, tuple(words), number))
    return found


def duration(text: str) -> int:
    """`1h5m30s` in ms."""
    return sum(int(Milliseconds.parse(part)) for part in re.findall(r"[\d.]+[a-z]+", text))


def _series(scenario: Scenario, words: list[str]) -> None:
    name, _, signal = words[0].partition(".")
    cells = [cell for word in _ungrouped(" ".join(words[1:])).split() for cell in _cells(word)]
    for model in _models(name):
        scenario.series.setdefault(model, {})[signal] = cells


def _ungrouped(text: str) -> str:
    """Write `(a b)x3` three times."""
    return re.sub(r"\(([^)]*)\)x(\d+)", lambda match: f"{match[1]} " * int(match[2]), text)


def _cells(word: str) -> Iterator[str]:
    value, _, times = word.partition("x")
    for _ in range(int(times or 1)):
        yield value


def _models(name: str) -> Iterator[str]:
    match = re.fullmatch(r"(.*)\[(\d+)-(\d+)\]", name)
    if match is None:
        yield name
        return
    for number in range(int(match[2]), int(match[3]) + 1):
        yield f"{match[1]}{number}"


def _rule(scenario: Scenario, rest: str) -> None:
    name, _, text = rest.partition(":")
    when, *settings = (part.strip() for part in text.split(";"))
    read = read_condition(when)
    known: dict[str, Any] = {"resolve_for": 60_000}
    for setting in settings:
        key, _, value = setting.partition(" ")
        known[key] = _SETTINGS[key](value.strip())
    scenario.rules.append(Rule(name, when, read.test, hold=read.hold, **known))


_SETTINGS: dict[str, Callable[[str], Any]] = {
    "severity": lambda text: Severity(int(text)),
    "resolve_for": duration,
    "no_data_after": duration,
    "no_data": NoData,
    "min_samples": int,
}


def _slo(scenario: Scenario, rest: str) -> None:
    parts = dict(part.strip().split() for part in rest.split(";"))
    known: dict[str, Any] = {
        name: (Milliseconds if name == "latency_p95" else Ratio).parse(text)
        for name, text in parts.items()
    }
    scenario.slo = Slo(**known)


def _depends(scenario: Scenario, rest: str) -> None:
    name, *needed = rest.split()
    for model in _models(name):
        scenario.depends[model] = tuple(needed)


_HEAD: dict[str, Callable[[Scenario, str], None]] = {
    "rule": _rule,
    "slo": _slo,
    "depends": _depends,
    "pack": lambda scenario, _: setattr(scenario, "pack", True),
    "load": lambda scenario, rest: setattr(scenario, "every", duration(rest)),
    "tick": lambda scenario, rest: setattr(scenario, "tick", duration(rest)),
    "told": lambda scenario, rest: setattr(scenario, "told", rest.split()),
    "letters": lambda scenario, rest: setattr(scenario, "letters", int(rest.split()[-1])),
}
