"""The port of the application: what controllers need of it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from textual.message import Message
from textual.screen import Screen

from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.domain.values.units import Clock

NOTICE_LASTS = 15_000
"""How long a notice stays, in milliseconds."""

Result = TypeVar("Result")


class TerminalOutput(Protocol):
    """What takes control sequences."""

    def write(self, data: str) -> None:
        """Write to the terminal."""


class ConsolePort(Protocol):
    """The application, as its controllers see it."""

    clock: Clock

    @property
    def view_state(self) -> ViewState:
        """What is shown."""
        ...

    @property
    def current_screen(self) -> BaseScreen | None:
        """The screen in view; None before the first."""
        ...

    @property
    def current_mode(self) -> str:
        """The mode in view."""
        ...

    def show(self, state: ViewState) -> None:
        """Show another view state."""

    def say(self, notice: str, lasts: int = NOTICE_LASTS) -> None:
        """Show a notice under the top line, for a while (ms)."""

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
        """Do some work on a thread, then call `then` with its result on the application's own.

        A WatchdeckError is shown as a notice. With `exclusive` older work of the group is cancelled
        if it has not begun.
        """

    @property
    def output(self) -> TerminalOutput | None:
        """The terminal, for control sequences; None when there is none."""
        ...

    def post_message(self, message: Message) -> bool:
        """Post a message; may be called on any thread."""
        ...

    def call_later(self, callback: Callable[..., object], *args: object) -> bool:
        """Call a function when the messages that wait are handled."""
        ...
