"""Signals: the measurements of a model, each with a name and a unit."""

from functools import cache

from msgspec import Struct

from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.values.units import Unit


class Signal(Struct, frozen=True):
    """One signal: its unit, and its meaning in words.

    `bounded` signals are quantiles of a histogram: the bounds of the bucket are stored beside the
    value, as `NAME.low` and `NAME.high`.
    """

    name: str
    unit: Unit
    means: str
    bounded: bool = False


def _table(*signals: Signal) -> dict[str, Signal]:
    return {signal.name: signal for signal in signals}


SIGNALS = _table(
    Signal("up", Unit.STATE, "the last scrape was answered as it should be"),
    Signal("ready", Unit.STATE, "the model itself says that it can serve"),
    Signal("availability", Unit.RATIO, "good probes among all probes of the last hour"),
    Signal("request_rate", Unit.PER_SECOND, "predictions a second, probes and canaries left out"),
    Signal("error_ratio", Unit.RATIO, "failed predictions among all"),
    Signal("latency_p50", Unit.SECONDS, "half of the predictions were faster", bounded=True),
    Signal("latency_p95", Unit.SECONDS, "95 % of the predictions were faster", bounded=True),
    Signal("latency_p99", Unit.SECONDS, "99 % of the predictions were faster", bounded=True),
    Signal("latency_mean", Unit.SECONDS, "mean time of a prediction"),
    Signal("queue_depth", Unit.COUNT, "requests waiting"),
    Signal("queue_time", Unit.SECONDS, "mean time spent waiting"),
    Signal("in_flight", Unit.COUNT, "requests being worked on"),
    Signal("saturation", Unit.RATIO, "how full the tightest resource is"),
    Signal("cpu_utilization", Unit.RATIO, "share of the processor in use"),
    Signal("gpu_utilization", Unit.RATIO, "share of the GPU in use"),
    Signal("memory_bytes", Unit.BYTES, "resident memory of the server"),
    Signal("gpu_memory_ratio", Unit.RATIO, "share of the GPU's memory in use"),
    Signal("ttft_p95", Unit.SECONDS, "95 % of first tokens came sooner", bounded=True),
    Signal("tpot_p95", Unit.SECONDS, "95 % of further tokens came sooner", bounded=True),
    Signal("tokens_in_rate", Unit.PER_SECOND, "prompt tokens a second"),
    Signal("tokens_out_rate", Unit.PER_SECOND, "generated tokens a second"),
    Signal("kv_cache_usage", Unit.RATIO, "share of the key-value cache in use"),
    Signal("tls_days_left", Unit.DAYS, "days until the certificate expires"),
    Signal("scrape_duration", Unit.SECONDS, "how long the last scrape took"),
)
"""Every signal derived from scrapes, in the order of the screens."""

AWAITED: dict[str, tuple[str, Unit | None]] = {
    **dict.fromkeys(
        ("accuracy", "precision", "recall", "f1", "roc_auc", "false_positive_rate"),
        ("quality", Unit.RATIO),
    ),
    "drift_share": ("drift", Unit.RATIO),
    "missing_ratio": ("drift", Unit.RATIO),
    "volume_ratio": ("drift", None),
    "freshness": ("drift", Unit.SECONDS),
    "spend_rate": ("spend", None),
    "cost_per_1k": ("spend", None),
}
"""Signals that watchdeck does not measure yet, each with its group and its unit.

The unit is None for money, and for multiples of the usual value.
"""

PROBE_SIGNALS = ("up", "ready", "availability", "tls_days_left", "scrape_duration")
"""Signals of the scrape itself, which every endpoint has, whatever its kind."""

OUTCOME_COLUMN = "outcome"
"""The first column of every signal frame: the code of the Outcome."""


def frame_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    """The column names of a frame of these signals: the outcome, then each value and its bounds."""
    found: list[str] = [OUTCOME_COLUMN]
    for name in SIGNALS:
        if name in names or name in PROBE_SIGNALS:
            found.append(name)
            if SIGNALS[name].bounded:
                found += (f"{name}.low", f"{name}.high")
    return tuple(found)


@cache
def signal_layout(names: tuple[str, ...]) -> Layout:
    """The shared layout of the signal frames of these signals, given in any order."""
    return Layout(tuple(Series(c, (), SeriesType.GAUGE) for c in frame_columns(names)))


ALIASES = {
    "p50": "latency_p50",
    "p95": "latency_p95",
    "p99": "latency_p99",
    "mean": "latency_mean",
    "rate": "request_rate",
    "req/s": "request_rate",
    "errors": "error_ratio",
    "err": "error_ratio",
    "avail": "availability",
    "sat": "saturation",
    "cpu": "cpu_utilization",
    "gpu": "gpu_utilization",
    "memory": "memory_bytes",
}
"""Short names of signals."""
