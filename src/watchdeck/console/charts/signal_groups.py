"""Signals that belong into one chart: one unit, one story."""

from __future__ import annotations

from collections.abc import Collection

from watchdeck.domain.values.slo import Slo

_GROUPS = (
    ("latency_p50", "latency_p95", "latency_p99", "latency_mean"),
    ("ttft_p95", "tpot_p95"),
    ("tokens_in_rate", "tokens_out_rate"),
    ("queue_depth", "in_flight"),
    ("saturation", "cpu_utilization", "kv_cache_usage"),
    ("gpu_utilization", "gpu_memory_ratio"),
    ("up", "ready"),
)
"""Signals of one unit that explain each other; every other signal stands alone."""


def together(signal: str, absent: Collection[str] = ()) -> tuple[str, ...]:
    """The signals of one chart, the one asked for first, without those that cannot be had."""
    group = next((group for group in _GROUPS if signal in group), ())
    return (signal, *(name for name in group if name != signal and name not in absent))


def promised(signal: str, slo: Slo) -> float | None:
    """What was promised of a signal, in its unit; None when nothing was."""
    if signal == "latency_p95" and slo.latency_p95 is not None:
        return slo.latency_p95.seconds
    if signal == "error_ratio":
        return slo.error_ratio
    return slo.availability if signal == "availability" else None


def limit(signals: Collection[str], slo: Slo) -> tuple[str, float] | None:
    """The promise that a chart of these signals shows: of which signal, and how much."""
    found = ((signal, promised(signal, slo)) for signal in signals)
    return next(((signal, value) for signal, value in found if value is not None), None)


def short(signal: str, others: Collection[str]) -> str:
    """A signal's name without what it shares with the others of its chart: `p95`, `in`."""
    start, _, rest = signal.partition("_")
    same = len(others) > 1 and all(name.startswith(f"{start}_") for name in others)
    return rest if same and rest else signal
