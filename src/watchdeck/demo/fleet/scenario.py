"""What happens in the first five minutes of the demo, second by second."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class FaultKind(StrEnum):
    """What goes wrong with an endpoint."""

    SLOW = "slow"
    UNLOADED = "unloaded"
    HANGS = "hangs"
    QUIET = "quiet"


class ScenarioEvent(Struct, frozen=True):
    """One trouble of one endpoint, from `start` until `end`, in seconds since the demo began."""

    endpoint: str
    trouble: FaultKind
    start: float
    end: float


STORY = (
    ScenarioEvent("fraud-detector", FaultKind.SLOW, 20, 300),
    ScenarioEvent("churn-score", FaultKind.UNLOADED, 45, 200),
    ScenarioEvent("search-ranker", FaultKind.HANGS, 75, 240),
)
"""The night model needs no beat: that nobody asks it is its story."""


def troubles(endpoint: str, second: float) -> frozenset[FaultKind]:
    """What is wrong with an endpoint at a second of the demo."""
    return frozenset(
        b.trouble for b in STORY if b.endpoint == endpoint and b.start <= second < b.end
    )


def slowness(endpoint: str, second: float) -> float:
    """What an endpoint's latency is multiplied by: it climbs for a minute, up to nine times."""
    for beat in STORY:
        if (beat.endpoint, beat.trouble) == (endpoint, FaultKind.SLOW):
            climbed = (second - beat.start) / 60
            return 1 + 8 * min(1.0, climbed) if climbed >= 0 and second < beat.end else 1.0
    return 1.0
