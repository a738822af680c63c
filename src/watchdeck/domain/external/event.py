"""Foreign alerts: what other systems say of an alert, one event at a time, as the store keeps it.

An event is what was said, made safe; what follows from it is decided later, in the order in which
events came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct, field
from msgspec.structs import asdict

from watchdeck.domain.values.severity import Severity

REPEATED = 5 * 60_000
"""For how long (ms) Alertmanager takes an alert for firing that nobody speaks of any more."""


class Status(StrEnum):
    """What an event says of its alert; a resolve is a claim, believed only of a live source."""

    FIRING = "firing"
    RESOLVED = "resolved"


class ExternalEvent(Struct, frozen=True):
    """One thing that another system said of one alert; times in ms UTC, all texts clean.

    `key` is the same whenever the same is said again. `starts_at` is never in the future, `told`
    is the start as it was said, 0 for none. Of a firing event `ends_at` is a promise: by then it is
    said again, or its sender is gone. `updated_at` is when the sender last spoke of it, where that
    is known, and `sender` the address of the system that raised it. `lapsed` marks a resolve that
    nobody spoke: the promise ran out. `clock_skewed` tells that its clock cannot be right,
    `truncated` that something of it was too long. `turn` is its place among those that came at
    once.
    """

    key: str
    source: str
    fingerprint: str
    rule: str
    model: str
    severity: Severity
    status: Status
    received_at: int
    starts_at: int
    told: int = 0
    ends_at: int | None = None
    updated_at: int | None = None
    sender: str = ""
    link: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    suppressed_by: tuple[str, ...] = ()
    lapsed: bool = False
    clock_skewed: bool = False
    truncated: bool = False
    turn: int = 0

    @property
    def alive_at(self) -> int | None:
        """When its sender was surely there, in ms UTC; None when it does not prove that.

        Alertmanager repeats what it heard for up to five minutes after its sender is gone.
        """
        if self.updated_at is not None or self.status is Status.RESOLVED:
            return self.updated_at
        return self.received_at - REPEATED

    @property
    def summary(self) -> str:
        """What its author wrote for a person, or nothing."""
        for name in ("summary", "message", "title", "description"):
            if self.annotations.get(name):
                return self.annotations[name]
        return ""


def event_key(*parts: object) -> str:
    """The key of what was said: equal parts, equal key."""
    return sha256(json.dumps(parts).encode()).hexdigest()


def fingerprint(labels: Mapping[str, str]) -> str:
    """The fingerprint that Alertmanager gives these labels: FNV-1a, 64 bits, in hex."""
    said = b"".join(
        part.encode(errors="replace") + b"\xff" for pair in sorted(labels.items()) for part in pair
    )
    total = 0xCBF29CE484222325
    for byte in said:
        total = ((total ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{total:016x}"


def encode(event: ExternalEvent) -> str:
    """The event as the store keeps it."""
    row = asdict(event)
    return json.dumps(row, sort_keys=True, separators=(",", ":"))


def decode(text: str) -> ExternalEvent:
    """The event that was kept."""
    row = json.loads(text)
    row["severity"] = Severity(row["severity"])
    row["status"] = Status(row["status"])
    row["suppressed_by"] = tuple(row["suppressed_by"])
    return ExternalEvent(**row)
