"""Changes of endpoints: detected on scrapes, or written in the configuration by people."""

from enum import StrEnum

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Identity

_SAME_START = 2_000
"""Process start times that differ by less (ms) are the same start: clocks drift."""


class ChangeKind(StrEnum):
    """The kind of a change of an endpoint; people report those of `REPORTED_KINDS`."""

    DEPLOY = "deploy"
    RESTART = "restart"
    SCALE = "scale"
    CONFIGURATION = "config"
    RETRAIN = "retrain"
    NOTE = "note"


REPORTED_KINDS = tuple(
    kind.value
    for kind in (ChangeKind.DEPLOY, ChangeKind.CONFIGURATION, ChangeKind.RETRAIN, ChangeKind.NOTE)
)
"""The kinds that people report; the other kinds are detected."""


class Marker(Struct, frozen=True):
    """A change before it is stored: its kind and its text."""

    what: ChangeKind
    text: str


def detect_changes(before: Identity | None, now: Identity) -> tuple[Marker, ...]:
    """The changes between two identities of a server; empty without a `before`.

    A part that is unknown in either is not compared. Counter resets count as a restart only while
    a start time is unknown, so that one restart is not found twice.
    """
    if before is None:
        return ()
    found = (
        _version_marker(before, now),
        _restart_marker(before, now),
        _replica_marker(before, now),
    )
    return tuple(marker for marker in found if marker is not None)


def read_change(text: str) -> Marker:
    """Parse a change in a configuration, such as `retrain: on October's data`.

    A text without a known kind is a change of configuration.
    """
    word, colon, rest = text.partition(":")
    if colon and word.strip() in REPORTED_KINDS and rest.strip():
        return Marker(ChangeKind(word.strip()), rest.strip())
    return Marker(ChangeKind.CONFIGURATION, text.strip())


def merge_identity(before: Identity | None, now: Identity) -> Identity:
    """An identity with each part as `now` has it, or as `before` where `now` does not know it."""
    if before is None:
        return now
    return Identity(
        version=now.version or before.version,
        started_at=now.started_at or before.started_at,
        replicas=before.replicas if now.replicas is None else now.replicas,
        resets=now.resets,
    )


def _version_marker(before: Identity, now: Identity) -> Marker | None:
    if not before.version or not now.version or before.version == now.version:
        return None
    return Marker(ChangeKind.DEPLOY, f"version {before.version} → {now.version}")


def _restart_marker(before: Identity, now: Identity) -> Marker | None:
    if before.started_at and now.started_at:
        if now.started_at - before.started_at > _SAME_START:
            return Marker(ChangeKind.RESTART, "the server was restarted")
        return None
    if now.resets > before.resets:
        return Marker(ChangeKind.RESTART, "the counters began again from 0")
    return None


def _replica_marker(before: Identity, now: Identity) -> Marker | None:
    if before.replicas is None or now.replicas is None or before.replicas == now.replicas:
        return None
    return Marker(ChangeKind.SCALE, f"replicas {before.replicas} → {now.replicas}")
