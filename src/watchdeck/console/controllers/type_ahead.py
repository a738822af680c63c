"""What is typed faster than a screen opens: it waits, and is read where it was meant for."""

from __future__ import annotations

from collections import deque

from textual import events, on
from textual.timer import Timer
from textual.widgets import Input

from watchdeck.console.input.keys import KeyScope
from watchdeck.console.terminal.app import DiffRenderedApp
from watchdeck.console.widgets.base_screen import BaseScreen

_OPENING = frozenset(
    ("answers", "changes", "command", "filter", "help", "jump", "open", "palette", "seek")
)
"""The actions after which keys mean something else; many keys may come in one packet."""

_THERE = frozenset(((KeyScope.HELP, "help"), (KeyScope.BEFORE, "changes")))
"""Where such an action finds open what it would open."""

_AT_MOST = 0.25
"""Seconds that keys wait for something to have the focus: what opens need not take it."""


class TypeAhead(DiffRenderedApp, inherit_bindings=False):
    """An application that holds keys back while what the last one opens is not there yet."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead: deque[events.Key] | None = None
        self._patience: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """As Textual does, but keys keep their turn."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._ahead is not None:
            self._ahead.append(event)
        else:
            await self._take(event)

    async def _take(self, key: events.Key) -> None:
        if self._opens(key.key):
            self._ahead = deque()
            self._patience = self.set_timer(_AT_MOST, self.go_on)
        await super().on_event(key)

    def _opens(self, key: str) -> bool:
        if isinstance(self.focused, Input):
            return False
        bound = self.screen.active_bindings.get(key)
        if bound is None or bound.binding.action not in _OPENING:
            return False
        screen = self.screen
        where = screen.WHERE if isinstance(screen, BaseScreen) else None
        return (where, bound.binding.action) not in _THERE

    @on(events.DescendantFocus)
    async def go_on(self) -> None:
        """What was opened is there: read what was typed ahead, until the next key that opens."""
        waiting, self._ahead = self._ahead or deque(), None
        if self._patience is not None:
            self._patience.stop()
        while waiting and self.screen_stack:
            await self._take(waiting.popleft())
            if self._ahead is not None:
                self._ahead.extend(waiting)
                break
