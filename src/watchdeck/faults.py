"""Unexpected exceptions in endless loops: caught, logged with their place, and counted."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_log = logging.getLogger(__name__)


class FaultCounter:
    """Catches the exceptions of each turn of an endless loop, so that none ends the loop.

    `count` is the number of faults since the start; `problem` describes the newest one, and is
    empty after a turn without a fault.
    """

    def __init__(self, loop: str) -> None:
        self._loop = loop
        self.count = 0
        self.problem = ""

    @contextmanager
    def catch(self) -> Iterator[None]:
        """Context manager around one turn: logs and counts an exception; cancellation passes."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a turn that fails must not end the loop
            self.record(error)
        else:
            self.problem = ""

    def record(self, error: BaseException, turn: str = "") -> None:
        """Count and log a fault; `turn` names the failed part of a loop that has several."""
        self.count += 1
        what = turn or self._loop
        self.problem = f"{what} failed with {describe_fault(error)} ({self.count} so far)"
        _log.error("%s", self.problem)


def describe_fault(error: BaseException) -> str:
    """The type and place of a fault, never its text, which may hold a secret or untrusted bytes."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
