"""Non-blocking writer: sends bytes as the terminal takes them, so the application never waits."""

from __future__ import annotations

import asyncio
import os
import select
import termios
from collections.abc import Callable
from contextlib import suppress

from watchdeck.console.terminal.traffic import STATUS_REQUEST, FlowControl, Traffic, TrafficMeter

_MAX_UNSENT = 262_144
"""Most bytes that wait for the terminal; `write` drops and counts data beyond."""

_MAX_WRITE = 65_536
"""Most bytes passed to the terminal in one call."""


def reopen(fileno: int) -> int | None:
    """Open the same terminal again, for writes that do not block; None if that fails.

    The existing descriptor cannot be switched: the shell shares it, and would get the same mode.
    """
    flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
    for path in _terminal_paths(fileno):
        with suppress(OSError):
            return os.open(path, flags)
    return None


def _terminal_paths(fileno: int) -> list[str]:
    """The paths of the terminal; after `su` only /dev/tty, the controlling one, may be opened."""
    paths = []
    with suppress(OSError):
        paths.append(os.ttyname(fileno))
    with suppress(OSError):
        os.tcgetpgrp(fileno)
        paths.append("/dev/tty")
    return paths


class TerminalWriter:
    """Sends bytes to the terminal in order, over a non-blocking descriptor that it owns.

    `on_free` is called when another frame may be sent, `on_lost` when the terminal is gone.
    Every method runs on the event loop.
    """

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        self.on_free: Callable[[], object] = lambda: None
        self.on_lost: Callable[[], object] = lambda: None
        self._descriptor = descriptor
        self._loop = loop
        self._meter = TrafficMeter()
        self._flow = FlowControl()
        self._unsent = bytearray()
        self._is_watching = False
        self._timer: asyncio.TimerHandle | None = None
        self.is_lost = False

    def is_free(self) -> bool:
        """Whether a frame would be sent now; if not, `on_free` is called when one would."""
        if self._unsent or self.is_lost:
            return False
        if self._flow.is_open(self._loop.time()):
            return True
        self._schedule_timeout()
        return False

    def write(self, data: bytes) -> None:
        """Send bytes that belong to no frame; they are dropped if too many already wait."""
        if len(self._unsent) + len(data) > _MAX_UNSENT:
            self._meter.count_dropped(len(data))
        else:
            self._enqueue(data)

    def send(self, frame: bytes) -> None:
        """Send a whole frame, followed by a status request when one is due."""
        self._flow.record_sent(len(frame))
        self._meter.count_frame()
        self._enqueue(frame + self._status_request())

    def count_skipped(self) -> None:
        """Count a frame that was not made because the last one is still in flight."""
        self._meter.count_skipped()

    def receive_response(self) -> None:
        """Record the response to a status request; calls `on_free` if a frame may now be sent."""
        lag = self._flow.record_response(self._loop.time())
        if lag is not None:
            self._meter.record_lag(lag)
            self.write(self._status_request())
            self._notify_if_free()

    def traffic(self) -> Traffic:
        """Statistics of the output to the terminal up to now."""
        now = self._loop.time()
        return self._meter.read(now, held=bool(self._unsent) or not self._flow.is_open(now))

    def drain(self, seconds: float) -> bool:
        """Wait at most `seconds` until the terminal has taken all bytes; False if it has not."""
        end = self._loop.time() + seconds
        while self._unsent and not self.is_lost:
            left = end - self._loop.time()
            if left <= 0 or not select.select([], [self._descriptor], [], left)[1]:
                break
            self._write_unsent()
        return not self._unsent

    def discard(self) -> None:
        """Discard all bytes that the terminal has not taken yet, to make room for later ones."""
        self._meter.count_dropped(len(self._unsent))
        self._unsent.clear()
        with suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCOFLUSH)

    def close(self) -> None:
        """Close the descriptor; nothing more is sent."""
        self._watch_writable(wanted=False)
        if self._timer is not None:
            self._timer.cancel()
        self.is_lost = True
        os.close(self._descriptor)

    def _status_request(self) -> bytes:
        if not self._flow.is_request_due:
            return b""
        self._flow.record_request(self._loop.time())
        return STATUS_REQUEST.encode()

    def _enqueue(self, data: bytes) -> None:
        if self.is_lost:
            return
        self._unsent += data
        if not self._is_watching:
            self._write_unsent()

    def _write_unsent(self) -> None:
        """Write what the terminal takes; continue when it takes more."""
        try:
            while self._unsent:
                count = os.write(self._descriptor, self._unsent[:_MAX_WRITE])
                del self._unsent[:count]
                self._meter.count_sent(count, self._loop.time())
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()
            self.is_lost = True
            self._loop.call_soon(self.on_lost)
        self._watch_writable(wanted=bool(self._unsent))

    def _watch_writable(self, *, wanted: bool) -> None:
        if wanted == self._is_watching:
            return
        self._is_watching = wanted
        if wanted:
            self._loop.add_writer(self._descriptor, self._continue)
        else:
            self._loop.remove_writer(self._descriptor)

    def _continue(self) -> None:
        self._write_unsent()
        self._notify_if_free()

    def _notify_if_free(self) -> None:
        if self.is_free():
            self.on_free()

    def _schedule_timeout(self) -> None:
        """Check again when the response counts as lost, which must not stop the screen forever."""
        timeout_at = self._flow.timeout_at
        if self._timer is not None:
            self._timer.cancel()
        self._timer = (
            None if timeout_at is None else self._loop.call_at(timeout_at, self._notify_if_free)
        )
