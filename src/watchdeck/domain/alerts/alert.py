"""Alerts and episodes; an episode's condition, its acknowledgement and its mutes are separate.

`DisplayState` combines the three into one word for the screens.
"""

from enum import StrEnum

from msgspec import Struct, field

from watchdeck.domain.rules.rule import Severity

OURS = "watchdeck"
"""The source of alerts of watchdeck's own rules; the configuration names all other sources."""

UNDO_WINDOW = 10_000
"""Time (ms) in which an action can be undone; notifications about it wait that long."""


class AlertState(StrEnum):
    """The state of an alert episode: pending, firing, clearing, or `ok` once it has ended."""

    PENDING = "pending"
    FIRING = "firing"
    CLEARING = "clearing"
    OK = "ok"


class DataState(StrEnum):
    """Whether samples arrive for an episode: `fresh`, `stale` (unknown since a restart), `none`.

    A collector that starts marks every open episode `stale`, until a new sample arrives.
    """

    FRESH = "fresh"
    STALE = "stale"
    NONE = "none"


class EndReason(StrEnum):
    """Why an episode ended; missing data never ends one.

    `dropped` means that its condition became false before it fired, `withdrawn` that its rule or
    model was removed.
    """

    CLEARED = "cleared"
    DROPPED = "dropped"
    SOURCE = "resolved by its source"
    MANUAL = "manual"
    WITHDRAWN = "withdrawn"


class Alert(Struct, frozen=True):
    """The identity of an alert, which all its episodes share."""

    id: int
    source: str
    fingerprint: str
    rule: str
    """The name of the rule; for an external alert, its `alertname`."""
    model: str
    """The endpoint that the alert is about; empty when unknown."""
    labels: dict[str, str] = field(default_factory=dict)


class Episode(Struct, frozen=True):
    """One time that an alert was pending or fired; times in ms UTC, durations in ms."""

    id: int
    alert: int
    started_at: int
    """When the condition was first true."""
    condition: AlertState
    severity: Severity
    peak_severity: Severity
    data: DataState = DataState.FRESH
    value: float | None = None
    peak: float | None = None
    limit: float | None = None
    why: str = ""
    observed: int = 0
    """How long samples were true while pending; missing samples pause this clock."""
    false_for: int = 0
    """How long fresh samples have been false."""
    samples: int = 0
    seen_at: int = 0
    """The time of the newest sample counted."""
    fired_at: int | None = None
    """When the episode last began to fire."""
    ended_at: int | None = None
    end_reason: EndReason | None = None
    reopened: int = 0
    flapping: bool = False
    recent: int = 0
    """One bit for each of the newest 20 samples, bit 0 the newest: 1 when `truth` changed."""
    truth: bool = True
    paged_at: int | None = None
    """When the escalation clock last started; None until the episode pages somebody."""
    escalated: int = 0
    """The number of escalation steps taken."""
    worse_at: int | None = None
    """When the severity last rose; an older silence no longer mutes, unless it names severities."""
    flapped_at: int | None = None
    """When the episode last began to flap."""
    firings: tuple[int, ...] = ()
    """The newest times at which the episode began to fire, oldest first: three at most."""
    muted_at: int | None = None
    """Since when the episode is muted; None when it is not. Its escalation clock stands still."""
    rev: int = 1

    @property
    def is_open(self) -> bool:
        """Whether the episode has not ended."""
        return self.ended_at is None

    @property
    def is_firing(self) -> bool:
        """Whether the episode is firing, or clearing: recovered, but not yet for long enough."""
        return self.condition in (AlertState.FIRING, AlertState.CLEARING)

    @property
    def since(self) -> int:
        """When the episode last began to fire (ms UTC); its start if it never fired."""
        return self.started_at if self.fired_at is None else self.fired_at


class AlertEvent(StrEnum):
    """What happened to an episode; the values are the names in its history and in the audit log."""

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
    """One event of an episode at `at` (ms UTC), and the episode as the event left it."""

    verb: AlertEvent
    at: int
    episode: Episode
    why: str = ""


class AckEnd(StrEnum):
    """Why an acknowledgement ended."""

    EXPIRED = "expired"
    UNACKED = "unacked"
    WORSE = "severity rose"
    RESOLVED = "resolved"
    TAKEN_OVER = "taken over"
    UNDONE = "undone"


class Acknowledgement(Struct, frozen=True):
    """An owner (`by`) of an episode until `expires_at`, which is always set; times in ms UTC."""

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
    """A note that somebody wrote on an episode."""

    id: int
    episode: int
    at: int
    by: str
    text: str


class MuteKind(StrEnum):
    """Why no notification is sent for an alert that fires."""

    SILENCE = "silence"
    MAINTENANCE = "maintenance"
    NO_DATA = "its model is down or silent"
    DEPENDENCY = "a model it depends on is in trouble"
    SOURCE = "suppressed by its source"


class Mute(Struct, frozen=True):
    """One reason why an alert is muted, until `until` (ms UTC; None when the end is unknown).

    `by` names the silence, the maintenance or the model; `why` has a silence's author and reason.
    """

    kind: MuteKind
    by: str = ""
    until: int | None = None
    why: str = ""

    @property
    def reason_words(self) -> str:
        """The reason as text: `silence 3`, `a model it depends on is in trouble: features`."""
        named = self.kind in (MuteKind.SILENCE, MuteKind.MAINTENANCE)
        return f"{self.kind}{' ' if named else ': '}{self.by}" if self.by else self.kind.value


class Feedback(StrEnum):
    """An operator's verdict on an alert that ended."""

    USEFUL = "useful"
    NOISE = "noise"
    LATE = "late"


class KnownIssue(Struct, frozen=True):
    """A known issue, shown first on every alert of a model or a rule until it expires (ms UTC)."""

    id: int
    model: str
    rule: str
    text: str
    by: str
    at: int
    expires_at: int
    ended_at: int | None = None


class DisplayState(StrEnum):
    """The one word for the state of an alert on a screen."""

    NO_DATA = "NO DATA"
    FLAPPING = "FLAPPING"
    FIRING = "FIRING"
    ACKED = "ACKED"
    MUTED = "MUTED"
    CLEARING = "CLEARING"
    PENDING = "PENDING"
    RESOLVED = "RESOLVED"


class ActiveAlert(Struct, frozen=True):
    """An alert on the board: its identity, newest episode, owner and mutes.

    `hours` is the share (0 to 1) of its time firing in each of the last 24 hours, the newest last.
    """

    alert: Alert
    episode: Episode
    acknowledgement: Acknowledgement | None = None
    mutes: tuple[Mute, ...] = ()
    known_issues: tuple[KnownIssue, ...] = ()
    hours: tuple[float, ...] = ()
    notes: int = 0
    feedback: Feedback | None = None

    @property
    def display_state(self) -> DisplayState:
        """The state to show: no data wins over flapping, and both over all other open states."""
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


EpisodeOfAlert = tuple[Episode, Alert]
"""An episode and its alert."""
