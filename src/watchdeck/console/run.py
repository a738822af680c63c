"""The console on a terminal: from an open store to a restored screen, whatever ends it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from watchdeck.domain.settings.console import ConsoleSettings
from watchdeck.errors import WatchdeckError

if TYPE_CHECKING:
    from watchdeck.console.app import Console
    from watchdeck.console.state.alert_verbs import Operations
    from watchdeck.console.state.board_source import BoardSource
    from watchdeck.console.state.presence import ConsolePresence
    from watchdeck.console.state.services import Services
    from watchdeck.domain.board.change import Marker
    from watchdeck.domain.values.operator import Operator
    from watchdeck.domain.values.units import Clock
    from watchdeck.store.files.directory import StoreDirectory

_ENDINGS = (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)
"""Signals that end the console as its own key does; left alone they leave a broken terminal."""

_NO_SCREEN = ("", "dumb", "unknown")
"""Terminals that cannot place a cursor."""


def run(
    directory: StoreDirectory,
    *,
    clock: Clock,
    hands: Operations | None = None,
    view: ConsoleSettings | None = None,
    at: int | None = None,
    notice: str = "",
    config: Path | None = None,
) -> int:
    """Show the console until the person leaves; the exit code, 0 unless it failed.

    `hands` are those of who sits at it, as the other consoles on this store see; without any it is
    read-only, and not seen. `config` is the file that can be edited from it.
    Raises WatchdeckError when this is no terminal that a console can be drawn on.
    """
    refuse_here()
    from watchdeck.console.app import Console
    from watchdeck.console.setup import default_setting
    from watchdeck.console.state.presence import ConsolePresence
    from watchdeck.store.presence import PresenceFile

    company = ConsolePresence(PresenceFile(directory), str(hands.who) if hands else "", clock())
    console = Console(
        directory,
        clock=clock,
        at=at,
        notice=notice,
        open_source=lambda: _reader(directory),
        setting=default_setting(directory, view or ConsoleSettings(), read_only=hands is None),
        desk=_desk(directory, company, config, hands),
    )
    if view is not None and view.slow_link:
        console.slow_down()
    return drive(console)


def _desk(
    directory: StoreDirectory,
    company: ConsolePresence,
    config: Path | None,
    hands: Operations | None,
) -> Services:
    from watchdeck.console.state.services import Services

    mark = partial(_mark, directory, hands.who) if hands else None
    return Services(company, config, mark, hands)


def drive(console: Console) -> int:
    """Run a console on this process's terminal, and put the terminal back; the exit code."""
    from watchdeck.console.terminal.driver import TerminalDriver

    console.driver_class = TerminalDriver
    asyncio.run(_until_left(console))
    return console.return_code or 0


def _reader(directory: StoreDirectory) -> BoardSource:
    from watchdeck.store.reader import Reader

    return Reader(directory)


def _mark(
    directory: StoreDirectory, who: Operator, endpoint: str, marker: Marker, at: int, now: int
) -> int:
    from watchdeck.actions.change import add_change

    return add_change(directory, endpoint, marker, at, who, now)


def _drawable() -> bool:
    """Keys come from stdin, and Textual draws on stderr."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def refuse_here() -> None:
    """Raises WatchdeckError when this process has no terminal that a console can be drawn on."""
    refuse_bad_terminal(os.environ, drawable=_drawable())


def refuse_bad_terminal(environ: Mapping[str, str], *, drawable: bool) -> None:
    """Raises WatchdeckError that says what works where a console cannot."""
    if not drawable:
        raise WatchdeckError(
            "the console needs a terminal for its keys (stdin) and its picture (stderr)."
            " `watchdeck status` prints one board as text."
        )
    if environ.get("TERM", "") in _NO_SCREEN:
        raise WatchdeckError(
            f"the console cannot be drawn on a terminal of type {environ.get('TERM', '')!r} (TERM)."
            " `watchdeck status` prints one board as text."
        )


async def _until_left(console: Console) -> None:
    """Run; signals end it as the key does, also those that were ignored before."""
    loop = asyncio.get_running_loop()
    for number in _ENDINGS:
        loop.add_signal_handler(number, console.exit)
    await console.run_async(mouse=not console.slow)
