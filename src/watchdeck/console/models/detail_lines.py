"""The lines of one model: its health, its last scrape, its configuration and its signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
from watchdeck.domain.board.qualifiers import qualifiers
from watchdeck.domain.board.resource_sharing import SharedResource
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import Outcome, Truncation
from watchdeck.domain.metrics.signal import PROBE_SIGNALS, SIGNALS, Signal
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.signals.plan_builder import kind_signals
from watchdeck.domain.values.format import format_duration

_ABSENT = "no data"

_MOST_NAMES = 3
"""The most models that are named as users of a resource."""


def summary_lines(
    model: Model, now: int, cells: int, most: int = 6, shared: Iterable[SharedResource] = ()
) -> tuple[Line, ...]:
    """The summary of a model, in at most `most` lines.

    It has the health with its reason, the last scrape, the server, the configuration, and the
    machines and devices that the model uses, which may be `shared`.
    """
    since = () if model.since is None else (Span(f"  since {short_duration(now - model.since)}"),)
    state = (Span(" "), health_label(model.health), *since, Span("  "))
    why = wrap(model.why, cells - spans_width(state), Role.STRONG, most=2)
    first = (Line((*state, *why[0].spans)), *_indent_lines(why[1:])) if why else (Line(state),)
    latest = model.latest
    parts = [*(_identity(latest, now) if latest else ()), *_configuration(model.facts)]
    parts += [_pair("uses", sharing_text(one)) for one in shared]
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
        "stale": cut.stale,
        "out of range": cut.out_of_range,
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
    """One row of the list of signals; `absent` is why it has no value, empty when it has one.

    `limits` are the words that belong to the value. `remark` says why it is unknown or in doubt.
    """

    signal: Signal
    value: SignalValue | None
    at: int | None
    absent: str = ""
    limits: tuple[str, ...] = ()
    remark: str = ""


def signal_rows(model: Model, kind: Kind | None) -> tuple[SignalRow, ...]:
    """The signals of a model: those with a value, then those without, then the unmeasurable ones.

    Signals that only other kinds of server have are left out. Empty before the first scrape.
    """
    latest = model.latest
    if latest is None:
        return ()
    reasons = kind.unmeasurable if kind else {}
    rows = [_row(SIGNALS[name], latest, reasons) for name in _listed_signals(latest, kind)]
    return tuple(sorted(rows, key=_order))


def _listed_signals(latest: LatestScrape, kind: Kind | None) -> Iterable[str]:
    """The signals that the kind of server has or could have, in the order of the screens."""
    if kind is None:
        return SIGNALS
    known = {*kind_signals(kind, latest.facts), *PROBE_SIGNALS, *latest.not_measurable}
    known |= {*latest.signals, *latest.remarks}
    return (name for name in SIGNALS if name in known)


def _row(signal: Signal, latest: LatestScrape, reasons: Mapping[str, str]) -> SignalRow:
    value, remark = latest.signals.get(signal.name), latest.remarks.get(signal.name, "")
    if value is not None:
        limits = (*qualifiers(value, latest.facts.every), *(("in doubt",) if remark else ()))
        return SignalRow(signal, value, latest.at, "", limits, remark)
    if signal.name in latest.not_measurable:
        reason = reasons.get(signal.name, "")
        return SignalRow(signal, None, None, f"not measurable{reason and f': {reason}'}")
    return SignalRow(signal, None, None, remark or _ABSENT, (), remark)


def _order(row: SignalRow) -> int:
    if row.value is not None:
        return 0
    return 1 if row.remark or row.absent == _ABSENT else 2


def sharing_text(shared: SharedResource) -> str:
    """A resource in words, with the other models that use it: `gpu-node (gpu=0), as does chat`."""
    names = ", ".join(shared.others[:_MOST_NAMES])
    more = len(shared.others) - _MOST_NAMES
    others = f"{names} and {more} more" if more > 0 else names
    return f"{shared.text}, shared with {others}" if others else shared.text


def _signal_name(row: SignalRow, _now: int) -> Span:
    return Span(row.signal.name, Role.MUTED if row.value is None else Role.STRONG)


def _signal_value(row: SignalRow, _now: int) -> Span:
    if row.value is None:
        return untrusted_text(f"{NO_VALUE} {row.absent}", Role.MUTED)
    return untrusted_text(", ".join((describe_value(row.value), *row.limits)))


def _signal_age(row: SignalRow, now: int) -> Span:
    return Span(format_age_short(row.at, now), Role.MUTED)


def _signal_meaning(row: SignalRow, _now: int) -> Span:
    return Span(row.signal.means, Role.MUTED)


SIGNAL_COLUMNS: Columns[SignalRow] = (
    Column("signal", "signal", 18, _signal_name),
    Column("value", "value", 14, _signal_value, most=60),
    Column("age", "age", 4, _signal_age, right=True, rank=1),
    Column("meaning", "what it is", 24, _signal_meaning, most=60, rank=2),
)
"""The columns of the list of signals."""
