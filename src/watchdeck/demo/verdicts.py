"""The health of the past, as `domain.judge` judges its scrapes; few of them need to be judged."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchdeck.domain.board import Facts, Latest
from watchdeck.domain.health import HealthChange, Verdict
from watchdeck.domain.judge import judge
from watchdeck.domain.scrape import OUTCOMES, ModelState
from watchdeck.domain.signal import OUTCOME_COLUMN
from watchdeck.store.latest import readings

if TYPE_CHECKING:
    from watchdeck.demo.arrays import Floats, Integers

_AT_ONCE = 1_440
"""Scrapes that are looked at together before they are halved: a day's are mostly alike."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a server says of its model, and why."""

    state: ModelState = ModelState.UNKNOWN
    why: str = ""


@dataclass(frozen=True, slots=True)
class Scrapes:
    """The scrapes of an endpoint: `columns` names what stands in a row of `values`.

    `failures` counts the failed scrapes in a row; `detail` is why they failed. `told` is what is
    known of the model when it is ready, when it is not, and when nothing was answered.
    """

    facts: Facts
    columns: tuple[str, ...]
    times: Integers
    values: Floats
    failures: Integers
    detail: str
    told: tuple[Told, Told]

    def latest(self, number: int, values: Floats) -> Latest:
        """A scrape as the judge reads it, with these values."""
        failures = int(self.failures[number])
        ready = values[self.columns.index("ready")] != 0
        told = Told() if failures else self.told[0 if ready else 1]
        return Latest(
            facts=self.facts,
            at=int(self.times[number]),
            outcome=OUTCOMES[int(values[self.columns.index(OUTCOME_COLUMN)])],
            failures=failures,
            signals=readings(self.columns, array("d", values.tobytes())),
            detail=self.detail if failures else "",
            model_state=told.state,
            model_detail=told.why,
        )


def verdicts(scrapes: Scrapes) -> Iterator[HealthChange]:
    """The changes that the engine would have recorded, oldest first."""
    recorded: HealthChange | None = None
    count = len(scrapes.times)
    waiting = [(start, min(start + _AT_ONCE, count)) for start in range(0, count, _AT_ONCE)]
    waiting.reverse()
    while waiting:
        start, end = waiting.pop()
        verdict = _common(scrapes, start, end, recorded)
        if verdict is None:
            middle = (start + end) // 2
            waiting += [(middle, end), (start, middle)]
        elif recorded is None or _word(verdict) != _word(recorded):
            recorded = _change(scrapes, start, verdict, recorded)
            yield recorded


def _word(known: Verdict | HealthChange) -> tuple[str, str]:
    return known.health, known.cause


def _change(
    scrapes: Scrapes, number: int, verdict: Verdict, recorded: HealthChange | None
) -> HealthChange:
    same = recorded is not None and recorded.health is verdict.health
    since = recorded.began if recorded and same else None
    at = int(scrapes.times[number])
    return HealthChange(scrapes.facts.name, at, verdict.health, verdict.cause, verdict.why, since)


def _common(
    scrapes: Scrapes, start: int, end: int, recorded: HealthChange | None
) -> Verdict | None:
    """The verdict on the first of these scrapes, where all are judged alike; None where not.

    A signal can only become worse in one direction. So what is judged the same with the lowest
    value of every signal as with the highest is judged the same with any between them.
    """
    first = _judged(scrapes, start, scrapes.values[start], recorded)
    if end - start == 1:
        return first
    values = scrapes.values[start:end]
    lowest, highest = values.min(axis=0), values.max(axis=0)
    if not _comparable(scrapes, start, end, lowest, highest):
        return None
    found = {_word(_judged(scrapes, start, each, recorded)) for each in (lowest, highest)}
    return first if found == {_word(first)} else None


def _comparable(scrapes: Scrapes, start: int, end: int, lowest: Floats, highest: Floats) -> bool:
    """Whether none failed, all say the same of the model, and know the same signals."""
    import numpy as np

    if scrapes.failures[start:end].any():
        return False
    ready = scrapes.columns.index("ready")
    if lowest[ready] != highest[ready] and not np.isnan(lowest[ready]):
        return False
    return bool(np.isnan(scrapes.values[start:end, np.isnan(lowest)]).all())


def _judged(
    scrapes: Scrapes, number: int, values: Floats, recorded: HealthChange | None
) -> Verdict:
    previous = Verdict(recorded.health, recorded.cause, recorded.why) if recorded else None
    latest = scrapes.latest(number, values)
    return judge(latest, previous, latest.at)
