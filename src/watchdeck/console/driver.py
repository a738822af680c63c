"""Textual's terminal driver, made to survive bad bytes and a terminal that went away."""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder
from collections.abc import Iterable

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_CHUNK = 4_096


class Terminal(LinuxDriver):
    """Reads keys and sizes; Textual's own reader dies of one byte that is not UTF-8.

    It also reads for ever, on all of a core, once the terminal is gone without a signal.
    """

    def run_input_thread(self) -> None:
        """Read keys until the application ends, or the terminal does."""
        keys = _Keys(debug=self._debug)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1):
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
            self.process_message(message)


class _Keys:
    """Textual's parser of keys; what it cannot read is dropped, with what was typed beside it."""

    def __init__(self, *, debug: bool) -> None:
        self._debug = debug
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode
        self._parser = XTermParser(debug)

    def feed(self, data: bytes) -> list[Message]:
        """The keys in these bytes; half a sequence waits for its other half."""
        try:
            return list(self._parser.feed(self._decode(data)))
        except (ValueError, OverflowError, EOFError, ParseError):
            self._parser = XTermParser(self._debug)
            return []

    def tick(self) -> list[Message]:
        """What is a key by itself because nothing came after it."""
        return list(self._parser.tick())
