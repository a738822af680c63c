"""The way to the terminal: bytes go as it takes them, and nothing here ever waits for it."""

from __future__ import annotations

import asyncio
import os
import select
import termios
from collections.abc import Callable
from contextlib import suppress

from watchdeck.console.terminal.flow_control import QUESTION, FlowControl
from watchdeck.console.terminal.traffic import Traffic, TrafficMeter

_MOST = 262_144
"""Bytes that wait for a terminal that takes none; what comes on top is dropped, and counted."""

_AT_ONCE = 65_536
"""Bytes handed to the terminal in one call."""


def reopen(fileno: int) -> int | None:
    """The same terminal, opened once more so that writes to it do not block; None if it cannot be.

    The mode is not set on the descriptor that is there: the shell shares it, and would find it so.
    """
    flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
    for path in _paths(fileno):
        with suppress(OSError):
            return os.open(path, flags)
    return None


def _paths(fileno: int) -> list[str]:
    """Its names; after `su` only the general name of the controlling terminal may be opened."""
    found = []
    with suppress(OSError):
        found.append(os.ttyname(fileno))
    with suppress(OSError):
        os.tcgetpgrp(fileno)
        found.append("/dev/tty")
    return found


class TerminalWriter:
    """Sends bytes in order, and owns the descriptor, which must not block.

    `on_free` is called when it would take another frame, `on_lost` when the terminal is gone.
    Everything here happens on the event loop.
    """

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        self.on_free: Callable[[], object] = lambda: None
        self.on_lost: Callable[[], object] = lambda: None
        self._descriptor = descriptor
        self._loop = loop
        self._meter = TrafficMeter()
        self._flow = FlowControl()
        self._unsent = bytearray()
        self._watched = False
        self._timer: asyncio.TimerHandle | None = None
        self.is_lost = False

    def is_free(self) -> bool:
        """Whether a frame would go out now; if not, `on_free` will say when."""
        if self._unsent or self.is_lost:
            return False
        if self._flow.is_open(self._loop.time()):
            return True
        self._wake_later()
        return False

    def write(self, data: bytes) -> None:
        """Send what belongs to no frame."""
        if len(self._unsent) + len(data) > _MOST:
            self._meter.dropped(len(data))
        else:
            self._put(data)

    def send(self, frame: bytes) -> None:
        """Send a frame, and now and then a question behind it; never a part of one alone."""
        self._flow.send(len(frame))
        self._meter.framed()
        self._put(frame + self._question())

    def skipped(self) -> None:
        """A frame was not made because the last one is still on its way."""
        self._meter.skipped()

    def answered(self) -> None:
        """The terminal answered a question."""
        now = self._loop.time()
        lag = self._flow.answer(now)
        if lag is not None:
            self._meter.answered(lag)
            self.write(self._question())
            self._free()

    def traffic(self) -> Traffic:
        """What the meter says."""
        now = self._loop.time()
        return self._meter.read(now, held=bool(self._unsent) or not self._flow.is_open(now))

    def drain(self, seconds: float) -> bool:
        """Wait so long for the terminal to take what is there; whether it did."""
        end = self._loop.time() + seconds
        while self._unsent and not self.is_lost:
            left = end - self._loop.time()
            if left <= 0 or not select.select([], [self._descriptor], [], left)[1]:
                break
            self._pump()
        return not self._unsent

    def discard(self) -> None:
        """Throw away what the terminal did not take, so that it gets what comes now."""
        self._meter.dropped(len(self._unsent))
        self._unsent.clear()
        with suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCOFLUSH)

    def close(self) -> None:
        """Send no more."""
        self._watch(wanted=False)
        if self._timer is not None:
            self._timer.cancel()
        self.is_lost = True
        os.close(self._descriptor)

    def _question(self) -> bytes:
        if not self._flow.is_due:
            return b""
        self._flow.ask(self._loop.time())
        return QUESTION.encode()

    def _put(self, data: bytes) -> None:
        if self.is_lost:
            return
        self._unsent += data
        if not self._watched:
            self._pump()

    def _pump(self) -> None:
        """Hand over what the terminal takes; come back for the rest when it takes more."""
        try:
            while self._unsent:
                count = os.write(self._descriptor, self._unsent[:_AT_ONCE])
                del self._unsent[:count]
                self._meter.sent(count, self._loop.time())
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()
            self.is_lost = True
            self._loop.call_soon(self.on_lost)
        self._watch(wanted=bool(self._unsent))

    def _watch(self, *, wanted: bool) -> None:
        if wanted == self._watched:
            return
        self._watched = wanted
        if wanted:
            self._loop.add_writer(self._descriptor, self._resume)
        else:
            self._loop.remove_writer(self._descriptor)

    def _resume(self) -> None:
        self._pump()
        self._free()

    def _free(self) -> None:
        if self.is_free():
            self.on_free()

    def _wake_later(self) -> None:
        """An answer that is lost must not hold the screen for ever."""
        opens = self._flow.opens_at
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if opens is None else self._loop.call_at(opens, self._free)
