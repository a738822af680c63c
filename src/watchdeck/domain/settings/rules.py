"""Rules and maintenance windows as the configuration writes them, before they are parsed."""

from typing import ClassVar

from msgspec import Struct

from watchdeck.domain.values.units import Milliseconds


class RuleText(Struct, frozen=True):
    """An alerting rule; with the name of a built-in rule, it changes only the keys that it writes.

    A key that was not written is None.
    """

    name: str
    """Name of the rule; that of a built-in rule changes the built-in rule."""
    when: str | None = None
    """Condition (`watchdeck help rules` has the grammar); needed unless the rule is built-in."""
    severity: int | None = None
    """1 to 4, 1 the worst; 1 and 2 page somebody, 3 and 4 are notices."""
    for_: Milliseconds | None = None
    """How long the condition must be true before the alert fires; instead of `for` in `when`."""
    resolve_for: Milliseconds | None = None
    """How long the condition must be false on fresh samples before the alert resolves."""
    min_samples: int | None = None
    """Fewest samples (of `burn`: probes or requests) in a window; with fewer nothing fires."""
    no_data: str | None = None
    """Effect of missing data; no choice resolves an alert without data."""
    no_data_after: Milliseconds | None = None
    """Time without samples after which `no_data` applies; when not set, three scrape intervals."""
    match: tuple[str, ...] | None = None
    """Matchers of labels (`watchdeck help filter`) that select the models; all when empty."""
    labels: dict[str, str] | None = None
    """Labels of the rule's alerts, in addition to those of the model."""
    family: str | None = None
    """Kind of trouble, by which `watchdeck rules list` groups the rules."""
    playbook: str | None = None
    """Name of a playbook, shown and sent with the alert; also its label `playbook`."""
    runbook: str | None = None
    """Address of a page for whoever is paged, shown and sent with the alert."""
    message: str | None = None
    """Text of the alert; `{model}`, `{value}`, `{limit}` and any label, such as `{owner}`, are
    filled in."""
    group_by: tuple[str, ...] | None = None
    """Labels by which alerts are grouped: those with equal values share a notification."""
    enabled: bool | None = None
    """False switches the rule off: it is listed, and not evaluated."""
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
    """Whether the built-in rules apply."""
    disable: tuple[str, ...] = ()
    """Names of rules that are switched off."""


class MaintenanceText(Struct, frozen=True):
    """Planned work: recurring, by `hours` and `days`, or once, from `starts` to `ends`."""

    name: str
    """Name on the alerts that the work mutes."""
    match: tuple[str, ...]
    """Matchers of labels; alerts that meet all of them are muted."""
    reason: str = ""
    """What is done, for whoever looks at a muted alert."""
    hours: str = ""
    """Hours on the clock of `zone`, such as `22:00-04:00`, also in the nights in which clocks
    change; needed for work that recurs."""
    days: str = ""
    """Days of the week, `mon-fri` or `sat, sun`; empty for all."""
    weeks: tuple[str, ...] = ()
    """Which of these days of a month count; all when empty."""
    zone: str = "UTC"
    """Time zone of all times of the work."""
    starts: str | None = None
    """Start such as `2026-12-24T09:00`, in `zone` unless the text has a UTC offset."""
    ends: str | None = None
    """End, written as `starts`."""
