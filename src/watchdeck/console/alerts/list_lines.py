"""Alerts in rows, by word, shape and colour; those of one owner under what they share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from watchdeck.console.charts.sparkline import sparkline
from watchdeck.console.lines.line import NO_VALUE, DotStyle, Line, Span, TextRole, untrusted_text
from watchdeck.console.lines.relative_time import age, age_phrase, short_duration
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.alerts.alert import OURS, ActiveAlert, DisplayState, EndReason
from watchdeck.domain.board.filter import EVERYTHING, Filter, matches
from watchdeck.domain.board.filter_fields import FilteredAlert
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
    Severity.CRITICAL: TextRole.DOWN,
    Severity.HIGH: TextRole.CRITICAL,
    Severity.MEDIUM: TextRole.WARNING,
    Severity.LOW: TextRole.TEXT,
}

_QUIET = {
    DisplayState.ACKED: TextRole.TEXT,
    DisplayState.MUTED: TextRole.MUTED,
    DisplayState.CLEARING: TextRole.TEXT,
    DisplayState.PENDING: TextRole.MUTED,
    DisplayState.RESOLVED: TextRole.OK,
}
"""What nobody has to do anything about has no colour of its severity."""

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
"""The order of a list for a person who has ten seconds: what nobody has yet comes first."""

HOURS = 24
"""The hours of a strip."""

FOLDED_FROM = 3
"""So many alerts of one owner stand under a line of their own."""


class AlertGroup(Struct, frozen=True):
    """The alerts of one owner: the labels that all of them share are told once, here."""

    owner: str
    members: tuple[ActiveAlert, ...]
    folded: bool = False

    @property
    def shared(self) -> str:
        """The labels that every member has."""
        first, *rest = [member.alert.labels for member in self.members]
        same = {
            name: value
            for name, value in sorted(first.items())
            if name not in ("owner", "model") and all(other.get(name) == value for other in rest)
        }
        return "  ".join(f"{name}={value}" for name, value in same.items())


AlertListRow = AlertGroup | ActiveAlert


def key_of(row: AlertListRow) -> str:
    """The name of a row that stays while it moves."""
    return f"group {row.owner}" if isinstance(row, AlertGroup) else f"episode {row.episode.id}"


def episodes_of(row: AlertListRow) -> tuple[int, ...]:
    """The open episodes that a row stands for."""
    return tuple(one.episode.id for one in members_of(row) if one.episode.is_open)


def members_of(row: AlertListRow) -> tuple[ActiveAlert, ...]:
    """The alerts that a row stands for."""
    return row.members if isinstance(row, AlertGroup) else (row,)


def urgency(raised: ActiveAlert) -> tuple[int, int, int, int]:
    """What alerts are sorted by: the most urgent is the least."""
    place = OPEN_FIRST.index(raised.display_state)
    unheard = 0 if place < OPEN_FIRST.index(DisplayState.ACKED) else place
    episode = raised.episode
    return unheard, int(episode.severity), place, episode.started_at


def arranged(
    alerts: Iterable[ActiveAlert], wanted: Filter, folded: frozenset[str], now: int
) -> tuple[AlertListRow, ...]:
    """The alerts that are wanted, most urgent first, several of one owner under their group."""
    found = [
        one for one in alerts if wanted == EVERYTHING or matches(wanted, FilteredAlert(one, now))
    ]
    owners: defaultdict[str, list[ActiveAlert]] = defaultdict(list)
    for one in sorted(found, key=urgency):
        owners[one.alert.labels.get("owner", "")].append(one)
    units: list[tuple[AlertListRow, ...]] = []
    for owner, members in owners.items():
        if not owner or len(members) < FOLDED_FROM:
            units += ((one,) for one in members)
            continue
        group = AlertGroup(owner, tuple(members), folded=owner in folded)
        units.append((group,) if group.folded else (group, *members))
    return tuple(row for unit in sorted(units, key=_first) for row in unit)


def _first(unit: Sequence[AlertListRow]) -> tuple[int, int, int, int]:
    """A group is as urgent as its most urgent alert."""
    row = unit[0]
    return urgency(row.members[0] if isinstance(row, AlertGroup) else row)


def worst(alerts: Iterable[ActiveAlert]) -> ActiveAlert | None:
    """The alert that somebody should take first; None where nobody has to do anything."""
    waiting = [
        one
        for one in alerts
        if one.display_state in (DisplayState.FIRING, DisplayState.NO_DATA, DisplayState.FLAPPING)
    ]
    free = [one for one in waiting if one.acknowledgement is None and not one.mutes]
    return min(free, key=urgency, default=None)


def counts(alerts: Iterable[ActiveAlert]) -> Line:
    """How many alerts are how; the muted ones are always told, and what is over last."""
    found = list(alerts)
    states = Counter(one.display_state for one in found)
    muted = sum(1 for one in found if one.mutes and one.episode.is_open)
    hidden = Span(f" {muted} muted ", TextRole.WARNING if muted else TextRole.MUTED)
    spans = [
        Span(f" {_SHAPES[shown]} {states[shown]} {shown.value.lower()} ", _counted(shown))
        for shown in OPEN_FIRST
        if states[shown] and shown is not DisplayState.MUTED
    ]
    return Line((*spans[:1], hidden, *spans[1:]))


def _counted(shown: DisplayState) -> TextRole:
    return _QUIET.get(shown, TextRole.CRITICAL)


def external_sources_line(sources: Iterable[ExternalSource], now: int) -> tuple[Span, ...]:
    """The other systems whose alerts are heard, when last, and what is wrong with one."""
    spans = []
    for source in sources:
        when = age_phrase(source.heard_at or None, now)
        words = f"  {source.name} {source.problem or f'heard {when}'}"
        spans.append(
            untrusted_text(words, TextRole.WARNING if source.problem else TextRole.MUTED, 120)
        )
    return tuple(spans)


def state(raised: ActiveAlert) -> Span:
    """Severity, shape and word: `1 ▲ FIRING`, `3 ✓ ACKED`."""
    shown = raised.display_state
    role = _QUIET.get(shown, _ROLES[raised.episode.severity])
    return Span(f"{int(raised.episode.severity)} {_SHAPES[shown]} {shown.value}", role)


def owner_words(raised: ActiveAlert, now: int) -> str:
    """Who has it and for how long still: `anna 25m`."""
    ack = raised.acknowledgement
    return f"{ack.by} {short_duration(ack.expires_at - now)}" if ack else ""


def reason_words(raised: ActiveAlert) -> str:
    """What is wrong, led by what is known already and why nobody hears of it."""
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
        return Span(f"{'▶' if row.folded else '▼'} {len(row.members)} alerts", TextRole.TITLE)
    return state(row)


def _rule(row: AlertListRow, _now: int) -> Span:
    if isinstance(row, AlertGroup):
        return untrusted_text(f"owner={row.owner}", TextRole.TITLE)
    return untrusted_text(row.alert.rule, TextRole.STRONG)


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
        return Span(f"{taken} of {len(row.members)}" if taken else "", TextRole.MUTED)
    return untrusted_text(owner_words(row, now), TextRole.ACCENT)


def _why(row: AlertListRow, _now: int) -> Span:
    if isinstance(row, AlertGroup):
        return untrusted_text(row.shared, TextRole.MUTED)
    return untrusted_text(
        reason_words(row), TextRole.TEXT if row.episode.is_open else TextRole.MUTED
    )


_WITH_HOURS = 132
"""From so many cells on there is room for the strip beside the reasons, which come first."""


def columns(dots: DotStyle, cells: int, *, owned: bool = True) -> Columns[AlertListRow]:
    """The columns of the list of alerts; the strip is the last 24 hours, the newest last.

    Where nobody has any (`owned`), no column tells who.
    """

    def hours(row: AlertListRow, _now: int) -> Span:
        if isinstance(row, AlertGroup):
            return Span("")
        return Span(activity_strip(row.hours, dots), TextRole.CHART)

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
    """One character an hour: how much of it an alert fired; blank where it did not."""
    return sparkline([share or float("nan") for share in hours], dots, 1.0)
