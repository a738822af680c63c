"""Escalation: who is told next when nobody takes an alert."""

from __future__ import annotations

from msgspec import Struct

from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.settings.receivers import Escalation, EscalationStep
from watchdeck.domain.values.units import Milliseconds

MOST_AGAIN = 10
"""How often the last step is taken again; who did not answer by then does not listen."""


class DueStep(Struct, frozen=True):
    """A step that is due: the count of steps taken with it, and whom it names."""

    escalated: int
    to: tuple[str, ...]
    after: int


def due_step(escalation: Escalation, raised: ActiveAlert, now: int) -> DueStep | None:
    """The newest step that is due at `now` (ms UTC); None when none is, or somebody has it.

    `Episode.paged_at` is since when people are told, and `Episode.escalated` how many steps were
    taken after the first. Steps missed while nobody collected are one.
    """
    episode = raised.episode
    if episode.paged_at is None or not episode.is_open or raised.acknowledgement or raised.mutes:
        return None
    waited, due = now - episode.paged_at, None
    for number, rung in enumerate(_ladder(escalation)):
        if number > episode.escalated and waited >= rung.after:
            due = DueStep(number, rung.to, int(rung.after))
    return due


def next_step(escalation: Escalation, escalated: int) -> DueStep | None:
    """The step after so many, whenever it would be due; None when all were taken."""
    ladder = _ladder(escalation)
    if escalated + 1 >= len(ladder):
        return None
    rung = ladder[escalated + 1]
    return DueStep(escalated + 1, rung.to, int(rung.after))


def _ladder(escalation: Escalation) -> list[EscalationStep]:
    rungs = list(escalation.step)
    if escalation.again:
        last = rungs[-1]
        rungs += (
            EscalationStep(last.to, Milliseconds(last.after + number * escalation.again))
            for number in range(1, MOST_AGAIN + 1)
        )
    return rungs
