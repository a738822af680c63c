"""Signals: the measurements of a model, each with a name and a unit."""

from functools import cache

from msgspec import Struct

from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.values.units import Unit


class Signal(Struct, frozen=True):
    """One signal: its unit, and its meaning in words.

    `bounded` signals are quantiles of a histogram: the bounds of the bucket are stored beside the
    value, as `NAME.low` and `NAME.high`. `windowed` signals are computed from the events of a
    window that grows until it holds enough of them: its length is stored as `NAME.window` (s).
    `counted` signals are shares of events: the number of all events is stored as `NAME.events`.
    """

    name: str
    unit: Unit
    means: str
    bounded: bool = False
    windowed: bool = False
    counted: bool = False


def _table(*signals: Signal) -> dict[str, Signal]:
    return {signal.name: signal for signal in signals}


def _quantile(name: str, means: str) -> Signal:
    return Signal(name, Unit.SECONDS, means, bounded=True, windowed=True)


SIGNALS = _table(
    Signal("up", Unit.STATE, "the last scrape was answered as it should be"),
    Signal("ready", Unit.STATE, "the model itself says that it can serve"),
    Signal("availability", Unit.RATIO, "good probes among all probes of the last hour"),
    Signal("request_rate", Unit.PER_SECOND, "predictions a second, probes and canaries left out"),
    Signal(
        "error_ratio",
        Unit.RATIO,
        "predictions that the server failed among all",
        windowed=True,
        counted=True,
    ),
    Signal(
        "client_error_ratio",
        Unit.RATIO,
        "predictions that the client spoiled or gave up among all",
        windowed=True,
        counted=True,
    ),
    _quantile("latency_p50", "half of the predictions were faster"),
    _quantile("latency_p95", "95 % of the predictions were faster"),
    _quantile("latency_p99", "99 % of the predictions were faster"),
    Signal("latency_mean", Unit.SECONDS, "mean time of a prediction", windowed=True),
    Signal("queue_depth", Unit.COUNT, "requests waiting"),
    Signal("queue_time", Unit.SECONDS, "mean time spent waiting", windowed=True),
    Signal("in_flight", Unit.COUNT, "requests being worked on"),
    Signal("batch_size", Unit.COUNT, "mean predictions executed together", windowed=True),
    Signal("saturation", Unit.RATIO, "how full the tightest resource is"),
    Signal("cpu_utilization", Unit.RATIO, "share of the processor in use"),
    Signal("gpu_utilization", Unit.RATIO, "share of the GPU in use"),
    Signal("memory_bytes", Unit.BYTES, "resident memory of the server"),
    Signal("memory_ratio", Unit.RATIO, "share of the machine's or container's memory in use"),
    Signal("gpu_memory_ratio", Unit.RATIO, "share of the GPU's memory in use"),
    Signal("gpu_temperature", Unit.CELSIUS, "temperature of the hottest GPU"),
    Signal("gpu_throttle_ratio", Unit.RATIO, "share of time that heat slowed the GPU down"),
    Signal("gpu_xid", Unit.COUNT, "code of the last XID error of the GPU's driver, 0 for none"),
    Signal("gpu_ecc_errors", Unit.COUNT, "memory errors of the GPU that could not be corrected"),
    Signal("replicas_ready", Unit.COUNT, "replicas that can serve"),
    Signal("replicas_wanted", Unit.COUNT, "replicas that there should be"),
    Signal("restarts", Unit.COUNT, "starts of the server that were seen in the last hour"),
    _quantile("ttft_p95", "95 % of first tokens came sooner"),
    _quantile("tpot_p95", "95 % of further tokens came sooner"),
    Signal("tokens_in_rate", Unit.PER_SECOND, "prompt tokens a second"),
    Signal("tokens_out_rate", Unit.PER_SECOND, "generated tokens a second"),
    Signal("truncated_ratio", Unit.RATIO, "answers cut at their greatest length", windowed=True),
    Signal("kv_cache_usage", Unit.RATIO, "share of the key-value cache in use"),
    Signal("cache_hit_ratio", Unit.RATIO, "share of lookups that a cache answered", windowed=True),
    Signal("preemptions", Unit.PER_SECOND, "requests a second put back for lack of cache"),
    Signal("quota_left_ratio", Unit.RATIO, "smallest share of a provider's quota that is left"),
    Signal("signals_missing", Unit.COUNT, "signals that the page gave once and gives no more"),
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

PROBE_SIGNALS = (
    *("up", "ready", "availability"),
    *("restarts", "signals_missing", "tls_days_left", "scrape_duration"),
)
"""Signals of the scrape itself, which every endpoint has, whatever its kind."""

RESOURCE_SIGNALS = (
    *("cpu_utilization", "gpu_utilization", "memory_bytes", "memory_ratio", "gpu_memory_ratio"),
    *("gpu_temperature", "gpu_throttle_ratio", "gpu_xid", "gpu_ecc_errors"),
)
"""Signals of a machine or device, which a model can have from the page of a resource."""

OUTCOME_COLUMN = "outcome"
"""The first column of every signal frame: the code of the Outcome."""


def frame_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    """The column names of a frame of these signals: the outcome, then each value and its details.

    The details are the bounds, the window and the number of events, of signals that have them.
    """
    found: list[str] = [OUTCOME_COLUMN]
    for name, signal in SIGNALS.items():
        if name in names or name in PROBE_SIGNALS:
            found.append(name)
            found += (f"{name}.{detail}" for detail in signal_details(signal))
    return tuple(found)


def signal_details(signal: Signal) -> tuple[str, ...]:
    """The details that a frame stores beside the value of a signal, in the order of the frame."""
    bounds = ("low", "high") if signal.bounded else ()
    window = ("window",) if signal.windowed else ()
    return (*bounds, *window, *(("events",) if signal.counted else ()))


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
