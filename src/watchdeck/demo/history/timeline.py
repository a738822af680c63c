"""What happened in the twelve weeks before the demo began: an optimisation, and a few incidents."""

from __future__ import annotations

from msgspec import Struct

from watchdeck.demo.fleet.scenario import FaultKind
from watchdeck.domain.board.change import ChangeKind

DAYS = 84

EVERY = 60_000
"""Milliseconds between two scrapes now and around incidents."""


class Pace(Struct, frozen=True):
    """The distance (ms) of scrapes that are at most so many days old."""

    days: int
    every: int


PACES = (Pace(2, EVERY), Pace(31, 6 * EVERY), Pace(DAYS, 12 * EVERY))
"""The newest first. With a scrape a minute for twelve weeks, the back-fill takes 15 s on two cores.

Six minutes are the window of an endpoint that is scraped every minute, and twelve the longest gap
that it bridges, so each request counts in one rate. An availability needs ten scrapes an hour: it
is known for the thirty days that charts show.
"""

AROUND = 3_600_000
"""Milliseconds before and after an incident with a scrape every EVERY."""

OPTIMISED = "fraud-detector"


class SlowPeriod(Struct, frozen=True):
    """How much slower the optimised model was than it is today, from so many days ago.

    A `crowded` model is slower by that share while it has more than three quarters of its highest
    load, as on a working day. `what` and `text` are the change that the phase began with.
    """

    days: int
    slower: float
    text: str
    what: ChangeKind = ChangeKind.DEPLOY
    crowded: float = 0.0


CHANGES = (
    SlowPeriod(56, 2.75, "feature selection"),
    SlowPeriod(49, 2.3, "model compression"),
    SlowPeriod(42, 1.35, "batching", ChangeKind.CONFIGURATION),
    SlowPeriod(35, 1.0, "right-sizing", ChangeKind.SCALE),
)

PHASES = (SlowPeriod(DAYS, 3.73, "first version", crowded=0.12), *CHANGES)
"""The 95th percentile as its buckets tell it: 200, 170, 140, 70, 50 ms."""


class Incident(Struct, frozen=True):
    """A trouble so many days ago, from a minute of that UTC day on, for so many minutes.

    A slow model's latency climbs to `peak` times its own in the middle, and falls again.
    """

    endpoint: str
    trouble: FaultKind
    days: int
    minute: int
    minutes: int
    peak: float = 1.0

    def start(self, now: int) -> int:
        """The begin of the trouble in a past that ends at `now`; both in ms UTC."""
        return now - now % _A_DAY - self.days * _A_DAY + self.minute * 60_000

    def end(self, now: int) -> int:
        """The end of the trouble in a past that ends at `now`; both in ms UTC."""
        return self.start(now) + self.minutes * 60_000


_A_DAY = 86_400_000

INCIDENTS = (
    Incident("support-chat", FaultKind.SLOW, 73, 15 * 60, 35, peak=2.6),
    Incident("churn-score", FaultKind.SLOW, 61, 10 * 60 + 12, 42, peak=9),
    Incident("search-ranker", FaultKind.HANGS, 45, 3 * 60 + 8, 14),
    Incident("image-tagger", FaultKind.UNLOADED, 38, 13 * 60 + 41, 22),
    Incident("legacy [/nope] scorer", FaultKind.HANGS, 30, 6 * 60 + 30, 1),
    Incident("demand-forecast", FaultKind.QUIET, 24, 0, 120),
    Incident("gpu-node", FaultKind.HANGS, 19, 2 * 60 + 30, 6),
    Incident(OPTIMISED, FaultKind.SLOW, 12, 11 * 60 + 19, 18, peak=2.9),
    Incident("churn-score", FaultKind.HANGS, 9, 16 * 60 + 5, 4),
)
"""None is in the last week: the live story begins on a fleet that is well."""
