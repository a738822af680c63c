"""The collector measures itself: how late it wakes, how long scrapes take, what they bring."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Outcome, Scrape

RECENT = 60.0
"""Seconds that durations and lags are kept for."""


class Statistics(Struct, frozen=True):
    """What polling says of itself; times in seconds, counts since it began.

    `lag` is the latest wake-up of the last minute, against its plan; `overrun` counts beats that
    were left out because the scrape before them had not ended. `blind` is the reason why nothing
    at all can be reached, or empty.
    """

    lag: float = 0.0
    scrape_p50: float | None = None
    scrape_p95: float | None = None
    scrapes: int = 0
    failed: int = 0
    samples: int = 0
    cut: int = 0
    in_flight: int = 0
    overrun: int = 0
    blind: str = ""


class ScrapeStats:
    """Counts on the thread of the loop; may be read from any other."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float, float]] = deque()
        self._scrapes = 0
        self._failed = 0
        self._samples = 0
        self._cut = 0
        self.in_flight = 0
        self.overrun = 0

    def count(self, scrape: Scrape, now: float, lag: float) -> None:
        """Count a scrape that ended at `now` (monotonic seconds) and began `lag` late."""
        self._scrapes += 1
        self._failed += scrape.outcome is not Outcome.OK
        self._samples += len(scrape.series.values) if scrape.series else 0
        self._cut += scrape.cut.total
        self._recent.append((now, scrape.took, lag))
        while self._recent[0][0] < now - RECENT:
            self._recent.popleft()

    def statistics(self, blind: str = "") -> Statistics:
        """All of it at this moment."""
        recent = self._recent.copy()  # in one step: the loop goes on adding
        took = sorted(one[1] for one in recent)
        return Statistics(
            lag=max((one[2] for one in recent), default=0.0),
            scrape_p50=_share(took, 0.5),
            scrape_p95=_share(took, 0.95),
            scrapes=self._scrapes,
            failed=self._failed,
            samples=self._samples,
            cut=self._cut,
            in_flight=self.in_flight,
            overrun=self.overrun,
            blind=blind,
        )


def _share(ordered: Sequence[float], share: float) -> float | None:
    return ordered[int(share * (len(ordered) - 1))] if ordered else None
