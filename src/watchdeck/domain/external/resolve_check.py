"""Doubt: why another system's word that an alert is over cannot be believed."""

from __future__ import annotations

import re

from msgspec import Struct

from watchdeck.domain.external.event import ExternalEvent
from watchdeck.domain.external.source import ExternalSource, RemoteAlertState
from watchdeck.domain.values.format import format_duration

TOLERANCE = 1_500
"""Milliseconds by which a sender must have outlived an end to be called alive."""


class ResolveContext(Struct, frozen=True):
    """What a resolve is weighed against, at `now` (ms UTC).

    `last` is what its source said of it while it fired, `alive_at` when its sender was last surely
    there, `silence` for how long the source is too silent. `absent` names the alerts that say that
    its target gives no data, and `mute` that we ourselves get none from its model.
    """

    now: int
    source: ExternalSource
    last: RemoteAlertState | None = None
    alive_at: int | None = None
    silence: int = 0
    absent: tuple[str, ...] = ()
    mute: bool = False


def is_expiry(event: ExternalEvent, scene: ResolveContext) -> bool:
    """Whether nobody said that it is over: its sender, as far as is known, only fell silent.

    Alertmanager then resolves it with the very end that the sender had promised to renew.
    """
    ends_at = event.ends_at or event.received_at
    if not (event.lapsed or _ran_out(event, ends_at, scene.last)):
        return False
    return scene.alive_at is None or scene.alive_at <= ends_at + TOLERANCE


def reason_to_distrust(event: ExternalEvent, scene: ResolveContext) -> str:
    """Why a resolve cannot be believed now, in words; empty when it can."""
    if is_expiry(event, scene):
        return f"{event.sender or 'its sender'} fell silent, and did not say that it is over"
    return _doubt_of_source(event, scene) or _doubt_of_target(scene)


def _ran_out(event: ExternalEvent, ends_at: int, last: RemoteAlertState | None) -> bool:
    return last is not None and (last.told, last.promise) == (event.told, ends_at)


def _doubt_of_source(event: ExternalEvent, scene: ResolveContext) -> str:
    source, ends_at = scene.source, event.ends_at or event.received_at
    if scene.now < source.held_until:
        return f"{source.name} started anew, and may not know yet"
    if scene.silence:
        return f"{source.name} is silent for {format_duration(scene.silence)}"
    if source.deadman and (scene.alive_at is None or scene.alive_at < ends_at):
        return f"{source.deadman} was not heard since"
    return ""


def _doubt_of_target(scene: ResolveContext) -> str:
    if scene.absent:
        return f"{scene.absent[0]} says that there is no data"
    return "its model says nothing" if scene.mute else ""


_NO_DATA = re.compile(r"absent|missing|no_?data|down|unreachable|stale", re.IGNORECASE)


def tells_of_no_data(rule: str) -> bool:
    """Whether an alert of this name says that a target gives no data."""
    return _NO_DATA.search(rule) is not None
