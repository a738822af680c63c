"""A board as text and as JSON: what `status` and `demo --once` print, and their exit code."""

from collections import Counter
from typing import Any

from watchdeck.cli.alerts.output import open_alerts_json
from watchdeck.cli.options import iso
from watchdeck.cli.output import count_noun, finite_or_none, table_lines, to_json
from watchdeck.domain.board.board import (
    WORST_FIRST,
    Board,
    Collector,
    Health,
    LatestScrape,
    Model,
    SignalValue,
    sort_worst_first,
)
from watchdeck.domain.values.format import format_duration, format_value
from watchdeck.domain.values.text import clean

_EXIT_CODES = {
    Health.DOWN: 2,
    Health.CRITICAL: 2,
    Health.UNKNOWN: 3,
    Health.WARNING: 1,
    Health.OK: 0,
}

_SIGNALS = (("p95", "latency_p95"), ("req/s", "request_rate"), ("errors", "error_ratio"))
"""The headers and the signals of the last columns of the text table."""


def exit_code(board: Board) -> int:
    """The exit code of the worst model: 0 ok, 1 warning, 2 critical or down, 3 unknown or none."""
    present = {model.health for model in board.models}
    return next((_EXIT_CODES[health] for health in WORST_FIRST if health in present), 3)


def as_text(board: Board) -> str:
    """The board as plain lines: a summary, the collector, and a table of models, worst first."""
    rows = [("HEALTH", "MODEL", "KIND", "SINCE", "SEEN", *(head for head, _ in _SIGNALS), "WHY")]
    rows += [_row(board, model) for model in sort_worst_first(board.models)]
    return "\n".join([*_heading(board), "", *table_lines(rows)])


def _heading(board: Board) -> list[str]:
    counts = Counter(model.health for model in board.models)
    healths = ", ".join(f"{counts[health]} {health}" for health in WORST_FIRST if counts[health])
    moment = "now" if board.live else "as it was then"
    return [
        f"watchdeck at {iso(board.at)} ({moment})",
        f"{count_noun(len(board.models), 'model')}: {healths or 'none'}",
        f"collector: {_collector_text(board.collector, board.at)}",
    ]


def _collector_text(collector: Collector, at: int) -> str:
    status = collector.heartbeat
    if status is None:
        return f"{collector.state}, {collector.missing_reason}"
    tick = f"{collector.state}, pid {status.pid}, last tick {format_duration(at - status.at)} ago"
    problems = (status.blind, status.storing, status.outside, status.clock)
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
    return format_value(signal.value, signal.unit) if signal else "-"


def as_json(board: Board) -> str:
    """The board as JSON, whose fields scripts rely on."""
    return to_json(
        {
            "at": iso(board.at),
            "collector": _collector_json(board.collector, board.at),
            "models": [_model_json(board, model) for model in sort_worst_first(board.models)],
            "alerts": open_alerts_json(board.alerts),
        }
    )


def _collector_json(collector: Collector, at: int) -> dict[str, Any]:
    status = collector.heartbeat
    return {
        "state": collector.state,
        "pid": status and status.pid,
        "last_tick_age_s": status and _age_seconds(at, status.at),
        "blind": status and status.blind,
        "storing": status and status.storing,
        "outside": status and status.outside,
    }


def _age_seconds(now: int, at: int) -> float:
    return round(max(0, now - at) / 1_000, 1)


def _model_json(board: Board, model: Model) -> dict[str, Any]:
    latest = model.latest
    signals = latest.signals if latest else {}
    return {
        "name": model.facts.name,
        "kind": latest and latest.kind,
        "health": model.health,
        "why": model.why,
        "since": None if model.since is None else iso(model.since),
        "last_seen_age_s": latest and _age_seconds(board.at, latest.at),
        "outcome": latest and latest.outcome,
        "model_state": latest and latest.model_state,
        "signals": {name: _signal_json(one) for name, one in signals.items()},
        "not_measurable": list(latest.not_measurable) if latest else [],
    }


def _signal_json(signal: SignalValue) -> dict[str, Any]:
    fields: dict[str, Any] = {"value": finite_or_none(signal.value), "unit": signal.unit}
    if signal.low is not None or signal.high is not None:
        fields |= {"low": finite_or_none(signal.low), "high": finite_or_none(signal.high)}
    return fields
