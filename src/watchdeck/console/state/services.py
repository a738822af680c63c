"""What a console has besides what it shows: the company of others, and what can be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from msgspec import Struct

from watchdeck.console.state.alert_verbs import Operations
from watchdeck.console.state.presence import ConsolePresence
from watchdeck.domain.board.change import Marker


class AddChange(Protocol):
    """Keeps a marker on a model, in the name of whoever sits here; may raise a WatchdeckError."""

    def __call__(self, endpoint: str, marker: Marker, at: int, now: int) -> int:
        """The number of the change; both times are in ms UTC."""
        ...


class Services(Struct, frozen=True):
    """The others, the configuration in use, the pen for markers, the hands for alerts.

    None where there is none.
    """

    company: ConsolePresence | None = None
    config: Path | None = None
    mark: AddChange | None = None
    hands: Operations | None = None
