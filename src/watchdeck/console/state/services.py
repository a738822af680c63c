"""What a console has besides its boards: the other consoles, the configuration, who acts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from watchdeck.domain.board.board import Presence

if TYPE_CHECKING:
    from watchdeck.actions.actor import Actor


class PresenceStore(Protocol):
    """Where consoles write that they are open."""

    def write(self, presence: Presence) -> None:
        """Write who is here, and which view they see."""

    def leave(self) -> None:
        """Remove what was written."""

    def others(self, now: int) -> tuple[Presence, ...]:
        """The other consoles."""
        ...


class ConsolePresence:
    """This console among the others on its store; without a name the others do not see it."""

    def __init__(self, store: PresenceStore, who: str, since: int) -> None:
        self._store = store
        self._who = who
        self._since = since

    def announce(self, view: str, now: int) -> tuple[Presence, ...]:
        """Write which view this console shows; returns the other consoles."""
        if self._who:
            self._store.write(Presence(self._who, view, self._since, now))
        return self._store.others(now)

    def leave(self) -> None:
        """Remove this console from the store."""
        if self._who:
            self._store.leave()


class Services(Struct, frozen=True):
    """Presence, configuration file in use, and who acts; None where there is none."""

    presence: ConsolePresence | None = None
    config: Path | None = None
    actor: Actor | None = None
