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
    """The table [console]: colours, glyphs, keys, columns and filters."""

    theme: str = "dark"
    glyphs: str = "auto"
    """Characters of charts, one of GLYPHS."""
    layout: str = ""
    columns: tuple[str, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)
    """Keys that replace the default keys of a binding, by its id."""
    filters: dict[str, str] = field(default_factory=dict)
    """Saved filters by name."""
    slow_link: bool | None = None
    """Whether the terminal's link is slow; None measures it."""
    bell: bool = False
    """Whether the terminal bell rings when a new alert pages."""
    notices: str = ""
    """Escape sequence of a desktop notification when a new alert pages, one of NOTICES."""


NOTICES = ("", "osc9", "osc777")
"""Escape sequences by which a terminal shows a desktop notification; empty for none."""

GLYPHS = ("auto", "braille", "block", "ascii")
"""Characters that charts are drawn with."""


class Retention(Struct, frozen=True):
    """How long raw samples and rollups are stored, and the most bytes of the whole store."""

    raw: Milliseconds = Milliseconds(30 * 86_400_000)
    rollups: Milliseconds = Milliseconds(396 * 86_400_000)
    budget: Bytes = Bytes(1 << 30)


class Settings(Struct, frozen=True):
    """A whole configuration; the fields are the tables and keys of the file."""

    endpoint: tuple[Endpoint, ...] = ()
    store: str | None = None
    retention: Retention = field(default_factory=Retention)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    rule: tuple[RuleText, ...] = ()
    """Rules of the configuration, then those of the files in `rules/`."""
    alerts: Alerts = field(default_factory=Alerts)
    maintenance: tuple[MaintenanceText, ...] = ()
    intake: Intake | None = None
    alertmanager: tuple[Alertmanager, ...] = ()
    channel: tuple[Channel, ...] = ()
    route: tuple[Route, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    rota: tuple[OnCallSchedule, ...] = ()
    heartbeat: Heartbeat | None = None
