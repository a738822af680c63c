"""Events of external alerts: one report of another system about one alert, as the store saves it.

An event is the report with cleaned texts. Events are evaluated later, in the order of arrival.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct, field
from msgspec.structs import asdict

from watchdeck.domain.rules.rule import Severity

RESOLVE_TIMEOUT = 5 * 60_000
"""The default `resolve_timeout` of Alertmanager (ms): how long it repeats an alert without news."""


class Status(StrEnum):
    """Whether an event says that its alert fires, or that it is resolved."""

    FIRING = "firing"
    RESOLVED = "resolved"


class ExternalEvent(Struct, frozen=True):
    """One report of another system about one alert; times in ms UTC, all texts cleaned."""

    key: str
    """Equal for a repetition of the same report."""
    source: str
    fingerprint: str
    rule: str
    model: str
    severity: Severity
    status: Status
    received_at: int
    starts_at: int
    """The start, never in the future."""
    told: int = 0
    """The start as the sender gave it; 0 for none."""
    ends_at: int | None = None
    """The end; of a firing event, when the alert ends unless the sender repeats it."""
    updated_at: int | None = None
    """When the sender last updated the alert, where known."""
    sender: str = ""
    """The address of the system that raised the alert."""
    link: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    suppressed_by: tuple[str, ...] = ()
    lapsed: bool = False
    """Whether nobody sent this resolve: the source only stopped repeating the alert."""
    clock_skewed: bool = False
    """Whether its times contradict our clock."""
    truncated: bool = False
    """Whether labels or annotations were cut."""
    turn: int = 0
    """Position of the alert in the payload."""
    was_target_silent: bool = False
    """Whether this resolve was held because its target sent no data."""

    @property
    def alive_at(self) -> int | None:
        """The latest time (ms UTC) at which the event proves its sender alive; None for no proof.

        Alertmanager repeats an alert for up to five minutes after its sender is gone, so a firing
        event without `updated_at` proves its sender alive only five minutes before.
        """
        if self.updated_at is not None or self.status is Status.RESOLVED:
            return self.updated_at
        return self.received_at - RESOLVE_TIMEOUT

    @property
    def summary(self) -> str:
        """The text that the author of the alert wrote for people; empty when there is none."""
        for name in ("summary", "message", "title", "description"):
            if self.annotations.get(name):
                return self.annotations[name]
        return ""


def event_key(*parts: object) -> str:
    """The SHA-256 of the parts, in hex: equal parts give an equal key."""
    return sha256(json.dumps(parts).encode()).hexdigest()


def fingerprint(labels: Mapping[str, str]) -> str:
    """The fingerprint that Alertmanager gives these labels: FNV-1a, 64 bits, in hex."""
    text = b"".join(
        part.encode(errors="replace") + b"\xff" for pair in sorted(labels.items()) for part in pair
    )
    total = 0xCBF29CE484222325
    for byte in text:
        total = ((total ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{total:016x}"


def encode(event: ExternalEvent) -> str:
    """Encode an event as JSON for the store."""
    return json.dumps(asdict(event), sort_keys=True, separators=(",", ":"))


def decode(text: str) -> ExternalEvent:
    """Decode an event that `encode` wrote."""
    row = json.loads(text)
    row["severity"] = Severity(row["severity"])
    row["status"] = Status(row["status"])
    row["suppressed_by"] = tuple(row["suppressed_by"])
    return ExternalEvent(**row)
