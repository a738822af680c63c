"""One alert: its state and rule as lines, and its history as rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.console.alerts.list_lines import owner_words, reason_words, state_span
from watchdeck.console.lines.line import (
    NO_VALUE,
    Line,
    Role,
    Span,
    untrusted_text,
    wrap,
    wrap_parts,
)
from watchdeck.console.lines.relative_time import age_phrase, clock_time, short_duration
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.alerts.acknowledgement import is_restored
from watchdeck.domain.alerts.alert import ActiveAlert, Episode, Mute
from watchdeck.domain.board.board import AlertHistory, Change
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.notifications.outbox import OutboxRow

BEFORE = 30 * 60_000
"""Changes up to this long (ms) before an alert began are listed in its history."""

_DAY = 86_400_000
"""Age (ms) from which a moment is shown with its date."""


class HistoryRow(Struct, frozen=True):
    """One row of an alert's history: time `at` (ms UTC), kind of event, and what happened.

    `by` is the person or system that did it; for other alerts and episodes, state or feedback.
    """

    at: int
    kind: str
    words: str
    by: str = ""


def alert_lines(
    raised: ActiveAlert, story: AlertHistory | None, now: int, cells: int, zone: tzinfo | None
) -> tuple[Line, ...]:
    """Lines that describe an alert, `cells` wide: known issues, state, owner, reason, rule, labels.

    `story` holds the rule; None until it has been read.
    """
    episode, alert = raised.episode, raised.alert
    pinned = [
        line
        for pin in raised.known_issues
        for line in wrap(f"known: {pin.text}", cells - 1, Role.ACCENT)
    ]
    rule = story.rule if story else {}
    parts = (
        (state_span(raised),),
        (
            untrusted_text(alert.rule, Role.STRONG),
            untrusted_text(f" of {alert.model}" if alert.model else ""),
        ),
        (Span(_since(episode, now, zone)),),
        *_handling_spans(raised, now),
    )
    body = (
        *pinned,
        *wrap_parts(parts, cells - 1),
        *wrap(reason_words(raised), cells - 1, most=2),
        *(
            line
            for mute in raised.mutes
            for line in wrap(_mute_words(mute, now), cells - 1, most=2)
        ),
        *wrap_parts(_rule(rule, alert.labels), cells - 1),
    )
    return tuple(replace(one, spans=(Span(" "), *one.spans)) for one in body)


def _since(episode: Episode, now: int, zone: tzinfo | None) -> str:
    began = episode.since
    if episode.ended_at is not None:
        how = episode.end_reason.value if episode.end_reason else NO_VALUE
        lasted = short_duration(episode.ended_at - began)
        return f"for {lasted}, over {age_phrase(episode.ended_at, now)}: {how}"
    form = "%H:%M" if now - began < _DAY else "%b %d %H:%M"
    return f"since {clock_time(began, zone, form)} ({short_duration(now - began)})"


def _mute_words(mute: Mute, now: int) -> str:
    """Why an alert is muted, by whom, and for how much longer."""
    still = "" if mute.until is None else f" for {short_duration(mute.until - now)} more"
    return f"nobody is told: {mute.reason_words}{still}{f', {mute.why}' if mute.why else ''}"


def _handling_spans(raised: ActiveAlert, now: int) -> Iterator[tuple[Span, ...]]:
    if raised.acknowledgement is not None:
        yield (untrusted_text(f"{owner_words(raised, now)} left", Role.ACCENT),)
    elif raised.episode.is_open:
        yield (Span("nobody has it", Role.WARNING),)
    if raised.feedback is not None:
        yield (Span(f"thought {raised.feedback}", Role.MUTED),)


def _rule(rule: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[tuple[Span, ...]]:
    yield (untrusted_text(str(rule.get("when") or "no rule of ours"), Role.MUTED),)
    for name in ("playbook", "runbook"):
        if rule.get(name):
            yield (untrusted_text(f"{name}: {rule[name]}", Role.ACCENT),)
    yield (
        untrusted_text(
            "  ".join(f"{key}={value}" for key, value in sorted(labels.items())), Role.MUTED
        ),
    )


def charted_signal(story: AlertHistory) -> str | None:
    """The signal to chart for an alert: the one in its rule, or `up` for a model that is down.

    None when no signal is named, as in most external alerts.
    """
    words = re.findall(r"[a-z][a-z0-9_]*", str(story.rule.get("when", "")))
    away = ("up",) if story.rule.get("tells_of_trouble") else ()
    found = (story.alert.labels.get("signal", ""), *words, *away)
    return next((word for word in found if word in SIGNALS), None)


def history_rows(
    story: AlertHistory, related: Iterable[ActiveAlert], changes: Iterable[Change]
) -> tuple[HistoryRow, ...]:
    """One row for each event of an alert, newest first; then related alerts and past episodes.

    Related are the open alerts in `related` with the same model or rule.
    """
    own = sorted(_own_rows(story, changes), key=lambda entry: -entry.at)
    return (*own, *_related_rows(story, related), *_past(story))


def _own_rows(story: AlertHistory, changes: Iterable[Change]) -> Iterator[HistoryRow]:
    for step in story.transitions:
        yield HistoryRow(step.at, step.verb.value.partition(".")[2].replace("_", " "), step.why)
    for ack in story.acknowledgements:
        until = f"for {short_duration(ack.expires_at - ack.at)}"
        what = "ack restored" if is_restored(ack, story.acknowledgements) else "acknowledged"
        yield HistoryRow(ack.at, what, f"{until} {ack.note}".strip(), ack.by)
        if ack.ended_at is not None and ack.end_reason is not None:
            yield HistoryRow(ack.ended_at, "ack ended", f"{ack.by} had it: {ack.end_reason.value}")
    for note in story.notes:
        yield HistoryRow(note.at, "note", note.text, note.by)
    for row in story.outbox_rows:
        yield HistoryRow(
            row.sent_at or row.created_at, f"told {row.channel}", _came_of(row), row.kind
        )
    began = story.episode.started_at
    for change in changes:
        if change.endpoint == story.alert.model and began - BEFORE <= change.at <= began:
            yield HistoryRow(change.at, "changed", f"{change.what}: {change.text}", change.source)


def _came_of(row: OutboxRow) -> str:
    if row.sent_at is not None:
        return "sent"
    if row.cancelled_at is not None:
        return "taken back before it was sent"
    if row.gave_up_at is not None:
        return f"given up: {row.last_error}"
    return f"waits, tried {row.attempts}x: {row.last_error}" if row.attempts else "waits"


def _related_rows(story: AlertHistory, related: Iterable[ActiveAlert]) -> Iterator[HistoryRow]:
    for one in related:
        other = one.alert
        close = other.model == story.alert.model or other.rule == story.alert.rule
        if close and one.episode.id != story.episode.id and one.episode.is_open:
            about = f"{other.rule} of {other.model}: {one.episode.why}"
            yield HistoryRow(one.episode.started_at, "also open", about, one.display_state.value)


def _past(story: AlertHistory) -> Iterator[HistoryRow]:
    for episode in story.past:
        ended = episode.started_at if episode.ended_at is None else episode.ended_at
        lasted = short_duration(ended - episode.started_at)
        thought = story.feedback.get(episode.id)
        words = f"for {lasted}: {episode.why}"
        yield HistoryRow(episode.started_at, "earlier", words, thought.value if thought else "")
        yield from (
            HistoryRow(note.at, "  its note", note.text, note.by)
            for note in story.past_notes
            if note.episode == episode.id
        )


def history_columns(zone: tzinfo | None) -> Columns[HistoryRow]:
    """The columns of an alert's history; times are in `zone`, None being the machine's."""

    def when(entry: HistoryRow, now: int) -> Span:
        form = "%H:%M:%S" if now - entry.at < _DAY else "%b %d %H:%M"
        return Span(clock_time(entry.at, zone, form), Role.MUTED)

    return (
        Column("when", "when", 12, when),
        Column("kind", "what", 12, lambda entry, _now: untrusted_text(entry.kind, Role.STRONG)),
        Column("by", "who", 8, lambda entry, _now: untrusted_text(entry.by), most=20, rank=1),
        Column("words", "", 20, lambda entry, _now: untrusted_text(entry.words), most=400),
    )
