"""All that is known of one episode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from watchdeck.domain.alerts.alert import (
    Acknowledgement,
    Alert,
    Episode,
    Feedback,
    Note,
    Transition,
)
from watchdeck.domain.notifications.outbox import OutboxRow


class AlertHistory(Struct, frozen=True):
    """All that is known of one episode at one moment: its steps, and what people did and wrote.

    `past` are earlier episodes of the same alert, the newest first, `opinions` what was thought of
    them by their numbers, `told` what others were or will be told. `rule` is what is known of the
    rule, as plain values; empty when no rule of ours raised the alert, or it is gone.
    """

    episode: Episode
    alert: Alert
    steps: tuple[Transition, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    notes: tuple[Note, ...] = ()
    past: tuple[Episode, ...] = ()
    past_notes: tuple[Note, ...] = ()
    opinions: Mapping[int, Feedback] = field(default_factory=dict)
    told: tuple[OutboxRow, ...] = ()
    rule: Mapping[str, Any] = field(default_factory=dict)
