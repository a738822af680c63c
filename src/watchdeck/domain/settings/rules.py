"""Rules and maintenance windows as the configuration writes them, before they are parsed."""

from typing import ClassVar

from msgspec import Struct

from watchdeck.domain.values.units import Milliseconds


class RuleText(Struct, frozen=True):
    """One [[rule]] table as written; a key that was not written is None.

    A rule with the name of a built-in rule changes only the keys it writes.
    """

    name: str
    when: str | None = None
    severity: int | None = None
    for_: Milliseconds | None = None
    resolve_for: Milliseconds | None = None
    min_samples: int | None = None
    no_data: str | None = None
    no_data_after: Milliseconds | None = None
    match: tuple[str, ...] | None = None
    labels: dict[str, str] | None = None
    family: str | None = None
    playbook: str | None = None
    runbook: str | None = None
    message: str | None = None
    group_by: tuple[str, ...] | None = None
    enabled: bool | None = None
    origin: str = ""
    """The file of the rule."""
    place: str = ""
    """The position of the rule in its file."""

    UNWRITTEN: ClassVar[frozenset[str]] = frozenset({"origin", "place"})
    """Fields that are not keys of the configuration."""


class RuleFile(Struct, frozen=True):
    """The rules of one file in `rules/`."""

    rule: tuple[RuleText, ...] = ()


class Alerts(Struct, frozen=True):
    """Settings of all alerts: whether the built-in rules apply, and the rules switched off."""

    pack: bool = True
    disable: tuple[str, ...] = ()


class MaintenanceText(Struct, frozen=True):
    """One [[maintenance]]: recurring, by `hours` and `days`, or once, from `starts` to `ends`."""

    name: str
    match: tuple[str, ...]
    reason: str = ""
    hours: str = ""
    """Hours of the day in `zone`, such as `22:00-04:00`."""
    days: str = ""
    """Days of the week, `mon-fri` or `sat, sun`."""
    weeks: tuple[str, ...] = ()
    """Weeks of the month: `first` to `fourth`, and `last`."""
    zone: str = "UTC"
    starts: str | None = None
    """Start such as `2026-12-24T09:00`, in `zone` unless the text has a UTC offset."""
    ends: str | None = None
    """End, written as `starts`."""
