"""Whom watchdeck hears beside its own models: who may send to it, and whom it asks."""

from __future__ import annotations

from msgspec import Struct, field

from watchdeck.domain.values.secret import Secret, Tls
from watchdeck.domain.values.units import Bytes, Milliseconds

PROMETHEUS = "prometheus"
"""The source of what is posted to /api/v2/alerts."""

EVENTS = "cloudevents"
"""The source of what is posted to /events."""

ALERTMANAGER = "alertmanager"
"""The source of a webhook that no name is known for."""


class Intake(Struct, frozen=True):
    """Where others may send their alerts, each with the token; off without a table of its own.

    `listen` is loopback unless `exposed` says that this is meant. `deadman` names an alert that
    always fires while all is well, and `silent_after` is for how long a sender of webhooks may say
    nothing of an alert that is open.
    """

    token: Secret
    listen: str = "127.0.0.1:9193"
    exposed: bool = False
    max_body: Bytes = Bytes(4 << 20)
    deadman: str = ""
    silent_after: Milliseconds = Milliseconds(9 * 3_600_000)


class Alertmanager(Struct, frozen=True):
    """An Alertmanager that is asked what fires; with `mirror` it is told who has it, too.

    `external_url` is what it calls itself in webhooks, where that is not `url`. `resend` is how
    often its senders repeat an alert, and `resolve_timeout` its own setting.
    """

    url: str
    name: str = ALERTMANAGER
    external_url: str | None = None
    every: Milliseconds = Milliseconds(15_000)
    timeout: Milliseconds = Milliseconds(5_000)
    resend: Milliseconds = Milliseconds(60_000)
    resolve_timeout: Milliseconds = Milliseconds(300_000)
    headers: dict[str, str | Secret] = field(default_factory=dict)
    tls: Tls = field(default_factory=Tls)
    deadman: str = ""
    mirror: bool = False
