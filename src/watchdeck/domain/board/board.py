"""The Board: one frozen answer to "how is everything", for one moment."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.board.health import Health
from watchdeck.domain.metrics.scrape import Identity, ModelState, Outcome, Truncation
from watchdeck.domain.values.units import Unit

if TYPE_CHECKING:
    from watchdeck.domain.external.source import ExternalSource
from watchdeck.domain.settings.facts import EndpointFacts


class SignalValue(Struct, frozen=True):
    """A signal's value in its unit, with the interval its source allows, when it has one."""

    value: float
    unit: Unit
    low: float | None = None
    high: float | None = None


class LatestScrape(Struct, frozen=True):
    """The newest scrape of an endpoint, as the store keeps it."""

    facts: EndpointFacts
    at: int
    outcome: Outcome
    failures: int
    signals: dict[str, SignalValue]
    detail: str = ""
    kind: str | None = None
    model_state: ModelState = ModelState.UNKNOWN
    model_detail: str = ""
    identity: Identity = field(default_factory=Identity)
    cut: Truncation = field(default_factory=Truncation)
    not_measurable: tuple[str, ...] = ()


class Model(Struct, frozen=True):
    """One row of the board: the endpoint, its newest scrape, its health and why.

    `latest` is None before the first scrape; `since` is None when the health has no known start.
    """

    facts: EndpointFacts
    health: Health
    why: str
    since: int | None
    latest: LatestScrape | None


class CollectorState(StrEnum):
    """Whether anyone collects: `stalled` holds the lock but has not ticked for a while."""

    RUNNING = "running"
    STALLED = "stalled"
    STOPPED = "stopped"


class CollectorStatus(Struct, frozen=True):
    """What the collector says of itself, once a tick; times in ms UTC, durations in seconds.

    `lag` is how late the latest wake-up was; `blind` is the reason why nothing at all can be
    reached, or empty; `storing` is the reason why nothing can be written, or empty, `judging` why
    no health is judged, `outside` why others cannot be told or heard. `clock` tells of a wall clock
    that was set while the collector ran.
    """

    pid: int
    version: str
    started_at: int
    at: int
    endpoints: int = 0
    scrapes: int = 0
    failed: int = 0
    samples: int = 0
    cut: int = 0
    dropped: int = 0
    queued: int = 0
    in_flight: int = 0
    overrun: int = 0
    lag: float = 0.0
    scrape_p50: float | None = None
    scrape_p95: float | None = None
    blind: str = ""
    storing: str = ""
    judging: str = ""
    outside: str = ""
    clock: str = ""


class Collector(Struct, frozen=True):
    """The collector as a reader of the store sees it.

    There is no heartbeat if there never was one, and none of the past: only the newest is kept.
    """

    state: CollectorState
    heartbeat: CollectorStatus | None = None

    @property
    def silence(self) -> str:
        """Why there is no heartbeat, in words; empty when there is one."""
        if self.heartbeat is not None:
            return ""
        if self.state is CollectorState.RUNNING:
            return "its own figures of then were not kept"
        return "never seen on this store"


class Change(Struct, frozen=True):
    """A deploy, restart, configuration or replica change: a marker on every chart."""

    id: int
    endpoint: str
    at: int
    what: str
    text: str
    source: str


class Board(Struct, frozen=True):
    """The answer for the moment `at`; live when `at` is now.

    `metrics_at` and `state_at` are when the newest row of either file was written: the two may be
    a tick apart, so nothing is derived from the pair that a tick could falsify. `sources` are the
    systems whose alerts are heard too: how they are now, and none of the past.
    """

    at: int
    live: bool
    collector: Collector
    models: tuple[Model, ...] = ()
    changes: tuple[Change, ...] = ()
    alerts: tuple[ActiveAlert, ...] = ()
    silences: tuple[Silence, ...] = ()
    sources: tuple[ExternalSource, ...] = ()
    metrics_at: int | None = None
    state_at: int | None = None


class History(Struct, frozen=True):
    """One column over time: `times` in ms UTC and `values`, of equal length; NaN where absent.

    `low` and `high` are filled when the points are rollups of an hour. `every` is the distance that
    points should have: a longer one is a gap, and is drawn as one.
    """

    column: str
    every: int
    times: list[int]
    values: list[float]
    low: list[float] | None = None
    high: list[float] | None = None
