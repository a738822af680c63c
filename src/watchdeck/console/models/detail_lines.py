"""One model: its health and why, who it is, and every signal it has or cannot have."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from watchdeck.console.lines.health import word
from watchdeck.console.lines.line import (
    NOTHING,
    Line,
    Role,
    Span,
    Spans,
    foreign_text,
    length,
    wrap,
    wrap_parts,
)
from watchdeck.console.lines.number import describe_reading
from watchdeck.console.lines.relative_time import ago, format_age_short, short_duration
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.board.board import LatestScrape, Model, SignalValue
from watchdeck.domain.metrics.scrape import Outcome, Truncation
from watchdeck.domain.metrics.signal import SIGNALS, Signal
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.domain.values.format import format_duration

_ABSENT = "no data"


def facts(model: Model, now: int, cells: int, most: int = 6) -> tuple[Line, ...]:
    """Health, since when and why; the last scrape; who answers and where."""
    since = () if model.since is None else (Span(f"  since {short_duration(now - model.since)}"),)
    state = (Span(" "), word(model.health), *since, Span("  "))
    why = wrap(model.why, cells - length(state), Role.STRONG, most=2)
    first = (Line((*state, *why[0].spans)), *_indent(why[1:])) if why else (Line(state),)
    latest = model.latest
    parts = [*(_identity(latest, now) if latest else ()), *_place(model.facts)]
    lines = (*first, *_indent(wrap_parts(_outcome(latest, now), cells - 1)))
    return (*lines, *_indent(wrap_parts(parts, cells - 1)))[:most]


def _indent(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    return tuple(Line((Span(" "), *line.spans)) for line in lines)


def _outcome(latest: LatestScrape | None, now: int) -> list[Spans]:
    if latest is None:
        return [(Span("not scraped yet", Role.MUTED),)]
    good = latest.outcome is Outcome.OK
    outcome = Span(latest.outcome.replace("_", " "), Role.TEXT if good else Role.WARNING)
    parts = [_pair("scrape", ago(latest.at, now)), (Span("outcome ", Role.MUTED), outcome)]
    if latest.detail:
        parts.append((foreign_text(latest.detail, Role.WARNING, 200),))
    if latest.failures:
        parts.append(_pair("failed in a row", str(latest.failures), Role.WARNING))
    parts.append(_pair("model", latest.model_state.replace("_", " ")))
    if latest.model_detail:
        parts.append((foreign_text(latest.model_detail, Role.MUTED, 200),))
    return [*parts, *_cut(latest.cut)]


def _cut(cut: Truncation) -> list[Spans]:
    """What of the page was left out, by reason."""
    reasons = {
        "series": cut.series,
        "labels": cut.labels,
        "duplicates": cut.duplicates,
        "malformed": cut.malformed,
    }
    return [
        _pair(f"cut {what}", str(count), Role.WARNING) for what, count in reasons.items() if count
    ]


def _identity(latest: LatestScrape, now: int) -> list[Spans]:
    identity = latest.identity
    started, replicas = identity.started_at, identity.replicas
    return [
        _pair("kind", latest.kind or NOTHING),
        _pair("version", identity.version or NOTHING),
        _pair("started", NOTHING if started is None else ago(started, now)),
        _pair("replicas", NOTHING if replicas is None else str(replicas)),
    ]


def _place(known: EndpointFacts) -> list[Spans]:
    parts = [
        (foreign_text(known.url, Role.MUTED, 200),),
        _pair("every", format_duration(known.every)),
    ]
    if known.model:
        parts.append(_pair("name there", known.model))
    if known.owner:
        parts.append(_pair("owner", known.owner))
    if known.tier is not None:
        parts.append(_pair("tier", str(known.tier)))
    if known.insecure:
        parts.append((Span("TLS NOT VERIFIED", Role.WARNING),))
    return parts


def _pair(label: str, value: str, role: Role = Role.TEXT) -> Spans:
    return (Span(f"{label} ", Role.MUTED), foreign_text(value, role, 80))


class SignalRow(Struct, frozen=True):
    """One line of the list of signals; `absent` says why there is no reading."""

    signal: Signal
    reading: SignalValue | None
    at: int | None
    absent: str = ""


def signals(model: Model, reasons: Mapping[str, str]) -> tuple[SignalRow, ...]:
    """Every signal: those with a reading, those without one now, those that cannot be had.

    `reasons` says why this kind of server cannot give a signal, where its kind says so.
    """
    latest = model.latest
    if latest is None:
        return ()
    rows = [_row(signal, latest, reasons) for signal in SIGNALS.values()]
    return tuple(sorted(rows, key=_order))


def _row(signal: Signal, latest: LatestScrape, reasons: Mapping[str, str]) -> SignalRow:
    reading = latest.signals.get(signal.name)
    if reading is not None:
        return SignalRow(signal, reading, latest.at)
    if signal.name in latest.not_measurable:
        said_why = reasons.get(signal.name, "")
        return SignalRow(signal, None, None, f"not measurable{said_why and f': {said_why}'}")
    return SignalRow(signal, None, None, _ABSENT)


def _order(row: SignalRow) -> int:
    if row.reading is not None:
        return 0
    return 1 if row.absent == _ABSENT else 2


def _signal_name(row: SignalRow, _now: int) -> Span:
    return Span(row.signal.name, Role.MUTED if row.reading is None else Role.STRONG)


def _signal_value(row: SignalRow, _now: int) -> Span:
    if row.reading is None:
        return foreign_text(f"{NOTHING} {row.absent}", Role.MUTED)
    return Span(describe_reading(row.reading))


def _signal_age(row: SignalRow, now: int) -> Span:
    return Span(format_age_short(row.at, now), Role.MUTED)


def _signal_meaning(row: SignalRow, _now: int) -> Span:
    return Span(row.signal.means, Role.MUTED)


SIGNAL_COLUMNS: Columns[SignalRow] = (
    Column("signal", "signal", 17, _signal_name),
    Column("value", "value", 14, _signal_value, most=60),
    Column("age", "age", 4, _signal_age, right=True, rank=1),
    Column("meaning", "what it is", 24, _signal_meaning, most=60, rank=2),
)
"""The columns of the list of signals."""
