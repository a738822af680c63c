"""The Board, a frozen snapshot of all models and alerts at one time, and its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from watchdeck.domain.alerts.alert import (
    Acknowledgement,
    ActiveAlert,
    Alert,
    Episode,
    Feedback,
    Note,
    Transition,
)
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.metrics.scrape import Identity, ModelState, Outcome, Truncation
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.units import Unit

if TYPE_CHECKING:
    from watchdeck.domain.external.source import ExternalSource
    from watchdeck.domain.notifications.outbox import OutboxRow


class Health(StrEnum):
    """The health of a model; `unknown` never counts as ok."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    DOWN = "down"
    UNKNOWN = "unknown"


WORST_FIRST = (Health.DOWN, Health.CRITICAL, Health.UNKNOWN, Health.WARNING, Health.OK)
"""The order of models in lists."""


def sort_worst_first(models: Iterable[Model]) -> tuple[Model, ...]:
    """The models in the order of `WORST_FIRST`, then by name."""
    return tuple(sorted(models, key=lambda m: (WORST_FIRST.index(m.health), m.facts.name)))


class HealthResult(Struct, frozen=True):
    """A health and its reason: `why` as text with numbers, `cause` as a short name without them."""

    health: Health
    cause: str
    why: str


class HealthChange(Struct, frozen=True):
    """The health of an endpoint and its reason from `at` (ms UTC) until the next change.

    `since` is the earlier start of the same health, set when only the reason changed at `at`.
    """

    endpoint: str
    at: int
    health: Health
    cause: str
    why: str
    since: int | None = None

    @property
    def began_at(self) -> int:
        """When the health began (ms UTC), also if its reason changed since."""
        return self.at if self.since is None else self.since


class SignalValue(Struct, frozen=True):
    """The value of a signal in its unit; `low` and `high` bound it where it is not exact.

    `window` is the length (s) of the time whose events were counted, and `events` their number,
    where the signal has them. A `server_wide` value counts other models of the server too;
    `resource` is the endpoint whose page gave a value of a machine or device.
    """

    value: float
    unit: Unit
    low: float | None = None
    high: float | None = None
    window: float | None = None
    events: float | None = None
    server_wide: bool = False
    resource: str | None = None


class LatestScrape(Struct, frozen=True):
    """The newest scrape of an endpoint, at `at` (ms UTC).

    `failures` counts the failed scrapes in a row, this one included; 0 when it succeeded.
    """

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
    remarks: Mapping[str, str] = field(default_factory=dict)
    """Why a signal is unknown, or to be doubted, by signal."""


class Model(Struct, frozen=True):
    """One row of the board: an endpoint with its health, the reason and its newest scrape.

    `latest` is None before the first scrape; `since` (ms UTC) is None when unknown.
    """

    facts: EndpointFacts
    health: Health
    why: str
    since: int | None
    latest: LatestScrape | None


class CollectorState(StrEnum):
    """The state of the collector; `stalled`: its process lives, but writes no heartbeat."""

    RUNNING = "running"
    STALLED = "stalled"
    STOPPED = "stopped"


class CollectorStatus(Struct, frozen=True):
    """The heartbeat that the collector writes regularly; times in ms UTC, durations in seconds.

    `endpoints`, `queued` and `in_flight` count what there is now; the other counts are totals since
    the collector started. Texts for problems are empty when all is well.
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
    """Series and lines left out of pages."""
    dropped: int = 0
    """Scrapes not stored because the queue was full."""
    queued: int = 0
    """Scrapes waiting to be stored."""
    in_flight: int = 0
    """Scrapes running now."""
    overrun: int = 0
    """Scrapes left out because the one before had not ended."""
    lag: float = 0.0
    """The worst delay of a scrape's start in the last minute."""
    scrape_p50: float | None = None
    """The median duration of a scrape in the last minute; None without a scrape."""
    scrape_p95: float | None = None
    blind: str = ""
    """Why no endpoint can be reached."""
    storing: str = ""
    """Why nothing can be written."""
    judging: str = ""
    """Why health and rules are not evaluated."""
    outside: str = ""
    """Why notifications cannot be sent, or external alerts not received."""
    faults: str = ""
    """The loops of the collector that fail again and again, by faults of its own."""
    trusted_at: int = 0
    """The time that deletions went by when it was written; 0 when unknown."""
    clock: str = ""
    """How the wall clock was changed while the collector ran."""


class Collector(Struct, frozen=True):
    """The collector as a reader of the store sees it.

    `heartbeat` is None before the first one, and in a board of a past time, because only the newest
    is stored.
    """

    state: CollectorState
    heartbeat: CollectorStatus | None = None
    disk: str = ""
    """What is wrong with the disk of its store, by the reader's own look at a stalled collector."""

    @property
    def trouble(self) -> str:
        """Why no news of it can be expected, in words; empty while it runs."""
        words = _TROUBLES[self.state]
        return f"{words}: {self.disk}" if self.disk else words

    @property
    def missing_reason(self) -> str:
        """Why there is no heartbeat; empty when there is one."""
        if self.heartbeat is not None:
            return ""
        if self.state is CollectorState.RUNNING:
            return "its own figures of then were not kept"
        return "never seen on this store"


_TROUBLES = {
    CollectorState.RUNNING: "",
    CollectorState.STALLED: "the collector is stalled",
    CollectorState.STOPPED: "no collector is running",
}


class Change(Struct, frozen=True):
    """A stored change of an endpoint at `at` (ms UTC), such as a deploy; charts mark it."""

    id: int
    endpoint: str
    at: int
    what: str
    text: str
    source: str


class Board(Struct, frozen=True):
    """All models and alerts at the time `at` (ms UTC); live when that is now."""

    at: int
    live: bool
    collector: Collector
    models: tuple[Model, ...] = ()
    changes: tuple[Change, ...] = ()
    alerts: tuple[ActiveAlert, ...] = ()
    silences: tuple[Silence, ...] = ()
    sources: tuple[ExternalSource, ...] = ()
    """The sources of external alerts as they are now; empty for a past time."""
    metrics_at: int | None = None
    """When the newest row of the metrics file was written."""
    state_at: int | None = None
    """When the newest row of the state file was written; may be a tick apart from `metrics_at`."""


class History(Struct, frozen=True):
    """The values of one column over time: `times` (ms UTC) and `values` are of equal length.

    A missing value is NaN. `low` and `high` are filled for hourly rollups. `every` is the expected
    interval of the points (ms): a longer one is drawn as a gap.
    """

    column: str
    every: int
    times: list[int]
    values: list[float]
    low: list[float] | None = None
    high: list[float] | None = None


class AlertHistory(Struct, frozen=True):
    """The history of an episode until one time: transitions, what people did, notifications."""

    episode: Episode
    alert: Alert
    transitions: tuple[Transition, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    notes: tuple[Note, ...] = ()
    past: tuple[Episode, ...] = ()
    """Earlier episodes of the same alert, the newest first."""
    past_notes: tuple[Note, ...] = ()
    """Notes on the earlier episodes."""
    feedback: Mapping[int, Feedback] = field(default_factory=dict)
    """Feedback on this and the earlier episodes, by episode id."""
    outbox_rows: tuple[OutboxRow, ...] = ()
    rule: Mapping[str, Any] = field(default_factory=dict)
    """The rule as plain values; empty for an external alert or a removed rule."""


PRESENCE_INTERVAL = 10_000
"""Interval (ms) at which a console reports its presence."""

PRESENCE_TIMEOUT = 3 * PRESENCE_INTERVAL
"""Time (ms) without a report after which a console counts as closed."""


class Presence(Struct, frozen=True):
    """One open console: its user, its view, its start and its newest report (ms UTC)."""

    who: str
    view: str
    since: int
    at: int


def active_consoles(found: tuple[Presence, ...], now: int) -> tuple[Presence, ...]:
    """The consoles that reported within `PRESENCE_TIMEOUT`, the longest open first."""
    recent = (one for one in found if abs(now - one.at) < PRESENCE_TIMEOUT)
    return tuple(sorted(recent, key=lambda one: (one.since, one.who, one.view)))
