"""The services of a console besides boards: other consoles, configuration file, actor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from watchdeck.domain.board.board import Presence

if TYPE_CHECKING:
    from watchdeck.actions.actor import Actor


class PresenceStore(Protocol):
    """A store in which each open console has an entry, for the other consoles to read."""

    def write(self, presence: Presence) -> None:
        """Write the entry of this console: who uses it, and the view on screen."""

    def leave(self) -> None:
        """Delete the entry of this console."""

    def others(self, now: int) -> tuple[Presence, ...]:
        """The other consoles that are open at `now` (ms UTC)."""
        ...


class ConsolePresence:
    """Tells other consoles on the store about this one; with an empty `who` only reads theirs."""

    def __init__(self, store: PresenceStore, who: str, since: int) -> None:
        self._store = store
        self._who = who
        self._since = since

    def announce(self, view: str, now: int) -> tuple[Presence, ...]:
        """Tell the others which view this console shows; returns the other open consoles."""
        if self._who:
            self._store.write(Presence(self._who, view, self._since, now))
        return self._store.others(now)

    def leave(self) -> None:
        """Remove this console from the list of open consoles in the store."""
        if self._who:
            self._store.leave()


class Services(Struct, frozen=True):
    """The presence, configuration file and actor of a console; each None when there is none."""

    presence: ConsolePresence | None = None
    config: Path | None = None
    actor: Actor | None = None
