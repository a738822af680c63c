"""Rules and maintenance as a configuration writes them, before they are read for what they mean."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from watchdeck.domain.values.units import Milliseconds


class RuleText(Struct, frozen=True):
    """One [[rule]]; a part that is None was not written.

    A rule with the name of one of the pack changes just what it writes. `origin` is the file it
    stands in, and `place` where in it.
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
    place: str = ""

    UNWRITTEN: ClassVar[frozenset[str]] = frozenset({"origin", "place"})
    """Fields that no file sets."""


class RuleFile(Struct, frozen=True):
    """A file in `rules/`."""

    rule: tuple[RuleText, ...] = ()


class Alerts(Struct, frozen=True):
    """What a configuration says of all alerts: whether the pack holds, and which rules do not."""

    pack: bool = True
    disable: tuple[str, ...] = ()


class MaintenanceText(Struct, frozen=True):
    """One [[maintenance]]: every day of `days` at `hours`, or once from `starts` until `ends`.

    `hours` is `22:00-04:00` on the wall clock of `zone`, `days` is `mon-fri` or `sat, sun`, and
    `weeks` are those of the month, `first` to `fourth` and `last`. `starts` and `ends` are
    `2026-12-24T09:00`, of the zone too, unless they have one of their own.
    """

    name: str
    match: tuple[str, ...]
    reason: str = ""
    hours: str = ""
    days: str = ""
    weeks: tuple[str, ...] = ()
    zone: str = "UTC"
    starts: str | None = None
    ends: str | None = None
