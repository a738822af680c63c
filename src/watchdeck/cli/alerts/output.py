"""Alerts as text and as JSON: what `alerts` and `status` print."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from watchdeck.cli.options import Timestamp, iso, iso_or_none
from watchdeck.cli.output import finite_or_none, table_lines, to_json
from watchdeck.domain.alerts.alert import (
    OURS,
    ActiveAlert,
    AlertState,
    DataState,
    EndReason,
    MuteKind,
)
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.text import clean

_HEADS = ("NUMBER", "SEV", "STATE", "RULE", "MODEL", "FOR", "WHO", "WHY")


def as_text(
    alerts: Sequence[ActiveAlert],
    silences: Sequence[Silence],
    now: int,
    unfiltered: Sequence[ActiveAlert],
) -> str:
    """The alerts, open and severe ones first, one a line; then the number muted; then silences.

    `unfiltered` are all alerts, those included that a filter leaves out.
    """
    rows = [_HEADS, *(_row(one, now) for one in sorted(alerts, key=_badness))]
    lines = table_lines(rows) if alerts else [_nothing_text(unfiltered)]
    muted = sum(1 for one in alerts if one.mutes and one.episode.is_open)
    said = [f"{muted} muted"] if muted else []
    return "\n".join([*lines, *said, *(_silence(one, now) for one in silences)])


def _nothing_text(unfiltered: Sequence[ActiveAlert]) -> str:
    count = sum(one.episode.is_open for one in unfiltered)
    if not count:
        return "no alert is open"
    return f"no alert matches; {count} {'is' if count == 1 else 'are'} open"


def _badness(raised: ActiveAlert) -> tuple[bool, int, int]:
    episode = raised.episode
    return not episode.is_open, int(episode.severity), episode.started_at


def _row(raised: ActiveAlert, now: int) -> tuple[str, ...]:
    alert, episode, ack = raised.alert, raised.episode, raised.acknowledgement
    return (
        str(episode.id),
        str(int(episode.severity)),
        raised.display_state.value,
        clean(alert.rule),
        clean(alert.model) or "-",
        format_duration((now if episode.ended_at is None else episode.ended_at) - episode.since),
        clean(f"{ack.by} {format_duration(ack.expires_at - now)}") if ack else "-",
        "; ".join(
            [
                *(f"known: {clean(pin.text)}" for pin in raised.known_issues),
                *(f"muted: {clean(mute.reason_words)}" for mute in raised.mutes[:1]),
                *(["ended by hand"] if episode.end_reason is EndReason.MANUAL else []),
                clean(episode.why),
                *([] if alert.source == OURS else [f"from {clean(alert.source)}"]),
            ]
        ),
    )


def _silence(one: Silence, now: int) -> str:
    which = " ".join(map(str, one.matchers))
    when = f"for {format_duration(one.ends_at - now)}" if one.starts_at <= now else "to come"
    return f"silence {one.id} {clean(which)} {when}, by {clean(one.by)}: {clean(one.reason)}"


class AlertDocument(Struct, frozen=True):
    """One alert: one time that a condition was true."""

    id: str
    """Number of the episode, which `watchdeck ack` and the other commands on alerts take."""
    rule: str
    """Name of the rule; of an external alert, its `alertname`."""
    model: str | None
    """Name of the endpoint that the alert is about; null when an external alert names none."""
    source: str
    """`watchdeck`, or the name of the system that reported the alert."""
    labels: dict[str, str]
    """Labels by name, by which routes, silences and filters select the alert."""
    severity: int
    """1 to 4, 1 the worst; 1 and 2 page somebody."""
    state: AlertState
    """State of the condition; an alert that is acknowledged or muted has the same state."""
    data: DataState
    """Whether samples arrive; while they do not (`none`, `stale`), the state is held."""
    flapping: bool
    """Whether the condition changes so often that notifications are held back."""
    muted_by: list[MuteKind]
    """Why nobody is notified; empty when notifications are sent."""
    began: Timestamp
    """When the condition was first true."""
    since: Timestamp
    """When the alert last began to fire; `began` when it never did."""
    ended: Timestamp | None
    """When the episode ended; null while it is open."""
    value: float | None
    """Newest value, in the unit of the rule's signal; null when the rule compares no value."""
    why: str
    """The rule and the value that crossed its limit, in words."""
    acknowledged_by: str | None
    """Owner; null when nobody has acknowledged."""
    acknowledged_until: Timestamp | None
    """When the acknowledgement expires; null without one."""
    known_issues: list[str]
    """Texts of the known issues that are pinned to the alert."""
    incident: str | None
    """Always null: incidents are not recorded yet."""


class SilenceDocument(Struct, frozen=True):
    """One active silence."""

    id: int
    """Number that `watchdeck unsilence` takes."""
    matchers: list[str]
    """Label conditions, such as `model=fraud`; an alert that meets all of them is muted."""
    by: str
    """Who created the silence."""
    reason: str
    """Why, as its author wrote."""
    starts: Timestamp
    """When the silence begins to mute."""
    ends: Timestamp
    """When the silence stops to mute."""


class AlertsDocument(Struct, frozen=True):
    """The alerts that a filter matches, and all active silences."""

    alerts: list[AlertDocument]
    """Open alerts, and those that ended a short time ago."""
    silences: list[SilenceDocument]
    """Silences in force; a filter does not select them."""


def alert_document(raised: ActiveAlert) -> AlertDocument:
    """One alert as a document."""
    alert, episode, ack = raised.alert, raised.episode, raised.acknowledgement
    return AlertDocument(
        id=str(episode.id),
        rule=alert.rule,
        model=alert.model or None,
        source=alert.source,
        labels=alert.labels,
        severity=int(episode.severity),
        state=episode.condition,
        data=episode.data,
        flapping=episode.flapping,
        muted_by=[mute.kind for mute in raised.mutes],
        began=iso(episode.started_at),
        since=iso(episode.since),
        ended=iso_or_none(episode.ended_at),
        value=finite_or_none(episode.value),
        why=episode.why,
        acknowledged_by=ack.by if ack else None,
        acknowledged_until=iso(ack.expires_at) if ack else None,
        known_issues=[pin.text for pin in raised.known_issues],
        incident=None,
    )


def open_alert_documents(alerts: Iterable[ActiveAlert]) -> list[AlertDocument]:
    """The open alerts as documents, the worst first."""
    return [alert_document(one) for one in sorted(alerts, key=_badness) if one.episode.is_open]


def as_json(alerts: Iterable[ActiveAlert], silences: Iterable[Silence]) -> str:
    """Alerts and silences as JSON."""
    return to_json(
        AlertsDocument(
            [alert_document(one) for one in alerts], [_silence_document(one) for one in silences]
        )
    )


def _silence_document(one: Silence) -> SilenceDocument:
    return SilenceDocument(
        id=one.id,
        matchers=[str(matcher) for matcher in one.matchers],
        by=one.by,
        reason=one.reason,
        starts=iso(one.starts_at),
        ends=iso(one.ends_at),
    )
