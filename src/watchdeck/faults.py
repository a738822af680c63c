"""Unexpected exceptions in endless loops: caught, logged with their place, and counted."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from watchdeck.logs import FailureEvents, FailureLog, describe_fault

_log = logging.getLogger(__name__)

_FAULTS = FailureEvents(
    "loop", "unexpected exception", "loop runs again without exceptions", logging.ERROR
)
_PART_FAULTS = FailureEvents("loop", "unexpected exception", level=logging.ERROR)
"""Faults that a loop records itself: no later turn says that their part works again."""


LASTING_FAULTS = 3
"""Faults in a row after which a loop counts as failing, which raises an alert."""


class FaultCounter:
    """Catches the exceptions of each turn of an endless loop, so that none ends the loop.

    `count` is the number of faults since the start; `problem` describes the newest one, and is
    empty after a turn without a fault. `lasting` is that text from the third fault in a row on.
    """

    def __init__(self, loop: str) -> None:
        self._loop = loop
        self._log = FailureLog(_log, _FAULTS)
        self._part_log = FailureLog(_log, _PART_FAULTS)
        self.count = 0
        self.problem = ""
        self._in_a_row = 0

    @property
    def lasting(self) -> str:
        """The problem, once `LASTING_FAULTS` turns in a row had one; else empty."""
        return self.problem if self._in_a_row >= LASTING_FAULTS else ""

    @contextmanager
    def catch(self) -> Iterator[None]:
        """Context manager around one turn: logs and counts an exception; cancellation passes."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a turn that fails must not end the loop
            self._log.record_failure(self._loop, fault=self._count(error, self._loop))
        else:
            self.problem = ""
            self._in_a_row = 0
            self._log.record_success(self._loop)

    def record(self, error: BaseException, turn: str = "") -> None:
        """Count and log a fault; `turn` names the failed part of a loop that has several."""
        what = turn or self._loop
        self._part_log.record_failure(what, fault=self._count(error, what))

    def _count(self, error: BaseException, what: str) -> str:
        """Count a fault and describe it in `problem`; returns its type and place."""
        self.count += 1
        self._in_a_row += 1
        fault = describe_fault(error)
        self.problem = f"{what} failed with {fault} ({self.count} so far)"
        return fault
