"""The interface through which controllers use the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from textual.message import Message
from textual.screen import Screen

from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.domain.values.units import Clock

NOTICE_LASTS = 15_000
"""Milliseconds that a notice stays on screen."""

Result = TypeVar("Result")


class TerminalOutput(Protocol):
    """A terminal that control sequences are written to."""

    def write(self, data: str) -> None:
        """Write control sequences to the terminal."""


class ConsolePort(Protocol):
    """The application, as its controllers see it."""

    clock: Clock

    @property
    def view_state(self) -> ViewState:
        """The view state on screen."""
        ...

    @property
    def current_screen(self) -> BaseScreen | None:
        """The screen in view; None before the first."""
        ...

    @property
    def current_mode(self) -> str:
        """The name of the mode in view, such as `deck`."""
        ...

    def show(self, state: ViewState) -> None:
        """Replace the view state, and update the screen in view."""

    def say(self, notice: str, lasts: int = NOTICE_LASTS) -> None:
        """Show a notice under the top line, for `lasts` milliseconds."""

    def push_screen(self, screen: Screen[None]) -> object:
        """Put a screen over the one in view."""
        ...

    def run_in_thread(
        self,
        work: Callable[[], Result],
        then: Callable[[Result], None],
        group: str,
        *,
        exclusive: bool = True,
    ) -> None:
        """Run `work` on a thread, then `then` with its result on the application's thread.

        A WatchdeckError is shown as a notice. With `exclusive`, older work of the same `group`
        that has not begun is cancelled.
        """

    @property
    def output(self) -> TerminalOutput | None:
        """The terminal to write control sequences to; None when there is none."""
        ...

    def post_message(self, message: Message) -> bool:
        """Post a message, on any thread; returns whether it was accepted."""
        ...

    def call_later(self, callback: Callable[..., object], *args: object) -> bool:
        """Call a function after all waiting messages; returns whether it was scheduled."""
        ...
