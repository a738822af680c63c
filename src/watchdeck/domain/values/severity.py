"""How bad something is."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """How bad an alert is, 1 the worst; 1 and 2 page somebody, 3 and 4 are notices."""

    CRITICAL = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4

    @property
    def pages(self) -> bool:
        """Whether an alert of this severity sends a message to somebody's pager."""
        return self <= Severity.HIGH
