"""Choice of a chart's series: signals that share a chart, an objective, an earlier time range."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from watchdeck.domain.board.board import Change
from watchdeck.domain.settings.endpoint import Slo

_DAY = 86_400_000

_GROUPS = (
    ("latency_p50", "latency_p95", "latency_p99", "latency_mean"),
    ("ttft_p95", "tpot_p95"),
    ("tokens_in_rate", "tokens_out_rate"),
    ("queue_depth", "in_flight"),
    ("error_ratio", "client_error_ratio"),
    ("saturation", "cpu_utilization", "memory_ratio", "kv_cache_usage"),
    ("gpu_utilization", "gpu_memory_ratio", "gpu_throttle_ratio"),
    ("replicas_ready", "replicas_wanted"),
    ("up", "ready"),
)
"""Signals of one unit that explain each other; every other signal has a chart of its own."""


def chart_signals(signal: str, absent: Collection[str] = ()) -> tuple[str, ...]:
    """The signals of one chart: `signal`, then the rest of its group without `absent` ones."""
    group = next((group for group in _GROUPS if signal in group), ())
    return (signal, *(name for name in group if name != signal and name not in absent))


def objective_of(signal: str, slo: Slo) -> float | None:
    """The objective of a signal, in the signal's unit; None when the SLO has none."""
    if signal == "latency_p95" and slo.latency_p95 is not None:
        return slo.latency_p95.seconds
    if signal == "error_ratio":
        return slo.error_ratio
    return slo.availability if signal == "availability" else None


def chart_objective(signals: Collection[str], slo: Slo) -> tuple[str, float] | None:
    """The first of these signals that has an objective, with the objective; None without one."""
    found = ((signal, objective_of(signal, slo)) for signal in signals)
    return next(((signal, value) for signal, value in found if value is not None), None)


def short_name(signal: str, others: Collection[str]) -> str:
    """A signal's name without the prefix that all signals of its chart share: `p95`, `in`."""
    prefix, _, rest = signal.partition("_")
    is_shared = len(others) > 1 and all(name.startswith(f"{prefix}_") for name in others)
    return rest if is_shared and rest else signal


class ChartComparison(Struct, frozen=True):
    """An earlier time range to compare with: `by` ms earlier, or ending at a change."""

    label: str
    by: int = 0
    change: Change | None = None

    def shift(self, end: int) -> int:
        """How much earlier (ms) the time range lies than the one that ends at `end` (ms UTC)."""
        return self.by if self.change is None else max(1, end - self.change.at)


YESTERDAY = ChartComparison("yesterday", _DAY)
LAST_WEEK = ChartComparison("last week", 7 * _DAY)


def next_comparison(
    chosen: ChartComparison | None, changes: Iterable[Change], moment: int
) -> ChartComparison | None:
    """The comparison after `chosen`: none, yesterday, last week, before the change, none again.

    The change is the newest one at or before `moment` (ms UTC); without a change it is left out.
    """
    if chosen is None:
        return YESTERDAY
    if chosen == YESTERDAY:
        return LAST_WEEK
    if chosen != LAST_WEEK:
        return None
    known = [change for change in changes if change.at <= moment]
    newest = max(known, key=lambda change: (change.at, change.id), default=None)
    return None if newest is None else ChartComparison(f"before the {newest.what}", change=newest)
