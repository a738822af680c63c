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
    """Reads keys; Textual's own reader dies of one byte that is not UTF-8.

    It also reads for ever, on all of a core, once the terminal is gone without a signal.
    """

    def run_input_thread(self) -> None:
        """Read keys until the application ends, or the terminal does."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1):
                    data = self._read()
                    if not data:
                        self._app.call_from_thread(self._app.exit)
                        break
                    self._process(parser.feed(decode(data)))
                self._process(parser.tick())
        self._flush(parser)

    def _read(self) -> bytes:
        """What was typed; nothing when the terminal is gone."""
        try:
            return os.read(self.fileno, _CHUNK)
        except OSError:
            return b""

    def _process(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)

    def _flush(self, parser: XTermParser) -> None:
        try:
            self._process(parser.feed(""))
        except (EOFError, ParseError):
            return
