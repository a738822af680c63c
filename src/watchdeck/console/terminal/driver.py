"""Textual's terminal driver, made to survive bad bytes, a slow link and a terminal that went."""

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
from watchdeck.console.terminal.flow_control import ANSWER
from watchdeck.console.terminal.textual_update import mismatch
from watchdeck.console.terminal.writer import TerminalWriter, reopen

_CHUNK = 4_096

_SOON = 0.1
"""Seconds after which what was typed is looked at again, while it may be half a sequence."""

_ANSWERED = "<terminal-answered>"
"""What a terminal's answer is among the keys; no key has that name."""

_CLEAR = "\x1b[2J\x1b[H"
"""GNU screen and the Linux console have no second screen: a prompt would stand in the picture."""

_LAST_WORDS = 0.2
"""Seconds that a terminal has to take what is left when the console leaves it."""


class TerminalDriver(LinuxDriver):
    """Reads keys and sizes; Textual's own reader dies of one byte that is not UTF-8.

    It also reads for ever, on all of a core, once the terminal is gone without a signal, and its
    writer blocks the application when the terminal takes no more.
    """

    _link: TerminalWriter | None = None
    _bell: tuple[int, int] | None = None
    """A pipe that wakes the reader of keys: to look now and then would cost more than all else."""
    _active = False

    def start_application_mode(self) -> None:
        """Take the terminal over, through a link of our own if there can be one."""
        self._active = True
        self._bell = self._bell or os.pipe()
        self._connect()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._heed_resizes()
        self._redraw()

    def stop_application_mode(self) -> None:
        """Give the terminal back, even one that takes no more of the picture."""
        self._active = False
        if self._link is not None and not self._link.drain(_LAST_WORDS):
            self._link.discard()
        self.write(f"{RESET}{_CLEAR}")
        super().stop_application_mode()

    def disable_input(self) -> None:
        """Read no more keys."""
        if self._bell is None:
            return
        os.write(self._bell[1], b".")
        super().disable_input()
        for descriptor in self._bell:
            os.close(descriptor)
        self._bell = None

    def resume_application_mode(self) -> None:
        """Take the terminal over again; one that we never left is only drawn anew."""
        if self._active:
            self._redraw()
        else:
            super().resume_application_mode()

    def _sigtstp_application(self, *_: object) -> None:
        """Stop between two steps of the loop: a signal may come in the middle of a frame.

        While another program has the terminal there are no steps, and no frames.
        """
        if self._auto_restart:
            self._loop.call_soon_threadsafe(super()._sigtstp_application)
        else:
            super()._sigtstp_application()

    def _sigcont_application(self, *_: object) -> None:
        """Go on between two steps of the loop."""
        if self._auto_restart:
            self._loop.call_soon_threadsafe(super()._sigcont_application)

    def close(self) -> None:
        """Send what is left, and no more."""
        if self._link is not None and not self._link.is_lost:
            self._link.drain(_LAST_WORDS)
            self._link.close()
        super().close()

    def write(self, data: str) -> None:
        """Send what is no picture: modes, questions, the clipboard."""
        if self._link is None:
            super().write(data)
        elif threading.current_thread() is threading.main_thread():
            self._link.write(data.encode())
        else:
            self._loop.call_soon_threadsafe(self._link.write, data.encode())

    def _connect(self) -> None:
        """Without a link Textual draws, as it does everywhere else."""
        if not isinstance(self._app, DiffRenderedApp):
            return
        descriptor = None
        if self._file is not None and not mismatch(self._app):
            descriptor = reopen(self._file.fileno())
        self._link = None if descriptor is None else TerminalWriter(descriptor, self._loop)
        self._app.connect(self._link)

    def _heed_resizes(self) -> None:
        """Whoever resizes a terminal moves what is on it, also when the size comes back."""
        before = signal.getsignal(signal.SIGWINCH)

        def resized(number: int, frame: FrameType | None) -> None:
            self._redraw()
            if callable(before):
                before(number, frame)

        signal.signal(signal.SIGWINCH, resized)

    def _redraw(self) -> None:
        if isinstance(self._app, DiffRenderedApp):
            size = self._get_terminal_size()
            self._loop.call_soon_threadsafe(self._app.distrust, size)

    def run_input_thread(self) -> None:
        """Read keys until the application ends, or the terminal does."""
        keys = _Keys(debug=self._debug)
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            if self._bell is not None:
                selector.register(self._bell[0], selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(_SOON if keys.is_waiting else None)
                if any(key.fd == self.fileno for key, _ in ready):
                    data = self._read()
                    if not data:
                        self._app.call_later(self._app.exit)
                        break
                    self._process(keys.feed(data))
                self._process(keys.tick())

    def _get_terminal_size(self) -> tuple[int, int]:
        """Ask the terminal: exported COLUMNS and LINES stay what they were when it is resized."""
        try:
            size = os.get_terminal_size(self.fileno)
        except OSError:
            return super()._get_terminal_size()
        return size.columns or 80, size.lines or 24

    def _read(self) -> bytes:
        """What was typed; nothing when the terminal is gone."""
        try:
            return os.read(self.fileno, _CHUNK)
        except OSError:
            return b""

    def _process(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if isinstance(message, events.Key) and message.key == _ANSWERED:
                if self._link is not None:
                    self._loop.call_soon_threadsafe(self._link.answered)
            else:
                self.process_message(message)


class _Parser(XTermParser):
    """Knows the answer to our question; to Textual it would be keys that a person pressed."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:  # noqa: FBT001, FBT002 - as it is there
        if sequence == ANSWER:
            return (events.Key(_ANSWERED, None),)
        return super()._sequence_to_key_events(sequence, alt)


class _Keys:
    """Textual's parser of keys; what it cannot read is dropped, with what was typed beside it."""

    def __init__(self, *, debug: bool) -> None:
        self._debug = debug
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode
        self._parser = _Parser(debug)

    def feed(self, data: bytes) -> list[Message]:
        """The keys in these bytes; half a sequence waits for its other half."""
        try:
            return list(self._parser.feed(self._decode(data)))
        except (ValueError, OverflowError, EOFError, ParseError):
            self._parser = _Parser(self._debug)
            return []

    @property
    def is_waiting(self) -> bool:
        """Whether time alone may make a key of what was typed: Escape, when nothing follows."""
        return self._parser._timeout_time is not None  # noqa: SLF001 - pinned to this Textual

    def tick(self) -> list[Message]:
        """What is a key by itself because nothing came after it."""
        return list(self._parser.tick())
