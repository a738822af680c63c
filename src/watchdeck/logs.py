"""The log of the collector: one line an event, with fields, cleaned, rate-limited, no secret.

Modules log with the standard library and give an event's fields as `extra=fields(channel=name)`.
Nothing is written before `configure`, which only the collector calls: other commands draw on the
same terminal.
"""

import logging
import os
import re
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from msgspec import Struct

from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.text import clean
from watchdeck.failure_limiter import CROWD, FORGET_AFTER, MAX_ENDLESS, FailureLimiter, Repetition
from watchdeck.redaction import redact

_log = logging.getLogger(__name__)

LEVELS = ("debug", "info", "warning", "error")
"""The values of `collect --log-level`."""

_VALUE_LIMIT = 400
_LINE_LIMIT = 1_000
"""Characters; a line of 4-byte characters then has 4 kB, which a pipe takes whole or not at all."""


def fields(**values: object) -> dict[str, dict[str, object]]:
    """The `extra=` of an event: its fields in order; those that are None or empty are left out."""
    return {"fields": values}


def describe_fault(error: BaseException) -> str:
    """The type and place of a fault, never its text, which may hold a secret or untrusted bytes."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def monotonic_clock() -> int:
    """The monotonic clock in ms."""
    return time.monotonic_ns() // 1_000_000


class FailureEvents(Struct, frozen=True):
    """The two messages about a kind of subject, and the field that names the subject."""

    subject: str
    fails: str
    works: str = ""
    """The message of the end; empty for failures without one."""
    level: int = logging.WARNING


class FailureLog:
    """Logs failures of many subjects, rate-limited, and that a subject works again.

    It is not safe for several threads: each has its own.
    """

    def __init__(
        self,
        logger: logging.Logger,
        events: FailureEvents,
        clock: Callable[[], int] = monotonic_clock,
    ) -> None:
        self._logger = logger
        self._events = events
        endless = FailureLimiter(FORGET_AFTER, MAX_ENDLESS)
        self._limiter = FailureLimiter() if events.works else endless
        self._clock = clock

    def record(self, subject: str, problem: str, **values: object) -> None:
        """Record the result of one attempt: a failure unless `problem` is empty."""
        if problem:
            self.record_failure(subject, problem=problem, **values)
        else:
            self.record_success(subject)

    def record_failure(self, subject: str, **values: object) -> None:
        """Log a failure, if the rate limit allows; `values` are the fields of the line."""
        found = self._limiter.record_failure(subject, self._clock())
        if found is not None:
            named = {self._events.subject: subject, **values, **_repetition_fields(found)}
            self._logger.log(self._events.level, self._events.fails, extra=fields(**named))

    def record_success(self, subject: str, **values: object) -> None:
        """Log that a subject works again, if a line says that it fails."""
        found = self._limiter.record_success(subject, self._clock())
        if found is not None and self._events.works:
            past = {"failures": found.count, "lasted": format_duration(found.lasted)}
            named = {self._events.subject: subject, **values, **past}
            self._logger.info(self._events.works, extra=fields(**named))


def _repetition_fields(found: Repetition) -> dict[str, object]:
    """The fields of a failure that is not the first, or not the only one."""
    return {
        "count": found.count if found.count > 1 else None,
        "left_out": found.left_out or None,
        "failing": found.failing if found.failing > CROWD else None,
    }


class LineFormatter(logging.Formatter):
    """Formats an event as one line: `message key=value ...`, whatever its texts contain.

    For the journal a line begins with its priority (sd-daemon(3)); else with the time and level.
    Addresses lose all that follows `://`. A message from a library is named by its place alone,
    because apprise puts tokens into its texts; an exception by its type and place.
    """

    def __init__(self, *, for_journal: bool) -> None:
        super().__init__()
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record, without a line end."""
        prefix = f"<{_priority(record.levelno)}>" if self._for_journal else _time_and_level(record)
        words = [_hide_addresses(_message(record), _VALUE_LIMIT)]
        for name, value in _fields(record).items():
            if value is not None and value != "":
                words.append(f"{name}={_format_value(value)}")
        return prefix + clean(" ".join(words), _LINE_LIMIT)


_CONSTANT = ("asyncio",)
"""Loggers of libraries whose messages begin with a line that is the same text each time."""


def _is_own(record: logging.LogRecord) -> bool:
    return record.name.split(".")[0] == "watchdeck"


def _message(record: logging.LogRecord) -> str:
    return str(record.msg) if _is_own(record) else "a library reports a problem"


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    if _is_own(record):
        found: dict[str, Any] = dict(getattr(record, "fields", {}))
    else:
        found = _library_fields(record)
    if record.exc_info and record.exc_info[1] is not None:
        found["fault"] = describe_fault(record.exc_info[1])
    return found


def _library_fields(record: logging.LogRecord) -> dict[str, Any]:
    text = str(record.msg).partition("\n")[0] if record.name in _CONSTANT else None
    place = {"logger": record.name, "at": f"{record.filename}:{record.lineno}", "problem": text}
    return place | getattr(record, "repetition", {})


_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""The lowest level of each priority of syslog(3)."""


def _priority(level: int) -> int:
    return next((priority for least, priority in _PRIORITIES if level >= least), 7)


def _time_and_level(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return f"{moment.removesuffix('+00:00')}Z {record.levelname} "


_ADDRESS = re.compile(r"([A-Za-z0-9+.-]{0,40})://\S*")


def _hide_addresses(text: str, limit: int) -> str:
    """The cleaned text without secrets, and with `scheme://…` for each address.

    Of some services the host is secret.
    """
    shown = redact(text[: 4 * limit])  # before it is cut: a part of a secret cannot be found
    return clean(_ADDRESS.sub(r"\1://…", shown[: 2 * limit]), limit)


_PLAIN = re.compile(r"[^\s\"=\\]+")


def _format_value(value: object) -> str:
    """A value as one word; quoted when it has a blank, a quote, an equals sign or a backslash."""
    text = _hide_addresses(str(value), _VALUE_LIMIT)
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a stream, and never blocks or raises: a log must not stop the collector.

    A line is dropped while the reader of a pipe or socket does not read; the next line says how
    many were. The messages of libraries are rate-limited by their place in the code.
    """

    def __init__(self, stream: TextIO, *, for_journal: bool) -> None:
        super().__init__(stream)
        self.setFormatter(LineFormatter(for_journal=for_journal))
        self._dropped = 0
        self._libraries = FailureLimiter(FORGET_AFTER, MAX_ENDLESS)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of a record, if the rate limit and the stream allow it now."""
        if not _is_own(record):
            place = f"{record.name} {record.filename}:{record.lineno}"
            found = self._libraries.record_failure(place, monotonic_clock())
            if found is None:
                return
            record.repetition = _repetition_fields(found)
        if not _is_writable(self.stream):
            self._dropped += 1
            return
        dropped, self._dropped = self._dropped, 0
        if dropped:
            super().emit(_dropped_record(dropped))
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's
        """Ignore a stream that cannot be written: there is no other place to report it to."""


def _dropped_record(count: int) -> logging.LogRecord:
    message = "log lines were dropped: their reader was too slow"
    record = logging.LogRecord(__name__, logging.WARNING, "", 0, message, None, None)
    record.fields = {"lines": count}
    return record


def _is_writable(stream: TextIO) -> bool:
    """Whether a write of one line would not block; also true where this cannot be known."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), select.POLLOUT)
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return True


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether systemd connected this stream to the journal, by its JOURNAL_STREAM variable."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def configure(level: str = "info", environ: Mapping[str, str] = os.environ) -> None:
    """Write the log of this process to stderr: watchdeck's from `level`, libraries' warnings."""
    root = logging.getLogger()
    root.addHandler(LogHandler(sys.stderr, for_journal=is_journal(sys.stderr, environ)))
    root.setLevel(logging.WARNING)
    logging.getLogger("watchdeck").setLevel(level.upper())
    threading.excepthook = _log_thread_end


def _log_thread_end(end: threading.ExceptHookArgs) -> None:
    found = fields(thread=end.thread and end.thread.name)
    error = (end.exc_type, end.exc_value or end.exc_type(), end.exc_traceback)
    _log.critical("a thread ended with an exception", extra=found, exc_info=error)


def discard() -> None:
    """Write no log in this process unless it calls `configure`.

    Without a handler Python prints warnings to stderr, where the console draws.
    """
    logging.getLogger().addHandler(logging.NullHandler())
