"""Who else looks at this store, and telling them where this console looks."""

from __future__ import annotations

from typing import Protocol

from watchdeck.domain.board.presence import Presence


class PresenceStore(Protocol):
    """Where consoles say that they are there."""

    def take(self, presence: Presence) -> None:
        """Say who is here, and where they look."""

    def leave(self) -> None:
        """Be here no longer."""

    def others(self, now: int) -> tuple[Presence, ...]:
        """Who else is there."""
        ...


class ConsolePresence:
    """This console among the others on its store; without a name it looks on unseen."""

    def __init__(self, seats: PresenceStore, who: str, since: int) -> None:
        self._seats = seats
        self._who = who
        self._since = since

    def meet(self, view: str, now: int) -> tuple[Presence, ...]:
        """Tell where this console looks, and see who else is there."""
        if self._who:
            self._seats.take(Presence(self._who, view, self._since, now))
        return self._seats.others(now)

    def leave(self) -> None:
        """Be here no longer."""
        if self._who:
            self._seats.leave()
