"""What changed: versions, restarts and replica counts seen on scrapes, and what people tell."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Identity

_SAME_START = 2_000
"""Process start times are read from clocks that drift: closer than this (ms) is the same start."""


class ChangeKind(StrEnum):
    """What kind of change a marker stands for."""

    DEPLOY = "deploy"
    RESTART = "restart"
    SCALE = "scale"
    CONFIGURATION = "config"
    RETRAIN = "retrain"
    NOTE = "note"


SAID = tuple(
    kind.value
    for kind in (ChangeKind.DEPLOY, ChangeKind.CONFIGURATION, ChangeKind.RETRAIN, ChangeKind.NOTE)
)
"""The kinds that people tell of; the others are seen."""


class Marker(Struct, frozen=True):
    """One change, in words."""

    what: ChangeKind
    text: str


def detect_changes(before: Identity | None, now: Identity) -> tuple[Marker, ...]:
    """The markers that tell two identities apart; a part that is not known changes nothing.

    Counter resets count as a restart only where no start time is known, because a restart shows as
    both.
    """
    if before is None:
        return ()
    found = (_version(before, now), _restart(before, now), _replicas(before, now))
    return tuple(marker for marker in found if marker is not None)


def configured(text: str) -> Marker:
    """The change that a configuration tells of in words: `retrain: on October's data`.

    Words that begin with no kind of change are a change of configuration.
    """
    word, colon, rest = text.partition(":")
    if colon and word.strip() in SAID and rest.strip():
        return Marker(ChangeKind(word.strip()), rest.strip())
    return Marker(ChangeKind.CONFIGURATION, text.strip())


def merge(before: Identity | None, now: Identity) -> Identity:
    """The newest known value of every part."""
    if before is None:
        return now
    return Identity(
        version=now.version or before.version,
        started_at=now.started_at or before.started_at,
        replicas=before.replicas if now.replicas is None else now.replicas,
        resets=now.resets,
    )


def _version(before: Identity, now: Identity) -> Marker | None:
    if not before.version or not now.version or before.version == now.version:
        return None
    return Marker(ChangeKind.DEPLOY, f"version {before.version} → {now.version}")


def _restart(before: Identity, now: Identity) -> Marker | None:
    if before.started_at and now.started_at:
        if now.started_at - before.started_at > _SAME_START:
            return Marker(ChangeKind.RESTART, "the server was restarted")
        return None
    if now.resets > before.resets:
        return Marker(ChangeKind.RESTART, "the counters began again from 0")
    return None


def _replicas(before: Identity, now: Identity) -> Marker | None:
    if before.replicas is None or now.replicas is None or before.replicas == now.replicas:
        return None
    return Marker(ChangeKind.SCALE, f"replicas {before.replicas} → {now.replicas}")
