"""Running the console on this process's terminal, which is restored however the console ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from watchdeck.domain.settings.configuration import ConsoleSettings
from watchdeck.errors import WatchdeckError

if TYPE_CHECKING:
    from watchdeck.actions.actor import Actor
    from watchdeck.console.app import Console
    from watchdeck.console.state.board_source import BoardSource
    from watchdeck.domain.values.units import Clock
    from watchdeck.store.files.directory import StoreDirectory

_EXIT_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)
"""Signals that end the console as the quit key does; otherwise they leave a broken terminal."""

_NO_CURSOR_TERMINALS = ("", "dumb", "unknown")
"""Values of TERM for terminals that cannot place a cursor."""


def run(
    directory: StoreDirectory,
    *,
    clock: Clock,
    actor: Actor | None = None,
    view: ConsoleSettings | None = None,
    at: int | None = None,
    notice: str = "",
    config: Path | None = None,
) -> int:
    """Show the console until the operator quits; returns the exit code, 0 unless it failed.

    `actor` is the operator, whom other consoles see; with None the console is read-only and they
    do not see it. `config` is the configuration file that can be edited from the console.
    Raises WatchdeckError when this process has no terminal that a console can be drawn on.
    """
    refuse_here()
    from watchdeck.console.app import Console
    from watchdeck.console.setup import console_settings
    from watchdeck.console.state.services import ConsolePresence, Services
    from watchdeck.store.presence import PresenceFile

    presence = ConsolePresence(PresenceFile(directory), str(actor.who) if actor else "", clock())
    console = Console(
        directory,
        clock=clock,
        at=at,
        notice=notice,
        open_source=lambda: _open_reader(directory),
        settings=console_settings(directory, view, read_only=actor is None),
        services=Services(presence, config, actor),
    )
    if view is not None and view.slow_link:
        console.reduce_output()
    return drive(console)


def drive(console: Console) -> int:
    """Run a console on this process's terminal, then restore it; returns the exit code."""
    from watchdeck.console.terminal.driver import TerminalDriver

    console.driver_class = TerminalDriver
    asyncio.run(_run_until_exit(console))
    return console.return_code or 0


def _open_reader(directory: StoreDirectory) -> BoardSource:
    from watchdeck.store.reader import Reader

    return Reader(directory)


def _has_terminal() -> bool:
    """Whether stdin, for keys, and stderr, where Textual draws, are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def refuse_here() -> None:
    """Check that this process has a terminal that a console can be drawn on.

    Raises WatchdeckError when it has none.
    """
    refuse_bad_terminal(os.environ, has_terminal=_has_terminal())


def refuse_bad_terminal(environ: Mapping[str, str], *, has_terminal: bool) -> None:
    """Check the terminal that `environ` describes.

    Raises WatchdeckError when there is no terminal, or it cannot place a cursor.
    """
    if not has_terminal:
        raise WatchdeckError(
            "the console needs a terminal for its keys (stdin) and its picture (stderr)."
            " `watchdeck status` prints one board as text."
        )
    if environ.get("TERM", "") in _NO_CURSOR_TERMINALS:
        raise WatchdeckError(
            f"the console cannot be drawn on a terminal of type {environ.get('TERM', '')!r} (TERM)."
            " `watchdeck status` prints one board as text."
        )


async def _run_until_exit(console: Console) -> None:
    """Run the console; exit signals end it like the quit key, even if they were ignored before."""
    loop = asyncio.get_running_loop()
    for number in _EXIT_SIGNALS:
        loop.add_signal_handler(number, console.exit)
    await console.run_async(mouse=not console.is_link_slow)
