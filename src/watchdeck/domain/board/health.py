"""Health: the one word for a model's state, and why."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Health(StrEnum):
    """The state of a model; `unknown` is never ok."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    DOWN = "down"
    UNKNOWN = "unknown"


WORST_FIRST = (Health.DOWN, Health.CRITICAL, Health.UNKNOWN, Health.WARNING, Health.OK)
"""The order of a list for a person who has ten seconds."""


class HealthResult(Struct, frozen=True):
    """A health and its reason: `cause` is the short name that stays while the numbers move."""

    health: Health
    cause: str
    why: str


class HealthChange(Struct, frozen=True):
    """A model's health and its reason from `at` (milliseconds UTC) until the next change.

    `since` is when the health began, where only its reason changed at `at`.
    """

    endpoint: str
    at: int
    health: Health
    cause: str
    why: str
    since: int | None = None

    @property
    def began(self) -> int:
        """When the health began, whatever its reasons since."""
        return self.at if self.since is None else self.since
