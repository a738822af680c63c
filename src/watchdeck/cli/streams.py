"""The standard output of a command: what it cannot encode, and what cannot be written to it."""

from __future__ import annotations

import errno
import io
import os
import sys

from watchdeck.errors import WatchdeckError

CLOSED_CODE = 141
"""The exit code after OutputClosed, as of a program that SIGPIPE ends: no command's result."""


class OutputError(WatchdeckError):
    """The output cannot be written, as on a full disk."""

    exit_code = 3


class OutputClosed(Exception):
    """The program that reads the output has ended, as `head` does: the command ends as quietly."""


class OutputStream(io.TextIOWrapper):
    """The standard output; it writes a `?` for each character that its encoding lacks.

    Raises OutputError or OutputClosed when it cannot be written, for OSError may be of any file;
    and again at every write after that, for click tries out a stream and ignores what it raises.
    """

    _failure: OutputError | OutputClosed | None = None

    def write(self, text: str, /) -> int:
        """Write a text, at the latest when the stream is flushed."""
        if self._failure is not None:
            raise self._failure
        try:
            return super().write(text)
        except OSError as error:
            raise self._fail(error) from None

    def flush(self) -> None:
        """Write all that waits."""
        try:
            super().flush()
        except OSError as error:
            raise self._fail(error) from None

    def _fail(self, error: OSError) -> OutputError | OutputClosed:
        """Throw away what cannot be written, which the end of the process would try again."""
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - the name of a device
            os.dup2(nowhere.fileno(), self.fileno())
        is_closed = error.errno == errno.EPIPE
        text = f"the output cannot be written: {error.strerror}."
        self._failure = OutputClosed() if is_closed else OutputError(text)
        return self._failure


def use_output_stream() -> OutputStream | None:
    """Replace the standard output by an OutputStream; None when there is none, or no file."""
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper):
        return None
    stream.flush()
    sys.stdout = OutputStream(
        stream.buffer,
        stream.encoding,
        "replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    return sys.stdout


def encodable(text: str) -> str:
    """The text as the output shows it: with a `?` for each character that it cannot encode."""
    encoding = _encoding()
    return text.encode(encoding, "replace").decode(encoding)


def is_encodable(text: str) -> bool:
    """Whether the output can encode every character of a text."""
    try:
        text.encode(_encoding())
    except UnicodeEncodeError:
        return False
    return True


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "utf-8"
