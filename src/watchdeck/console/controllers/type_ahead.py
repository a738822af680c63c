"""Type-ahead: keys typed while a screen or prompt opens wait, and then go to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.timer import Timer
from textual.widgets import Input

from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.input.keys import KEYS, KeyScope

_OPENING = frozenset(key.id for key in KEYS if key.opens)
"""Ids of the bindings that open something to which the keys typed next belong."""

_OPEN_ALREADY = frozenset(((KeyScope.HELP, "help.open"), (KeyScope.BEFORE, "changes.before")))
"""Screens on which such a binding opens nothing, because its screen is already open."""

_PATIENCE = 0.25
"""The most seconds that keys wait for a new focus: a screen may open without one."""


class TypeAhead:
    """Lets keys wait while a screen or prompt opens, so that they go to it and not elsewhere."""

    def __init__(
        self, app: App[None], port: ConsolePort, handle: Callable[[events.Key], Awaitable[None]]
    ) -> None:
        self._app = app
        self._port = port
        self._handle = handle
        self._waiting: deque[events.Key] | None = None
        self._patience: Timer | None = None

    async def receive(self, key: events.Key) -> None:
        """Handle a key at once; while a screen or prompt opens, let the key wait."""
        if self._waiting is not None:
            self._waiting.append(key)
        else:
            await self._take(key)

    async def _take(self, key: events.Key) -> None:
        if self._opens(key.key):
            self._waiting = deque()
            self._patience = self._app.set_timer(_PATIENCE, self.release)
        await self._handle(key)

    def _opens(self, key: str) -> bool:
        if isinstance(self._app.focused, Input):
            return False
        bound = self._app.screen.active_bindings.get(key)
        if bound is None or bound.binding.id not in _OPENING:
            return False
        screen = self._port.current_screen
        return screen is None or (screen.WHERE, bound.binding.id) not in _OPEN_ALREADY

    async def release(self) -> None:
        """Handle the waiting keys in order; after one that opens something, the rest wait again."""
        waiting, self._waiting = self._waiting or deque(), None
        if self._patience is not None:
            self._patience.stop()
        while waiting and self._app.screen_stack:
            await self._take(waiting.popleft())
            if self._waiting is not None:
                self._waiting.extend(waiting)
                break
