"""The lines of one model: its health, its last scrape, its configuration and its signals."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from watchdeck.console.lines.health import health_label
from watchdeck.console.lines.line import (
    NO_VALUE,
    Line,
    Role,
    Span,
    Spans,
    spans_width,
    untrusted_text,
    wrap,
    wrap_parts,
)
from watchdeck.console.lines.number import describe_value
from watchdeck.console.lines.relative_time import age_phrase, format_age_short, short_duration
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.board.board import LatestScrape, Model, SignalValue
from watchdeck.domain.metrics.scrape import Outcome, Truncation
from watchdeck.domain.metrics.signal import SIGNALS, Signal
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.format import format_duration

_ABSENT = "no data"


def summary_lines(model: Model, now: int, cells: int, most: int = 6) -> tuple[Line, ...]:
    """The summary of a model, in at most `most` lines.

    It has the health with its reason, the last scrape, the server and the configuration.
    """
    since = () if model.since is None else (Span(f"  since {short_duration(now - model.since)}"),)
    state = (Span(" "), health_label(model.health), *since, Span("  "))
    why = wrap(model.why, cells - spans_width(state), Role.STRONG, most=2)
    first = (Line((*state, *why[0].spans)), *_indent_lines(why[1:])) if why else (Line(state),)
    latest = model.latest
    parts = [*(_identity(latest, now) if latest else ()), *_configuration(model.facts)]
    lines = (*first, *_indent_lines(wrap_parts(_outcome(latest, now), cells - 1)))
    return (*lines, *_indent_lines(wrap_parts(parts, cells - 1)))[:most]


def _indent_lines(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    return tuple(Line((Span(" "), *line.spans)) for line in lines)


def _outcome(latest: LatestScrape | None, now: int) -> list[Spans]:
    if latest is None:
        return [(Span("not scraped yet", Role.MUTED),)]
    role = Role.TEXT if latest.outcome is Outcome.OK else Role.WARNING
    outcome = Span(latest.outcome.replace("_", " "), role)
    parts = [_pair("scrape", age_phrase(latest.at, now)), (Span("outcome ", Role.MUTED), outcome)]
    if latest.detail:
        parts.append((untrusted_text(latest.detail, Role.WARNING, 200),))
    if latest.failures:
        parts.append(_pair("failed in a row", str(latest.failures), Role.WARNING))
    parts.append(_pair("model", latest.model_state.replace("_", " ")))
    if latest.model_detail:
        parts.append((untrusted_text(latest.model_detail, Role.MUTED, 200),))
    return [*parts, *_truncation(latest.cut)]


def _truncation(cut: Truncation) -> list[Spans]:
    """The counts of items cut from the metrics page, by reason; empty for a whole page."""
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
        _pair("kind", latest.kind or NO_VALUE),
        _pair("version", identity.version or NO_VALUE),
        _pair("started", NO_VALUE if started is None else age_phrase(started, now)),
        _pair("replicas", NO_VALUE if replicas is None else str(replicas)),
    ]


def _configuration(facts: EndpointFacts) -> list[Spans]:
    parts = [
        (untrusted_text(facts.url, Role.MUTED, 200),),
        _pair("every", format_duration(facts.every)),
    ]
    if facts.model:
        parts.append(_pair("name there", facts.model))
    if facts.owner:
        parts.append(_pair("owner", facts.owner))
    if facts.tier is not None:
        parts.append(_pair("tier", str(facts.tier)))
    if facts.insecure:
        parts.append((Span("TLS NOT VERIFIED", Role.WARNING),))
    return parts


def _pair(label: str, value: str, role: Role = Role.TEXT) -> Spans:
    return (Span(f"{label} ", Role.MUTED), untrusted_text(value, role, 80))


class SignalRow(Struct, frozen=True):
    """One row of the list of signals; `absent` is why it has no value, empty when it has one."""

    signal: Signal
    value: SignalValue | None
    at: int | None
    absent: str = ""


def signal_rows(model: Model, reasons: Mapping[str, str]) -> tuple[SignalRow, ...]:
    """All signals: first those with a value, then those without, then the unmeasurable ones.

    `reasons` maps signals to the reason why this kind of server cannot give them.
    Empty before the first scrape.
    """
    latest = model.latest
    if latest is None:
        return ()
    rows = [_row(signal, latest, reasons) for signal in SIGNALS.values()]
    return tuple(sorted(rows, key=_order))


def _row(signal: Signal, latest: LatestScrape, reasons: Mapping[str, str]) -> SignalRow:
    value = latest.signals.get(signal.name)
    if value is not None:
        return SignalRow(signal, value, latest.at)
    if signal.name in latest.not_measurable:
        reason = reasons.get(signal.name, "")
        return SignalRow(signal, None, None, f"not measurable{reason and f': {reason}'}")
    return SignalRow(signal, None, None, _ABSENT)


def _order(row: SignalRow) -> int:
    if row.value is not None:
        return 0
    return 1 if row.absent == _ABSENT else 2


def _signal_name(row: SignalRow, _now: int) -> Span:
    return Span(row.signal.name, Role.MUTED if row.value is None else Role.STRONG)


def _signal_value(row: SignalRow, _now: int) -> Span:
    if row.value is None:
        return untrusted_text(f"{NO_VALUE} {row.absent}", Role.MUTED)
    return Span(describe_value(row.value))


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
