"""A console in a pseudo terminal: what a person types, and every byte that comes back."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

STUB = str(Path(__file__).with_name("stub.py"))

RESTORED = b"\x1b[?1049l"
"""Back from the alternate screen."""

PATIENCE = 20.0
"""Seconds after which a test gives up waiting; a loaded machine is slow."""


class Terminal:
    """A child process with a terminal of its own; `output` grows as it is read."""

    def __init__(
        self,
        *args: str,
        cells: int = 80,
        rows: int = 24,
        environ: dict[str, str] | None = None,
        ignore_hangup: bool = False,
    ) -> None:
        self.output = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if ignore_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | (environ or {})
            command = [sys.executable, *(args or (STUB, "small"))]
            os.execv(command[0], command)  # noqa: S606 - the console under test
        self.set_size(cells, rows)

    def set_size(self, cells: int, rows: int) -> None:
        """Tell the terminal its size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cells, 0, 0))

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds, until nothing more can come."""
        found, end = b"", time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            data = self._some(left)
            if data is None:
                break
            found += data
        return found

    def _some(self, seconds: float) -> bytes | None:
        """What is there as soon as anything is; None when nothing can come any more."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.fd, 65_536)
        except OSError:
            return None
        self.output += data
        return data or None

    def quiet(self, seconds: float) -> bytes:
        """What comes until nothing came for so many seconds."""
        found = b""
        while data := self._some(seconds):
            found += data
        return found

    def wait_for(self, text: bytes) -> None:
        """Read until the text came; AssertionError with the end of what came when it does not."""
        end = time.monotonic() + PATIENCE
        while text not in self.output and time.monotonic() < end:
            if self._some(0.5) is None:
                break
        assert text in self.output, self.output[-2_000:]

    def type(self, keys: bytes) -> None:
        """Type."""
        os.write(self.fd, keys)

    def ask(self, keys: bytes, text: bytes) -> None:
        """Type, and wait for a text that was not there before."""
        self.output = b""
        self.type(keys)
        self.wait_for(text)

    def resize(self, cells: int, rows: int) -> None:
        """Change the size, as a person does with the mouse."""
        self.set_size(cells, rows)
        os.kill(self.pid, signal.SIGWINCH)

    def ended(self) -> int:
        """The exit code; a signal is negative. Kills it and fails when it does not end."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("still running")

    def hang_up(self) -> None:
        """Take the terminal away."""
        os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        """Leave nothing behind."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.fd >= 0:
            os.close(self.fd)
