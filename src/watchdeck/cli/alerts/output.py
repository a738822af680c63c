"""Alerts as text and as JSON: what `alerts` and `status` print."""

from collections.abc import Iterable, Sequence
from typing import Any

from watchdeck.cli.options import iso
from watchdeck.cli.output import finite_or_none, table_lines
from watchdeck.domain.alerts.alert import OURS, ActiveAlert, EndReason
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.text import clean

_HEADS = ("NUMBER", "SEV", "STATE", "RULE", "MODEL", "FOR", "WHO", "WHY")


def as_text(alerts: Sequence[ActiveAlert], silences: Sequence[Silence], now: int) -> str:
    """The alerts, open and severe ones first, one a line; then the number muted; then silences."""
    rows = [_HEADS, *(_row(one, now) for one in sorted(alerts, key=_badness))]
    lines = table_lines(rows) if alerts else ["no alert is open"]
    muted = sum(1 for one in alerts if one.mutes and one.episode.is_open)
    said = [f"{muted} muted"] if muted else []
    return "\n".join([*lines, *said, *(_silence(one, now) for one in silences)])


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


def as_json(raised: ActiveAlert) -> dict[str, Any]:
    """One alert as a JSON object; `state` is the state of its episode."""
    alert, episode, ack = raised.alert, raised.episode, raised.acknowledgement
    return {
        "id": str(episode.id),
        "rule": alert.rule,
        "model": alert.model or None,
        "source": alert.source,
        "labels": alert.labels,
        "severity": int(episode.severity),
        "state": episode.condition,
        "data": episode.data,
        "flapping": episode.flapping,
        "muted_by": [mute.kind for mute in raised.mutes],
        "began": iso(episode.started_at),
        "since": iso(episode.since),
        "ended": None if episode.ended_at is None else iso(episode.ended_at),
        "value": finite_or_none(episode.value),
        "why": episode.why,
        "acknowledged_by": ack and ack.by,
        "acknowledged_until": ack and iso(ack.expires_at),
        "known_issues": [pin.text for pin in raised.known_issues],
        "incident": None,
    }


def open_alerts_json(alerts: Iterable[ActiveAlert]) -> list[dict[str, Any]]:
    """The open alerts as JSON objects, the worst first."""
    return [as_json(one) for one in sorted(alerts, key=_badness) if one.episode.is_open]


def silence_json(one: Silence) -> dict[str, Any]:
    """One silence as a JSON object."""
    return {
        "id": one.id,
        "matchers": [str(matcher) for matcher in one.matchers],
        "by": one.by,
        "reason": one.reason,
        "starts": iso(one.starts_at),
        "ends": iso(one.ends_at),
    }
