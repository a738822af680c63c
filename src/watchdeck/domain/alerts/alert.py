"""Alerts: what somebody has to know of, in three axes that are never mixed.

The condition is the truth, handling is what people did about it, and muting is who wants to be
left alone. What a screen shows is derived from the three.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from watchdeck.domain.values.severity import Severity

OURS = "watchdeck"
"""The source of alerts that our own rules raise; a configuration names all others."""


UNDO = 10_000
"""For so long (ms) what somebody did can be taken back, and nobody outside is told of it."""


class AlertState(StrEnum):
    """How far an episode is; `ok` is its end."""

    PENDING = "pending"
    FIRING = "firing"
    CLEARING = "clearing"
    OK = "ok"


class DataState(StrEnum):
    """Whether the samples that an episode is judged by still come.

    `stale` is what a restart makes of everything until a sample proves better.
    """

    FRESH = "fresh"
    STALE = "stale"
    NONE = "none"


class EndReason(StrEnum):
    """Why an episode is over: never for want of data."""

    CLEARED = "cleared"
    DROPPED = "dropped"
    SOURCE = "resolved by its source"
    MANUAL = "manual"
    WITHDRAWN = "withdrawn"


class Alert(Struct, frozen=True):
    """The identity of an alert: it stays the same however often it fires.

    `rule` is the name of the rule or, of a foreign alert, its alertname; `model` is the endpoint it
    is about, empty when none is known.
    """

    id: int
    source: str
    fingerprint: str
    rule: str
    model: str
    labels: dict[str, str] = field(default_factory=dict)


class Episode(Struct, frozen=True):
    """One time that an alert was raised; times in ms UTC, durations in ms.

    `started_at` is when it first was true. `observed` is for how long it was seen to be true while
    pending: silence stops that clock and does not set it back. `false_for` is for how long fresh
    samples have been false. `seen_at` is the sample it was last judged by. `recent` holds the
    newest twenty samples as bits, the newest lowest: whether each was another than the one before.
    `fired_at` is when it last began to fire, and `paged_at` since when people are told of it and
    nobody has it. `worse_at` is when its severity last rose: no silence from before holds, unless
    it names severities. `flapped_at` is when it last began to flap. `escalated` is how many steps
    of its escalation were taken.
    """

    id: int
    alert: int
    started_at: int
    condition: AlertState
    severity: Severity
    peak_severity: Severity
    data: DataState = DataState.FRESH
    value: float | None = None
    peak: float | None = None
    limit: float | None = None
    why: str = ""
    observed: int = 0
    false_for: int = 0
    samples: int = 0
    seen_at: int = 0
    fired_at: int | None = None
    ended_at: int | None = None
    end_reason: EndReason | None = None
    reopened: int = 0
    flapping: bool = False
    recent: int = 0
    truth: bool = True
    paged_at: int | None = None
    escalated: int = 0
    worse_at: int | None = None
    flapped_at: int | None = None
    rev: int = 1

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.ended_at is None

    @property
    def since(self) -> int:
        """When it last began to fire; while it never did, when it first was true."""
        return self.started_at if self.fired_at is None else self.fired_at


class AlertEvent(StrEnum):
    """What happened to an episode: the words of its history and of the audit."""

    PENDING = "alert.pending"
    FIRED = "alert.fired"
    DROPPED = "alert.dropped"
    CLEARING = "alert.clearing"
    FIRING_AGAIN = "alert.firing_again"
    NO_DATA = "alert.no_data"
    DATA_BACK = "alert.data_back"
    RESOLVED = "alert.resolved"
    REOPENED = "alert.reopened"
    WORSE = "alert.worse"
    BETTER = "alert.better"
    FLAPPING_ON = "alert.flapping_on"
    FLAPPING_OFF = "alert.flapping_off"
    HELD = "alert.resolve_held"


class Transition(Struct, frozen=True):
    """One step of an episode's life: what happened, when, and how the episode was after it."""

    verb: AlertEvent
    at: int
    episode: Episode
    why: str = ""


class AckEnd(StrEnum):
    """Why an acknowledgement is over."""

    EXPIRED = "expired"
    UNACKED = "unacked"
    WORSE = "severity rose"
    RESOLVED = "resolved"
    TAKEN_OVER = "taken over"
    UNDONE = "undone"


class Acknowledgement(Struct, frozen=True):
    """Somebody has an episode until `expires_at`; times in ms UTC. It always has an end."""

    id: int
    episode: int
    by: str
    at: int
    expires_at: int
    severity: Severity
    note: str = ""
    ended_at: int | None = None
    end_reason: AckEnd | None = None
    rev: int = 1


class Note(Struct, frozen=True):
    """What somebody wrote on an episode."""

    id: int
    episode: int
    at: int
    by: str
    text: str


class MuteKind(StrEnum):
    """Why nobody is told of an alert that is true."""

    SILENCE = "silence"
    MAINTENANCE = "maintenance"
    NO_DATA = "its model is down or silent"
    DEPENDENCY = "a model it depends on is in trouble"
    SOURCE = "suppressed by its source"


class Mute(Struct, frozen=True):
    """One reason why an alert is quiet; `by` names the silence, the maintenance or the model.

    `why` is who wanted it and what for, where somebody did.
    """

    kind: MuteKind
    by: str = ""
    until: int | None = None
    why: str = ""

    @property
    def words(self) -> str:
        """The reason in words: `silence 3`, `a model it depends on is in trouble: features`."""
        named = self.kind in (MuteKind.SILENCE, MuteKind.MAINTENANCE)
        return f"{self.kind}{' ' if named else ': '}{self.by}" if self.by else self.kind.value


class Feedback(StrEnum):
    """What somebody thought of an alert when it was over."""

    USEFUL = "useful"
    NOISE = "noise"
    LATE = "late"


class KnownIssue(Struct, frozen=True):
    """A known issue, first line of all alerts of a model or a rule until it expires."""

    id: int
    model: str
    rule: str
    text: str
    by: str
    at: int
    expires_at: int
    ended_at: int | None = None


class DisplayState(StrEnum):
    """The one word for an alert on a screen."""

    NO_DATA = "NO DATA"
    FLAPPING = "FLAPPING"
    FIRING = "FIRING"
    ACKED = "ACKED"
    MUTED = "MUTED"
    CLEARING = "CLEARING"
    PENDING = "PENDING"
    RESOLVED = "RESOLVED"


class ActiveAlert(Struct, frozen=True):
    """An alert as a board shows it: its identity, its newest episode, who has it, who hears of it.

    `hours` are the last 24 hours, the newest last: the share of each in which it was firing.
    """

    alert: Alert
    episode: Episode
    acknowledgement: Acknowledgement | None = None
    mutes: tuple[Mute, ...] = ()
    pins: tuple[KnownIssue, ...] = ()
    hours: tuple[float, ...] = ()
    notes: int = 0
    opinion: Feedback | None = None

    @property
    def shown(self) -> DisplayState:
        """The word for it: the first that holds, in the order of what must not be missed."""
        episode = self.episode
        if episode.condition is AlertState.OK:
            return DisplayState.RESOLVED
        if episode.data is DataState.NONE:
            return DisplayState.NO_DATA
        if episode.flapping:
            return DisplayState.FLAPPING
        if episode.condition is not AlertState.FIRING:
            return DisplayState(episode.condition.value.upper())
        if self.acknowledgement is not None:
            return DisplayState.ACKED
        return DisplayState.MUTED if self.mutes else DisplayState.FIRING
