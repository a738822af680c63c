"""A board as text and as JSON: what `status` and `demo --once` print, and their exit code."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator

from msgspec import UNSET, Struct, UnsetType, field

from watchdeck.cli.alerts.output import AlertDocument, open_alert_documents
from watchdeck.cli.options import Timestamp, iso, iso_or_none
from watchdeck.cli.output import count_noun, finite_or_none, table_lines, to_json
from watchdeck.domain.board.board import (
    WORST_FIRST,
    Board,
    Collector,
    CollectorState,
    Health,
    LatestScrape,
    Model,
    SignalValue,
    sort_worst_first,
)
from watchdeck.domain.board.qualifiers import qualifiers
from watchdeck.domain.board.resource_sharing import ResourceUsers, SharedResource
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.values.format import format_duration, format_value
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Unit

_EXIT_CODES = {
    Health.DOWN: 2,
    Health.CRITICAL: 2,
    Health.UNKNOWN: 3,
    Health.WARNING: 1,
    Health.OK: 0,
}

_SIGNALS = (("p95", "latency_p95"), ("req/s", "request_rate"), ("errors", "error_ratio"))
"""The headers and the signals of the last columns of the text table."""

_LONGEST_LINE = 1_000
"""The most characters of a line below the table."""

_MOST_NAMES = 10
"""The most models that a line names."""


def exit_code(board: Board) -> int:
    """The exit code of the worst model: 0 ok, 1 warning, 2 critical or down, 3 unknown or none."""
    present = {model.health for model in board.models}
    return next((_EXIT_CODES[health] for health in WORST_FIRST if health in present), 3)


def as_text(board: Board, watched: int | None = None) -> str:
    """The board as plain lines: a summary, the collector, and a table of models, worst first.

    Below stand the figures of resources, and why signals are unknown or to be doubted. `watched` is
    the number of all models when a filter has chosen those of the board.
    """
    models = sort_worst_first(board.models)
    rows = [("HEALTH", "MODEL", "KIND", "SINCE", "SEEN", *(head for head, _ in _SIGNALS), "WHY")]
    rows += [_row(board, model) for model in models]
    lines = [*_heading(board, watched), "", *table_lines(rows)]
    users = ResourceUsers(model.facts for model in models)
    for title, found in (
        ("Resources:", [line for model in models for line in _resource_lines(model, users)]),
        ("Unknown or in doubt:", [line for model in models for line in _remark_lines(model)]),
    ):
        lines += ["", title, *found] if found else []
    return "\n".join(lines)


def _resource_lines(model: Model, users: ResourceUsers) -> Iterator[str]:
    """A line for each resource of a model: its figures, and who shares it."""
    signals = model.latest.signals if model.latest else {}
    for shared in users.shared_resources(model.facts):
        given = {name: one for name, one in signals.items() if one.resource == shared.endpoint}
        texts = (f"{name} {format_value(one.value, one.unit)}" for name, one in given.items())
        figures = ", ".join(texts) or "no figures"
        others = f", shared with {_name_list(shared.others)}" if shared.others else ""
        yield clean(f"  {model.facts.name}: {figures} from {shared.text}{others}", _LONGEST_LINE)


def _name_list(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _remark_lines(model: Model) -> Iterator[str]:
    """A line for each remark on signals of a model, with all signals that it is about."""
    signals: dict[str, list[str]] = defaultdict(list)
    for name, text in model.latest.remarks.items() if model.latest else ():
        signals[text].append(name)
    for text, names in signals.items():
        yield clean(f"  {model.facts.name}: {', '.join(names)}: {text}", _LONGEST_LINE)


def _models_text(board: Board, watched: int | None) -> str:
    counts = Counter(model.health for model in board.models)
    healths = ", ".join(f"{counts[health]} {health}" for health in WORST_FIRST if counts[health])
    if watched is None or watched == len(board.models):
        return f"{count_noun(len(board.models), 'model')}: {healths or 'none'}"
    if not board.models:
        return f"no model matches; {watched} {'is' if watched == 1 else 'are'} watched"
    return f"{len(board.models)} of {count_noun(watched, 'model')}: {healths}"


def _heading(board: Board, watched: int | None) -> list[str]:
    moment = "now" if board.live else "as it was then"
    return [
        f"watchdeck at {iso(board.at)} ({moment})",
        _models_text(board, watched),
        f"collector: {_collector_text(board.collector, board.at)}",
    ]


def _collector_text(collector: Collector, at: int) -> str:
    status = collector.heartbeat
    if status is None:
        return f"{collector.state}, {collector.missing_reason}"
    tick = f"{collector.state}, pid {status.pid}, last tick {format_duration(at - status.at)} ago"
    problems = (
        *(status.blind, status.storing, status.outside, status.faults, status.clock),
        collector.disk,
    )
    return "; ".join(filter(None, (tick, *problems)))


def _row(board: Board, model: Model) -> tuple[str, ...]:
    latest = model.latest
    return (
        model.health.value,
        clean(model.facts.name),
        (latest and latest.kind) or "unknown",
        "unknown" if model.since is None else format_duration(board.at - model.since),
        "never" if latest is None else format_duration(board.at - latest.at),
        *(_signal_text(latest, name) for _, name in _SIGNALS),
        clean(model.why),
    )


def _signal_text(latest: LatestScrape | None, name: str) -> str:
    signal = latest.signals.get(name) if latest else None
    if signal is None or latest is None:
        return "-"
    return " ".join((_value_text(signal), *qualifiers(signal, latest.facts.every)))


def _value_text(signal: SignalValue) -> str:
    """A value; one above the last bucket of its histogram is known only to be greater."""
    if signal.low is not None and signal.high is not None and math.isinf(signal.high):
        return f"> {format_value(signal.low, signal.unit)}"
    return format_value(signal.value, signal.unit)


class SignalDocument(Struct, frozen=True):
    """The newest value of one signal."""

    value: float | None
    """Value in `unit`; null when it is not a finite number."""
    unit: Unit
    """Unit of the numbers; `ratio` is a share from 0 to 1, `0/1` is no or yes."""
    low: float | UnsetType | None = UNSET
    """Lower bound of the histogram's bucket; null when open, absent when the value is exact."""
    high: float | UnsetType | None = UNSET
    """Upper bound of the histogram's bucket; null when open, absent when the value is exact."""
    window_s: float | UnsetType = UNSET
    """Seconds in which the counted events happened; absent for a value without a window."""
    events: float | UnsetType = UNSET
    """Number of the counted events; absent for a signal that is not a share of events."""
    server_wide: bool | UnsetType = UNSET
    """True when the value also counts other models of the server; absent when it does not."""
    resource: str | UnsetType = field(default=UNSET, name="from")
    """Endpoint of the machine or device that the value is of; absent for the server's own."""


class ResourceDocument(Struct, frozen=True):
    """One machine or device that a model uses."""

    endpoint: str
    """Endpoint whose page has its figures."""
    match: dict[str, str]
    """Labels of the part that the model uses; empty for all of it."""
    shared_with: list[str]
    """Other models that use the same part."""


class ModelDocument(Struct, frozen=True):
    """One model: an endpoint of the configuration, its health and its newest scrape."""

    name: str
    """Name of the endpoint."""
    kind: str | None
    """Kind of server, configured or detected; null before the first scrape."""
    health: Health
    """Health; `unknown` never counts as ok."""
    why: str
    """Reason of the health, in words."""
    since: Timestamp | None
    """When the health began; null when unknown."""
    last_seen_age_s: float | None
    """Seconds since the newest scrape, failed ones included; null before the first scrape."""
    outcome: Outcome | None
    """How the newest scrape ended; null before the first scrape."""
    model_state: ModelState | None
    """State that the server reports of its model; null before the first scrape."""
    signals: dict[str, SignalDocument]
    """Newest values by the name of the signal; one without a value is absent, never 0."""
    not_measurable: list[str]
    """Signals that the server does not expose."""
    remarks: dict[str, str]
    """Why a signal is unknown, or to be doubted, by the name of the signal."""
    resources: list[ResourceDocument]
    """Machines and devices that the model uses."""


class CollectorDocument(Struct, frozen=True):
    """The collector, as its newest heartbeat in the store describes it."""

    state: CollectorState
    """`stalled`: its process lives and writes no heartbeat."""
    pid: int | None
    """Id of its process; null without a heartbeat, as on a board of the past."""
    last_tick_age_s: float | None
    """Seconds since its heartbeat; null without one."""
    blind: str | None
    """Why no endpoint can be reached; empty when all is well, null without a heartbeat."""
    storing: str | None
    """Why nothing can be written; empty when all is well, null without a heartbeat."""
    outside: str | None
    """Why notifications cannot be sent, or external alerts not received; empty when all is well,
    null without a heartbeat."""


class BoardDocument(Struct, frozen=True):
    """One board: all models and open alerts at one time."""

    at: Timestamp
    """Time of the board."""
    collector: CollectorDocument
    """The collector that writes the store."""
    models: list[ModelDocument]
    """The models, worst health first, then by name."""
    alerts: list[AlertDocument]
    """The open alerts, worst first."""


def as_json(board: Board) -> str:
    """The board as JSON, whose fields scripts rely on."""
    users = ResourceUsers(model.facts for model in board.models)
    models = sort_worst_first(board.models)
    return to_json(
        BoardDocument(
            at=iso(board.at),
            collector=_collector_document(board.collector, board.at),
            models=[_model_document(board, model, users) for model in models],
            alerts=open_alert_documents(board.alerts),
        )
    )


def _collector_document(collector: Collector, at: int) -> CollectorDocument:
    status = collector.heartbeat
    return CollectorDocument(
        state=collector.state,
        pid=status.pid if status else None,
        last_tick_age_s=_age_seconds(at, status.at) if status else None,
        blind=status.blind if status else None,
        storing=status.storing if status else None,
        outside=status.outside if status else None,
    )


def _age_seconds(now: int, at: int) -> float:
    return round(max(0, now - at) / 1_000, 1)


def _model_document(board: Board, model: Model, users: ResourceUsers) -> ModelDocument:
    latest = model.latest
    signals = latest.signals if latest else {}
    return ModelDocument(
        name=model.facts.name,
        kind=latest.kind if latest else None,
        health=model.health,
        why=model.why,
        since=iso_or_none(model.since),
        last_seen_age_s=_age_seconds(board.at, latest.at) if latest else None,
        outcome=latest.outcome if latest else None,
        model_state=latest.model_state if latest else None,
        signals={name: _signal_document(one) for name, one in signals.items()},
        not_measurable=list(latest.not_measurable) if latest else [],
        remarks=dict(latest.remarks) if latest else {},
        resources=list(map(_resource_document, users.shared_resources(model.facts))),
    )


def _resource_document(shared: SharedResource) -> ResourceDocument:
    resource = shared.resource
    return ResourceDocument(resource.endpoint, dict(resource.match), list(shared.others))


def _signal_document(signal: SignalValue) -> SignalDocument:
    has_bounds = signal.low is not None or signal.high is not None
    return SignalDocument(
        finite_or_none(signal.value),
        signal.unit,
        finite_or_none(signal.low) if has_bounds else UNSET,
        finite_or_none(signal.high) if has_bounds else UNSET,
        UNSET if signal.window is None else signal.window,
        UNSET if signal.events is None else signal.events,
        signal.server_wide or UNSET,
        signal.resource or UNSET,
    )
