"""The rows and columns of the list of alerts; those with the same `owner` label are grouped."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from watchdeck.console.charts.sparkline import sparkline
from watchdeck.console.lines.line import NO_VALUE, DotStyle, Line, Role, Span, untrusted_text
from watchdeck.console.lines.relative_time import age, age_phrase, short_duration
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.alerts.alert import OURS, ActiveAlert, DisplayState, EndReason
from watchdeck.domain.external.source import ExternalSource
from watchdeck.domain.rules.rule import Severity

_SHAPES = {
    DisplayState.NO_DATA: "?",
    DisplayState.FLAPPING: "∞",
    DisplayState.FIRING: "▲",
    DisplayState.ACKED: "✓",
    DisplayState.MUTED: "·",
    DisplayState.CLEARING: "▼",
    DisplayState.PENDING: "…",
    DisplayState.RESOLVED: "●",
}

_ROLES = {
    Severity.CRITICAL: Role.DOWN,
    Severity.HIGH: Role.CRITICAL,
    Severity.MEDIUM: Role.WARNING,
    Severity.LOW: Role.TEXT,
}

_QUIET = {
    DisplayState.ACKED: Role.TEXT,
    DisplayState.MUTED: Role.MUTED,
    DisplayState.CLEARING: Role.TEXT,
    DisplayState.PENDING: Role.MUTED,
    DisplayState.RESOLVED: Role.OK,
}
"""Roles of the states that need no action; other states have the role of their severity."""

OPEN_FIRST = (
    DisplayState.FIRING,
    DisplayState.NO_DATA,
    DisplayState.FLAPPING,
    DisplayState.ACKED,
    DisplayState.CLEARING,
    DisplayState.PENDING,
    DisplayState.MUTED,
    DisplayState.RESOLVED,
)
"""Order of the states in the list: what nobody has acknowledged comes first."""

HOURS = 24
"""Hours of the activity strip."""

FOLDED_FROM = 3
"""The least number of alerts with the same `owner` label that form a group."""


class AlertGroup(Struct, frozen=True):
    """The alerts with the same `owner` label; their group has a row of its own above them.

    A group that is `folded` hides the rows of its members.
    """

    owner: str
    members: tuple[ActiveAlert, ...]
    folded: bool = False

    @property
    def shared(self) -> str:
        """The labels equal in all members, except owner and model: `job=api  team=risk`."""
        first, *rest = [member.alert.labels for member in self.members]
        same = {
            name: value
            for name, value in sorted(first.items())
            if name not in ("owner", "model") and all(other.get(name) == value for other in rest)
        }
        return "  ".join(f"{name}={value}" for name, value in same.items())


AlertListRow = AlertGroup | ActiveAlert


def row_key(row: AlertListRow) -> str:
    """The text that identifies a row, wherever it stands: `episode 7`, `group risk`."""
    return f"group {row.owner}" if isinstance(row, AlertGroup) else f"episode {row.episode.id}"


def episodes_of(row: AlertListRow) -> tuple[int, ...]:
    """The ids of a row's open episodes: of one alert, or of all alerts in a group."""
    return tuple(one.episode.id for one in members_of(row) if one.episode.is_open)


def members_of(row: AlertListRow) -> tuple[ActiveAlert, ...]:
    """The alerts of a row: one alert, or all members of a group."""
    return row.members if isinstance(row, AlertGroup) else (row,)


def urgency(raised: ActiveAlert) -> tuple[int, int, int, int]:
    """The sort key of an alert: the more urgent the alert, the smaller the key."""
    place = OPEN_FIRST.index(raised.display_state)
    unheard = 0 if place < OPEN_FIRST.index(DisplayState.ACKED) else place
    episode = raised.episode
    return unheard, int(episode.severity), place, episode.started_at


def sort_alerts(alerts: Iterable[ActiveAlert], folded: frozenset[str]) -> tuple[AlertListRow, ...]:
    """The rows of alerts, most urgent first.

    Three or more alerts with the same `owner` label form a group, which has a row of its own.
    `folded` holds the `owner` labels of the groups that hide their members.
    """
    owners: defaultdict[str, list[ActiveAlert]] = defaultdict(list)
    for one in sorted(alerts, key=urgency):
        owners[one.alert.labels.get("owner", "")].append(one)
    units: list[tuple[AlertListRow, ...]] = []
    for owner, members in owners.items():
        if not owner or len(members) < FOLDED_FROM:
            units += ((one,) for one in members)
            continue
        group = AlertGroup(owner, tuple(members), folded=owner in folded)
        units.append((group,) if group.folded else (group, *members))
    return tuple(row for unit in sorted(units, key=_unit_urgency) for row in unit)


def _unit_urgency(unit: Sequence[AlertListRow]) -> tuple[int, int, int, int]:
    """The urgency of an alert, or of a group's most urgent alert."""
    row = unit[0]
    return urgency(row.members[0] if isinstance(row, AlertGroup) else row)


def worst_alert(alerts: Iterable[ActiveAlert]) -> ActiveAlert | None:
    """The most urgent alert that fires and is neither acknowledged nor muted; None without one."""
    waiting = [
        one
        for one in alerts
        if one.display_state in (DisplayState.FIRING, DisplayState.NO_DATA, DisplayState.FLAPPING)
    ]
    free = [one for one in waiting if one.acknowledgement is None and not one.mutes]
    return min(free, key=urgency, default=None)


def state_counts(alerts: Iterable[ActiveAlert]) -> Line:
    """A line with the number of alerts in each state that occurs, and of muted ones, even if 0."""
    found = list(alerts)
    states = Counter(one.display_state for one in found)
    muted = sum(1 for one in found if one.mutes and one.episode.is_open)
    hidden = Span(f" {muted} muted ", Role.WARNING if muted else Role.MUTED)
    spans = [
        Span(f" {_SHAPES[shown]} {states[shown]} {shown.value.lower()} ", _count_role(shown))
        for shown in OPEN_FIRST
        if states[shown] and shown is not DisplayState.MUTED
    ]
    return Line((*spans[:1], hidden, *spans[1:]))


def _count_role(shown: DisplayState) -> Role:
    return _QUIET.get(shown, Role.CRITICAL)


def external_sources_line(sources: Iterable[ExternalSource], now: int) -> tuple[Span, ...]:
    """One text for each external alert source: its problem, or the age of its last report."""
    spans = []
    for source in sources:
        when = age_phrase(source.heard_at or None, now)
        words = f"  {source.name} {source.problem or f'heard {when}'}"
        spans.append(untrusted_text(words, Role.WARNING if source.problem else Role.MUTED, 120))
    return tuple(spans)


def state_span(raised: ActiveAlert) -> Span:
    """The state of an alert as severity, shape and word: `1 ▲ FIRING`, `3 ✓ ACKED`."""
    shown = raised.display_state
    role = _QUIET.get(shown, _ROLES[raised.episode.severity])
    return Span(f"{int(raised.episode.severity)} {_SHAPES[shown]} {shown.value}", role)


def owner_words(raised: ActiveAlert, now: int) -> str:
    """Who acknowledged the alert, and for how much longer: `anna 25m`; empty when nobody did."""
    ack = raised.acknowledgement
    return f"{ack.by} {short_duration(ack.expires_at - now)}" if ack else ""


def reason_words(raised: ActiveAlert) -> str:
    """Why an alert fired, in words; first its known issue and why it is muted, if any."""
    pins = [f"known: {pin.text}" for pin in raised.known_issues[:1]]
    mutes = [f"muted: {mute.reason_words}" for mute in raised.mutes[:1]]
    by_hand = ["ended by hand"] if raised.episode.end_reason is EndReason.MANUAL else []
    again = raised.episode.reopened
    more = [f"came back {again}x"] if again else []
    source = raised.alert.source
    foreign = [f"from {source}"] if source != OURS else []
    return "; ".join((*pins, *mutes, *by_hand, raised.episode.why, *more, *foreign))


def _state(row: AlertListRow, _now: int) -> Span:
    if isinstance(row, AlertGroup):
        return Span(f"{'▶' if row.folded else '▼'} {len(row.members)} alerts", Role.TITLE)
    return state_span(row)


def _rule(row: AlertListRow, _now: int) -> Span:
    if isinstance(row, AlertGroup):
        return untrusted_text(f"owner={row.owner}", Role.TITLE)
    return untrusted_text(row.alert.rule, Role.STRONG)


def _model(row: AlertListRow, _now: int) -> Span:
    return Span("") if isinstance(row, AlertGroup) else untrusted_text(row.alert.model or NO_VALUE)


def _age(row: AlertListRow, now: int) -> Span:
    if isinstance(row, AlertGroup):
        return Span("")
    episode = row.episode
    return Span(age(episode.since if episode.is_open else episode.ended_at, now))


def _who(row: AlertListRow, now: int) -> Span:
    if isinstance(row, AlertGroup):
        taken = sum(1 for member in row.members if member.acknowledgement)
        return Span(f"{taken} of {len(row.members)}" if taken else "", Role.MUTED)
    return untrusted_text(owner_words(row, now), Role.ACCENT)


def _why(row: AlertListRow, _now: int) -> Span:
    if isinstance(row, AlertGroup):
        return untrusted_text(row.shared, Role.MUTED)
    return untrusted_text(reason_words(row), Role.TEXT if row.episode.is_open else Role.MUTED)


_WITH_HOURS = 132
"""The least width (cells) with room for the activity strip beside the reasons."""


def alert_columns(dots: DotStyle, cells: int, *, owned: bool = True) -> Columns[AlertListRow]:
    """The columns of the list of alerts, with the last 24 hours when `cells` is at least 132.

    `owned` is whether any alert is acknowledged; otherwise the owner's column is left out.
    """

    def hours(row: AlertListRow, _now: int) -> Span:
        if isinstance(row, AlertGroup):
            return Span("")
        return Span(activity_strip(row.hours, dots), Role.CHART)

    owners = (Column("who", "who", 9, _who, most=20, rank=1),) if owned else ()
    strips = (Column("hours", "24 h", HOURS, hours),) if cells >= _WITH_HOURS else ()
    return (
        Column("state", "", 12, _state),
        Column("rule", "rule", 14, _rule, most=28),
        Column("model", "model", 12, _model, most=24),
        Column("age", "age", 6, _age, right=True),
        *owners,
        *strips,
        Column("why", "why", 20, _why, most=400),
    )


def activity_strip(hours: Sequence[float], dots: DotStyle) -> str:
    """One character for each hour, as high as the share of it in which the alert fired."""
    return sparkline([share or float("nan") for share in hours], dots, 1.0)
