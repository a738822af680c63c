"""What is watched: an endpoint, as its owner describes it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from watchdeck.domain.settings.console import ConsoleSettings
from watchdeck.domain.settings.intake import Alertmanager, Intake
from watchdeck.domain.settings.receivers import (
    Channel,
    Escalation,
    Heartbeat,
    OnCallSchedule,
    Route,
)
from watchdeck.domain.settings.rules import Alerts, MaintenanceText, RuleText
from watchdeck.domain.values.secret import Secret, Tls
from watchdeck.domain.values.slo import Slo
from watchdeck.domain.values.units import Bytes, Milliseconds

__all__ = [
    "Canary",
    "Endpoint",
    "Keep",
    "Retention",
    "Secret",
    "Settings",
    "Slo",
    "Tls",
]


class Canary(Struct, frozen=True):
    """One inference sent on purpose, and the check of its answer.

    `expect` reads `PATH == VALUE`, `PATH in [A, B]` or `PATH exists`, the path in `$.a[0].b` form.
    """

    path: str
    body: str | None = None
    body_file: str | None = None
    expect: str | None = None
    every: Milliseconds = Milliseconds(60_000)
    method: str = "POST"


class Keep(StrEnum):
    """Which series of a page the store keeps, when no patterns are given."""

    NEEDED = "needed"
    ALL = "all"


class Endpoint(Struct, frozen=True):
    """One model behind one server, and how to watch it.

    `kind` is a kind's name or "auto"; `url` is the serving address and `metrics_url` the page when
    the kind's own place for it does not hold. `map` names series for signals that no kind knows.
    `change` tells of the last deploy, retrain or configuration: another text is another marker.
    """

    name: str
    url: str
    kind: str = "auto"
    metrics_url: str | None = None
    model: str | None = None
    every: Milliseconds = Milliseconds(10_000)
    timeout: Milliseconds = Milliseconds(5_000)
    labels: dict[str, str] = field(default_factory=dict)
    owner: str | None = None
    tier: int | None = None
    serves: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    slo: Slo = field(default_factory=Slo)
    headers: dict[str, str | Secret] = field(default_factory=dict)
    tls: Tls = field(default_factory=Tls)
    exclude_paths: tuple[str, ...] = ()
    canary: Canary | None = None
    keep: str | tuple[str, ...] = Keep.NEEDED
    map: dict[str, str] = field(default_factory=dict)
    max_body: Bytes = Bytes(1 << 20)
    max_series: int = 5_000
    change: str | None = None


class Retention(Struct, frozen=True):
    """How long what is kept, and how large the store may grow in all."""

    raw: Milliseconds = Milliseconds(30 * 86_400_000)
    rollups: Milliseconds = Milliseconds(396 * 86_400_000)
    budget: Bytes = Bytes(1 << 30)


class Settings(Struct, frozen=True):
    """A whole configuration: the fleet, its store, how it looks, and what is worth an alert.

    `rule` holds those of the files in `rules/` too.
    """

    endpoint: tuple[Endpoint, ...] = ()
    store: str | None = None
    retention: Retention = field(default_factory=Retention)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    rule: tuple[RuleText, ...] = ()
    alerts: Alerts = field(default_factory=Alerts)
    maintenance: tuple[MaintenanceText, ...] = ()
    intake: Intake | None = None
    alertmanager: tuple[Alertmanager, ...] = ()
    channel: tuple[Channel, ...] = ()
    route: tuple[Route, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    rota: tuple[OnCallSchedule, ...] = ()
    heartbeat: Heartbeat | None = None
