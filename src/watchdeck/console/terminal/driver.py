"""Textual's terminal driver, hardened against bad bytes, a slow link and a vanished terminal."""

from __future__ import annotations

import os
import selectors
import signal
import threading
from codecs import getincrementaldecoder
from collections.abc import Iterable
from types import FrameType

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from watchdeck.console.terminal.ansi import RESET
from watchdeck.console.terminal.app import DiffRenderedApp
from watchdeck.console.terminal.textual_update import mismatch_reason
from watchdeck.console.terminal.traffic import STATUS_RESPONSE
from watchdeck.console.terminal.writer import TerminalWriter, reopen

_CHUNK = 4_096

_KEY_TIMEOUT = 0.1
"""Seconds between checks of typed bytes that may be half an escape sequence."""

_RESPONSE_KEY = "<terminal-responded>"
"""Name of the key event that stands for a status response; no real key has this name."""

_CLEAR = "\x1b[2J\x1b[H"
"""Clears the screen at the end: GNU screen and the Linux console have no second screen to leave."""

_DRAIN_SECONDS = 0.2
"""Seconds that a terminal has to take the remaining bytes when the console leaves it."""


class TerminalDriver(LinuxDriver):
    """A Textual driver that reads keys and terminal sizes, and writes without blocking.

    Textual's own driver has three faults that this one avoids. One typed byte that is not UTF-8
    ends it. A terminal that vanishes without a signal makes it use a whole core. A terminal that
    takes no more bytes blocks the application.
    """

    _writer: TerminalWriter | None = None
    _wakeup_pipe: tuple[int, int] | None = None
    """A pipe that wakes the input thread: polling would cost more than all other work."""
    _is_active = False

    def start_application_mode(self) -> None:
        """Take over the terminal, through a non-blocking writer where possible."""
        self._is_active = True
        self._wakeup_pipe = self._wakeup_pipe or os.pipe()
        self._connect()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._redraw_on_resize()
        self._redraw()

    def stop_application_mode(self) -> None:
        """Restore the terminal, even one that takes no more bytes."""
        self._is_active = False
        if self._writer is not None and not self._writer.drain(_DRAIN_SECONDS):
            self._writer.discard()
        self.write(f"{RESET}{_CLEAR}")
        super().stop_application_mode()

    def disable_input(self) -> None:
        """Stop reading keys."""
        if self._wakeup_pipe is None:
            return
        os.write(self._wakeup_pipe[1], b".")
        super().disable_input()
        for descriptor in self._wakeup_pipe:
            os.close(descriptor)
        self._wakeup_pipe = None

    def resume_application_mode(self) -> None:
        """Take over the terminal again; only redraw it if the application still has it."""
        if self._is_active:
            self._redraw()
        else:
            super().resume_application_mode()

    def _sigtstp_application(self, *_: object) -> None:
        """Suspend between two steps of the event loop, never in the middle of a frame.

        Suspend at once while an external program has the terminal: the loop then takes no steps.
        """
        if self._auto_restart:
            self._loop.call_soon_threadsafe(super()._sigtstp_application)
        else:
            super()._sigtstp_application()

    def _sigcont_application(self, *_: object) -> None:
        """Continue after a suspension, between two steps of the event loop."""
        if self._auto_restart:
            self._loop.call_soon_threadsafe(super()._sigcont_application)

    def close(self) -> None:
        """Send the remaining bytes and close the writer."""
        if self._writer is not None and not self._writer.is_lost:
            self._writer.drain(_DRAIN_SECONDS)
            self._writer.close()
        super().close()

    def write(self, data: str) -> None:
        """Send sequences that are not frames: modes, requests, the clipboard."""
        if self._writer is None:
            super().write(data)
        elif threading.current_thread() is threading.main_thread():
            self._writer.write(data.encode())
        else:
            self._loop.call_soon_threadsafe(self._writer.write, data.encode())

    def _connect(self) -> None:
        """Give the application a writer; without one Textual draws."""
        if not isinstance(self._app, DiffRenderedApp):
            return
        descriptor = None
        if self._file is not None and not mismatch_reason(self._app):
            descriptor = reopen(self._file.fileno())
        self._writer = None if descriptor is None else TerminalWriter(descriptor, self._loop)
        self._app.connect(self._writer)

    def _redraw_on_resize(self) -> None:
        """Redraw on SIGWINCH: a resize moves the terminal's content, even back to the same size."""
        before = signal.getsignal(signal.SIGWINCH)

        def on_resize(number: int, frame: FrameType | None) -> None:
            self._redraw()
            if callable(before):
                before(number, frame)

        signal.signal(signal.SIGWINCH, on_resize)

    def _redraw(self) -> None:
        if isinstance(self._app, DiffRenderedApp):
            size = self._get_terminal_size()
            self._loop.call_soon_threadsafe(self._app.invalidate, size)

    def run_input_thread(self) -> None:
        """Read keys until the application ends or the terminal is gone."""
        decoder = _KeyDecoder(debug=self._debug)
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            if self._wakeup_pipe is not None:
                selector.register(self._wakeup_pipe[0], selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(_KEY_TIMEOUT if decoder.is_waiting else None)
                if any(key.fd == self.fileno for key, _ in ready):
                    data = self._read()
                    if not data:
                        self._app.call_later(self._app.exit)
                        break
                    self._process(decoder.decode(data))
                self._process(decoder.flush_expired())

    def _get_terminal_size(self) -> tuple[int, int]:
        """Width and height as the terminal reports them: COLUMNS and LINES ignore resizes."""
        try:
            size = os.get_terminal_size(self.fileno)
        except OSError:
            return super()._get_terminal_size()
        return size.columns or 80, size.lines or 24

    def _read(self) -> bytes:
        """Read typed bytes; empty when the terminal is gone."""
        try:
            return os.read(self.fileno, _CHUNK)
        except OSError:
            return b""

    def _process(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if isinstance(message, events.Key) and message.key == _RESPONSE_KEY:
                if self._writer is not None:
                    self._loop.call_soon_threadsafe(self._writer.receive_response)
            else:
                self.process_message(message)


class _KeyParser(XTermParser):
    """Recognizes status responses, which Textual would take for pressed keys."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:  # noqa: FBT001, FBT002 - Textual's signature
        if sequence == STATUS_RESPONSE:
            return (events.Key(_RESPONSE_KEY, None),)
        return super()._sequence_to_key_events(sequence, alt)


class _KeyDecoder:
    """Decodes typed bytes with Textual's key parser; input it cannot parse is dropped."""

    def __init__(self, *, debug: bool) -> None:
        self._debug = debug
        self._decode_text = getincrementaldecoder("utf-8")(errors="replace").decode
        self._parser = _KeyParser(debug)

    def decode(self, data: bytes) -> list[Message]:
        """The keys in these bytes; an incomplete sequence is kept until the rest arrives."""
        try:
            return list(self._parser.feed(self._decode_text(data)))
        except (ValueError, OverflowError, EOFError, ParseError):
            self._parser = _KeyParser(self._debug)
            return []

    @property
    def is_waiting(self) -> bool:
        """Whether the bytes so far become a key if nothing follows soon, as ESC becomes Escape."""
        return self._parser._timeout_time is not None  # noqa: SLF001 - pinned to this Textual

    def flush_expired(self) -> list[Message]:
        """The keys that are complete because nothing followed them in time; often none."""
        return list(self._parser.tick())
