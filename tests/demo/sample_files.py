"""The fraud detector's labelled predictions and daily costs, as files to try readers on.

Every figure in them is made here, seeded, with exact rates: 85 of 100 frauds found and 12 of 100
honest payments suspected before the optimisation, 92 and 5 after it; 10,000 USD a month before,
6,000 after.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from msgspec import Struct

from watchdeck.demo.scenario import CHANGES

LAST_DAY = date(2026, 11, 22)
"""The day before these files were current: the changes are counted back from its end."""

DAYS = 400
MONTH = Decimal("30.4375")
"""Days of an average month."""

_SHARES = {
    "compute": Decimal("0.62"),
    "storage": Decimal("0.09"),
    "network": Decimal("0.04"),
    "licences": Decimal("0.25"),
}
"""How a day's cost is made up; the shares sum to one."""

_BEFORE = 10_000
_AFTER = (9_000, 8_000, 7_000, 6_000)
"""USD a month before the first change, and from each change on."""


class PredictionPeriod(Struct, frozen=True):
    """A stretch of predictions with exact counts."""

    version: str
    start: datetime
    days: int
    frauds: int
    found: int
    honest: int
    suspected: int


PHASES = (
    PredictionPeriod("v1", datetime(2026, 8, 31, tzinfo=UTC), 28, 500, 425, 4_500, 540),
    PredictionPeriod("v2", datetime(2026, 10, 26, tzinfo=UTC), 28, 500, 460, 4_500, 225),
)


def predictions(seed: int = 1) -> Iterator[str]:
    """The lines of `predictions.csv`, oldest first within each phase."""
    yield "request_id,timestamp,model_version,score,prediction,label,labelled_at"
    for phase in PHASES:
        random = Random(f"{seed} {phase.version}")
        cases = [
            *[(1, 1)] * phase.found,
            *[(0, 1)] * (phase.frauds - phase.found),
            *[(1, 0)] * phase.suspected,
            *[(0, 0)] * (phase.honest - phase.suspected),
        ]
        random.shuffle(cases)
        yield from _rows(phase, cases, random)


def _rows(phase: PredictionPeriod, cases: list[tuple[int, int]], random: Random) -> Iterator[str]:
    apart = phase.days * 86_400 / len(cases)
    for number, (prediction, label) in enumerate(cases):
        at = phase.start + timedelta(seconds=round(number * apart))
        known = at + timedelta(hours=round(24 * random.uniform(1, 10)))
        score = random.betavariate(6, 2) / 2 + 0.5 if prediction else random.betavariate(1, 6) / 2
        yield (
            f"{phase.version}-{number:05},{at:%Y-%m-%dT%H:%M:%SZ},{phase.version},{score:.4f},"
            f"{prediction},{label},{known:%Y-%m-%dT%H:%M:%SZ}"
        )


def costs() -> Iterator[str]:
    """The lines of `costs.csv`: a row a day and category, money as decimal text."""
    yield "date,category,amount,currency"
    for back in range(DAYS - 1, -1, -1):
        made = [usd for change, usd in zip(CHANGES, _AFTER, strict=True) if back < change.days]
        month = made[-1] if made else _BEFORE
        for category, share in _SHARES.items():
            amount = (Decimal(month) / MONTH * share).quantize(Decimal("0.01"), ROUND_HALF_UP)
            yield f"{LAST_DAY - timedelta(days=back)},{category},{amount},USD"
