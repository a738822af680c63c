"""Watchdogs of the collector: one for its event loop, and that of systemd.

systemd's is fed only when a tick was committed: a collector that runs and stores nothing is ended
and started anew.
"""

import logging
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from watchdeck.logs import fields

_log = logging.getLogger(__name__)

BLOCKED_AFTER = 5.0
"""Seconds without a turn of the event loop after which the log says where it is blocked."""

END_AFTER = 300.0
"""Seconds without a turn of the event loop after which the process ends itself."""

_CHECK_INTERVAL = 1.0

EXIT_CODE = 70
"""The exit code of a process that its watchdog ended."""


class SystemdNotifier:
    """Sends states to systemd over the socket of `NOTIFY_SOCKET`; without one, does nothing."""

    def __init__(self, address: str | None = None) -> None:
        given = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
        self._address = f"\0{given[1:]}" if given.startswith("@") else given
        self._ticks: tuple[object, ...] = ()

    def send(self, state: str) -> bool:
        """Send a state such as `READY=1`; returns whether it was sent.

        A failure is no error: systemd notices a missing state itself.
        """
        if not self._address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto(state.encode(), self._address)
        except OSError:
            _log.debug("systemd was not reached")
            return False
        return True

    def feed(self, *ticks: object) -> None:
        """Feed the watchdog when every one of `ticks`, which tell the newest commits, has moved."""
        before = self._ticks or (None,) * len(ticks)
        if all(tick != old for tick, old in zip(ticks, before, strict=True)):
            self._ticks = ticks
            self.send("WATCHDOG=1")


class LoopWatchdog:
    """A thread that logs where the event loop is blocked, and ends a process that stays blocked.

    Args:
        end: Ends the process.
        clock: A monotonic clock in seconds.
    """

    def __init__(
        self,
        end: Callable[[], None] = lambda: os._exit(EXIT_CODE),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._end = end
        self._clock = clock
        self._turned_at = self._checked_at = clock()
        self._is_logged = False
        self._loop_thread = threading.get_ident()
        self._stop = threading.Event()

    def start(self) -> None:
        """Watch from now on."""
        threading.Thread(target=self._watch, name="loop watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._stop.set()

    def turn(self) -> None:
        """Note a turn of the event loop; the loop calls it."""
        self._turned_at = self._clock()

    def _watch(self) -> None:
        while not self._stop.wait(_CHECK_INTERVAL):
            self.check()

    def check(self) -> None:
        """Compare the newest turn with the clock; a suspended process is no blocked loop."""
        now = self._clock()
        if now - self._checked_at > BLOCKED_AFTER:
            self._turned_at = now
        self._checked_at = now
        blocked = now - self._turned_at
        if blocked < BLOCKED_AFTER:
            self._is_logged = False
        elif not self._is_logged:
            self._is_logged = True
            place = _place_of(self._loop_thread)
            _log.error("event loop blocked", extra=fields(seconds=round(blocked), place=place))
        if blocked >= END_AFTER:
            _log.error("collector ends: its event loop is blocked", extra=fields(pid=os.getpid()))
            self._end()


def _place_of(thread: int) -> str:
    """The file and line that a thread runs, never its values: those may hold a secret."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - the documented way to another thread
    if frame is None:
        return "unknown"
    place = traceback.extract_stack(frame)[-1]
    return f"{Path(place.filename).name}:{place.lineno}"
