"""The whole configuration as one type, with the settings of the store and of the console."""

from msgspec import Struct, field

from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.settings.intake import Alertmanager, Intake
from watchdeck.domain.settings.receivers import (
    Channel,
    Escalation,
    Heartbeat,
    OnCallSchedule,
    Route,
)
from watchdeck.domain.settings.rules import Alerts, MaintenanceText, RuleText
from watchdeck.domain.values.units import Bytes, Milliseconds


class ConsoleSettings(Struct, frozen=True):
    """Colours, glyphs, keys, columns and filters of the console."""

    theme: str = "dark"
    """Name of a theme, shipped or a file `NAME.toml` in `watchdeck/themes` of the XDG configuration
    directory."""
    glyphs: str = "auto"
    """Characters that charts are drawn with; `auto` asks the terminal."""
    layout: str = ""
    """Arrangement of the panels; empty for `auto`, which follows the size of the terminal."""
    columns: tuple[str, ...] = ()
    """Columns of the models table, in this order; empty for the default ones."""
    keys: dict[str, str] = field(default_factory=dict)
    """Keys that replace the default keys of a binding, by the id of the binding
    (`watchdeck help keys`); several have a comma between."""
    filters: dict[str, str] = field(default_factory=dict)
    """Saved filters of models and alerts by name; `@NAME` uses one (`watchdeck help filter`)."""
    slow_link: bool | None = None
    """Whether the terminal's link is slow; it is measured when this is not set."""
    bell: bool = False
    """Whether the terminal bell rings when a new alert pages."""
    notices: str = ""
    """Escape sequence of a desktop notification when a new alert pages; empty for none."""


NOTICES = ("", "osc9", "osc777")
"""Escape sequences by which a terminal shows a desktop notification; empty for none."""

GLYPHS = ("auto", "braille", "block", "ascii")
"""Characters that charts are drawn with."""


class Retention(Struct, frozen=True):
    """How long raw samples and rollups are stored, and the most bytes of the whole store."""

    raw: Milliseconds = Milliseconds(30 * 86_400_000)
    """How long every sample is stored."""
    rollups: Milliseconds = Milliseconds(396 * 86_400_000)
    """How long hourly aggregates are stored; at least as long as `raw`."""
    budget: Bytes = Bytes(1 << 30)
    """Limit of the whole store on disk; the oldest samples are deleted above it."""


class Settings(Struct, frozen=True):
    """A whole configuration; the fields are the tables and keys of the file."""

    endpoint: tuple[Endpoint, ...] = ()
    """Models and other pages to watch."""
    store: str | None = None
    """Directory of the store; when not set, `watchdeck` in the XDG state directory."""
    retention: Retention = field(default_factory=Retention)
    """How long samples are stored, and how large the store may grow."""
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    """Colours, keys, columns and filters of the console."""
    rule: tuple[RuleText, ...] = ()
    """Alerting rules; those in `rules/*.toml` beside the configuration are added."""
    alerts: Alerts = field(default_factory=Alerts)
    """Whether the built-in rules apply, and which rules are switched off."""
    maintenance: tuple[MaintenanceText, ...] = ()
    """Planned work, during which nobody is notified."""
    intake: Intake | None = None
    """HTTP server for the alerts of other systems; not started when not set."""
    alertmanager: tuple[Alertmanager, ...] = ()
    """Alertmanagers that are polled for their alerts."""
    channel: tuple[Channel, ...] = ()
    """Destinations of notifications."""
    route: tuple[Route, ...] = ()
    """Which alerts go to which channels; without one, every page goes to every channel."""
    escalation: tuple[Escalation, ...] = ()
    """Whom to notify next when nobody acknowledges."""
    rota: tuple[OnCallSchedule, ...] = ()
    """On-call schedules."""
    heartbeat: Heartbeat | None = None
    """Periodic request to an outside monitor; not sent when not set."""
