"""A board as text and as JSON: what `status` and `demo --once` print, and their exit code."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

from watchdeck.cli.alerts.output import open_alerts_json
from watchdeck.cli.options import iso
from watchdeck.domain.board.board import Board, Collector, LatestScrape, Model, SignalValue
from watchdeck.domain.board.health import WORST_FIRST, Health
from watchdeck.domain.values.format import format_duration, format_value
from watchdeck.domain.values.text import clean

_EXIT_CODES = {
    Health.DOWN: 2,
    Health.CRITICAL: 2,
    Health.UNKNOWN: 3,
    Health.WARNING: 1,
    Health.OK: 0,
}

_TABLE = (
    ("p95", "latency_p95"),
    ("req/s", "request_rate"),
    ("errors", "error_ratio"),
)
"""The signals that a line of text has room for."""


def exit_code(board: Board) -> int:
    """The code of the worst model; 3 (unknown) for a board without models."""
    present = {model.health for model in board.models}
    return next((_EXIT_CODES[health] for health in WORST_FIRST if health in present), 3)


def worst_first(board: Board) -> list[Model]:
    """The models in the order of a person who has ten seconds, then by name."""
    return sorted(board.models, key=lambda m: (WORST_FIRST.index(m.health), m.facts.name))


def as_text(board: Board) -> str:
    """The board as plain lines: a summary, the collector, a table worst first."""
    rows = [("HEALTH", "MODEL", "KIND", "SINCE", "SEEN", *(head for head, _ in _TABLE), "WHY")]
    rows += [_row(board, model) for model in worst_first(board)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([*_heading(board), "", *lines])


def _heading(board: Board) -> list[str]:
    counts = Counter(model.health for model in board.models)
    said = ", ".join(f"{counts[health]} {health}" for health in WORST_FIRST if counts[health])
    moment = "now" if board.live else "as it was then"
    return [
        f"watchdeck at {iso(board.at)} ({moment})",
        f"{len(board.models)} {'model' if len(board.models) == 1 else 'models'}: {said or 'none'}",
        f"collector: {_collector(board.collector, board.at)}",
    ]


def _collector(collector: Collector, at: int) -> str:
    beat = collector.heartbeat
    if beat is None:
        return f"{collector.state}, {collector.silence}"
    said = f"{collector.state}, pid {beat.pid}, last tick {format_duration(at - beat.at)} ago"
    return "; ".join(filter(None, (said, beat.blind, beat.storing, beat.outside, beat.clock)))


def _row(board: Board, model: Model) -> tuple[str, ...]:
    latest = model.latest
    return (
        model.health.value,
        clean(model.facts.name),
        (latest and latest.kind) or "unknown",
        "unknown" if model.since is None else format_duration(board.at - model.since),
        "never" if latest is None else format_duration(board.at - latest.at),
        *(_signal(latest, name) for _, name in _TABLE),
        clean(model.why),
    )


def _signal(latest: LatestScrape | None, name: str) -> str:
    reading = latest.signals.get(name) if latest else None
    return format_value(reading.value, reading.unit) if reading else "-"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()


def as_json(board: Board) -> str:
    """The board as the JSON that scripts rely on; a part that is not built is absent."""
    models = [_model(board, model) for model in worst_first(board)]
    answer = {
        "at": iso(board.at),
        "collector": _collector_json(board.collector, board.at),
        "models": models,
        "alerts": open_alerts_json(board.alerts),
    }
    return json.dumps(answer, indent=1, ensure_ascii=False, allow_nan=False)


def _collector_json(collector: Collector, at: int) -> dict[str, Any]:
    beat = collector.heartbeat
    return {
        "state": collector.state,
        "pid": beat and beat.pid,
        "last_tick_age_s": beat and _age(at, beat.at),
        "blind": beat and beat.blind,
        "storing": beat and beat.storing,
        "outside": beat and beat.outside,
    }


def _age(now: int, at: int) -> float:
    return round(max(0, now - at) / 1_000, 1)


def _model(board: Board, model: Model) -> dict[str, Any]:
    latest = model.latest
    return {
        "name": model.facts.name,
        "kind": latest and latest.kind,
        "health": model.health,
        "why": model.why,
        "since": None if model.since is None else iso(model.since),
        "last_seen_age_s": latest and _age(board.at, latest.at),
        "outcome": latest and latest.outcome,
        "model_state": latest and latest.model_state,
        "signals": {name: _reading(r) for name, r in latest.signals.items()} if latest else {},
        "not_measurable": list(latest.not_measurable) if latest else [],
    }


def _reading(reading: SignalValue) -> dict[str, Any]:
    answer: dict[str, Any] = {"value": _finite(reading.value), "unit": reading.unit}
    if reading.low is not None or reading.high is not None:
        answer |= {"low": _finite(reading.low), "high": _finite(reading.high)}
    return answer


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
