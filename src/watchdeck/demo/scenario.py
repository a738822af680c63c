"""The faults of the demo: incidents in the past twelve weeks, and in its first minutes."""

from enum import StrEnum

from msgspec import Struct

from watchdeck.domain.board.change import ChangeKind

DAYS = 84
"""Days of history before the demo."""

INTERVAL = 60_000
"""Milliseconds between two scrapes, today and around incidents."""

_A_DAY = 86_400_000


class ScrapeInterval(Struct, frozen=True):
    """The interval `every` (ms) between scrapes that are at most `days` old."""

    days: int
    every: int


SCRAPE_INTERVALS = (
    ScrapeInterval(2, INTERVAL),
    ScrapeInterval(31, 6 * INTERVAL),
    ScrapeInterval(DAYS, 12 * INTERVAL),
)
"""The intervals by age, newest first. A scrape a minute for twelve weeks would take 15 s to make.

Rates of an endpoint that is scraped every minute cover six minutes, and bridge gaps of up to twelve
minutes, so that each request counts in one rate. An availability needs ten scrapes an hour: it is
known for the thirty days that charts show.
"""

INCIDENT_MARGIN = 3_600_000
"""Milliseconds before and after an incident with a scrape every INTERVAL."""

OPTIMISED = "fraud-detector"


class LatencyPhase(Struct, frozen=True):
    """A phase in a model's optimisation; a change of kind `what`, told in `text`, begins it."""

    days: int
    """How many days ago the phase begins."""

    slower: float
    """The latency of the phase divided by today's."""

    text: str
    what: ChangeKind = ChangeKind.DEPLOY

    crowded: float = 0.0
    """The share of latency added above three quarters of the highest load, on working days."""


CHANGES = (
    LatencyPhase(56, 2.75, "feature selection"),
    LatencyPhase(49, 2.3, "model compression"),
    LatencyPhase(42, 1.35, "batching", ChangeKind.CONFIGURATION),
    LatencyPhase(35, 1.0, "right-sizing", ChangeKind.SCALE),
)

PHASES = (LatencyPhase(DAYS, 3.73, "first version", crowded=0.12), *CHANGES)
"""The phases, oldest first; their 95th percentiles by histogram: 200, 170, 140, 70, 50 ms."""


class FaultKind(StrEnum):
    """Kinds of faults: slow responses, an unloaded model, no responses, no requests."""

    SLOW = "slow"
    UNLOADED = "unloaded"
    HANGS = "hangs"
    QUIET = "quiet"


class Incident(Struct, frozen=True):
    """One fault in the history of an endpoint."""

    endpoint: str
    fault: FaultKind

    days: int
    """How many days ago it was."""

    minute: int
    """The minute of that UTC day in which the fault begins."""

    minutes: int
    """How long the fault lasts."""

    peak: float = 1.0
    """For a SLOW fault: the factor on the latency in the middle of the incident."""

    def start(self, now: int) -> int:
        """When the fault begins, in a history that ends at `now`; both in ms UTC."""
        return now - now % _A_DAY - self.days * _A_DAY + self.minute * 60_000

    def end(self, now: int) -> int:
        """When the fault ends, in a history that ends at `now`; both in ms UTC."""
        return self.start(now) + self.minutes * 60_000


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
"""Past incidents, oldest first; none in the last week, as the live demo begins healthy."""


class ScenarioEvent(Struct, frozen=True):
    """A fault of an endpoint in the live demo, from second `start` until `end` of the demo."""

    endpoint: str
    fault: FaultKind
    start: float
    end: float


SCENARIO = (
    ScenarioEvent("fraud-detector", FaultKind.SLOW, 20, 300),
    ScenarioEvent("churn-score", FaultKind.UNLOADED, 45, 200),
    ScenarioEvent("search-ranker", FaultKind.HANGS, 75, 240),
)
"""Faults of the live demo; the nightly model needs none, as it gets no requests by day."""


def active_faults(endpoint: str, second: float) -> frozenset[FaultKind]:
    """The faults of an endpoint at a second of the live demo; empty when healthy."""
    return frozenset(
        event.fault
        for event in SCENARIO
        if event.endpoint == endpoint and event.start <= second < event.end
    )


def slowness(endpoint: str, second: float) -> float:
    """The factor on an endpoint's latency: 1, rising to 9 in the first minute of a SLOW fault."""
    for event in SCENARIO:
        if (event.endpoint, event.fault) == (endpoint, FaultKind.SLOW):
            minutes = (second - event.start) / 60
            return 1 + 8 * min(1.0, minutes) if minutes >= 0 and second < event.end else 1.0
    return 1.0
