"""The formulas of the demo's signals, over all scrapes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from watchdeck.demo.fleet import metrics_pages as pages
from watchdeck.demo.fleet.traffic import BUCKETS, Counts
from watchdeck.domain.signals.formula import MINIMUM_EVENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from watchdeck.demo.history.array_types import Floats, Integers

_SHARES = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}


class CounterDeltas(Struct, frozen=True):
    """The answered scrapes: what was counted, and with which earlier scrape each is compared.

    A scrape that is compared with itself has no earlier one in reach.
    """

    counts: Counts[Integers]
    since: Integers
    seconds: Floats

    def rise(self, counted: Integers) -> Floats:
        """The increase of a counter over the window."""
        increase: Floats = (counted - counted[self.since]).astype("f8")
        return increase


Column = tuple[str, "NDArray[Any]"]
Formula = Callable[[CounterDeltas], Iterator[Column]]


def _requests(moved: CounterDeltas) -> Iterator[Column]:
    yield "request_rate", moved.rise(moved.counts.served) / moved.seconds


def _errors(moved: CounterDeltas) -> Iterator[Column]:
    yield "error_ratio", _over(moved.rise(moved.counts.bad), moved, MINIMUM_EVENTS)


def _no_errors(moved: CounterDeltas) -> Iterator[Column]:
    yield "error_ratio", _over(moved.seconds * 0, moved, MINIMUM_EVENTS)


def _mean(moved: CounterDeltas) -> Iterator[Column]:
    yield "latency_mean", _over(moved.rise(moved.counts.micros), moved, 1) / 1e6


def _over(part: Floats, moved: CounterDeltas, least: int) -> Floats:
    import numpy as np

    events = moved.rise(moved.counts.served)
    return np.where(events >= least, part / events, np.nan)


def _latencies(moved: CounterDeltas) -> Iterator[Column]:
    yield from _quantiles(moved, _SHARES)


def _first_tokens(moved: CounterDeltas) -> Iterator[Column]:
    yield from _quantiles(moved, {"ttft_p95": 0.95}, pages.FIRST_TOKEN)


def _quantiles(
    moved: CounterDeltas, shares: Mapping[str, float], scale: float = 1.0
) -> Iterator[Column]:
    """`domain.quantile` for all scrapes: the bucket in which the rank lies, and where in it."""
    import numpy as np

    rises = np.array([moved.rise(bucket) for bucket in moved.counts.buckets])
    below = np.cumsum(np.concatenate([np.zeros_like(rises[:1]), rises]), axis=0)
    bounds = np.array([0.0, *(float(pages.bound_text(b, scale)) for b in BUCKETS), np.inf])
    every = np.arange(below.shape[1])
    for name, share in shares.items():
        rank = share * below[-1]
        place = (below[1:] < rank).sum(axis=0)
        before, there = below[place, every], below[place + 1, every]
        low, high = bounds[place], bounds[place + 1]
        inside = low + (high - low) * (rank - before) / (there - before)
        value = np.where(np.isinf(high), low, np.minimum(inside, high))
        for column, values in ((name, value), (f"{name}.low", low), (f"{name}.high", high)):
            yield column, np.where(below[-1] >= MINIMUM_EVENTS, values, np.nan)


def _running(moved: CounterDeltas) -> Iterator[Column]:
    yield "in_flight", moved.counts.in_flight * 1.0


def _triton(moved: CounterDeltas) -> Iterator[Column]:
    """Triton counts the time of good requests and bad ones, but divides it by the good."""
    import numpy as np

    counts, good = moved.counts, moved.rise(moved.counts.good)
    for name, micros in (("latency_mean", counts.micros), ("queue_time", counts.micros // 5)):
        yield name, np.where(good >= 1, moved.rise(micros) / good, np.nan) / 1e6
    yield "queue_depth", counts.in_flight // 2 * 1.0
    yield "gpu_utilization", pages.at_most(counts.in_flight, 20) / 20


def _language(moved: CounterDeltas) -> Iterator[Column]:
    counts = moved.counts
    yield "tokens_in_rate", moved.rise(counts.tokens_in) / moved.seconds
    yield "tokens_out_rate", moved.rise(counts.tokens_out) / moved.seconds
    yield "queue_depth", pages.excess(counts.in_flight, 24) * 1.0
    for name in ("saturation", "kv_cache_usage"):
        yield name, pages.at_most(counts.in_flight, 36) / 40


def _cards(moved: CounterDeltas) -> Iterator[Column]:
    busy, used = pages.cards(moved.counts)
    yield "gpu_utilization", (busy[0] + busy[1]) / 200
    yield "gpu_memory_ratio", (used[0] + used[1]) / (2 * pages.CARD_MEMORY)


FORMULAS: Mapping[pages.Page, tuple[Formula, ...]] = {
    pages.mlserver: (_requests, _errors, _latencies, _running),
    pages.bentoml: (_requests, _errors, _latencies, _mean, _running),
    pages.triton: (_requests, _errors, _triton),
    pages.vllm: (_requests, _latencies, _mean, _first_tokens, _running, _language),
    pages.kserve: (_requests, _no_errors, _latencies, _mean),
    pages.dcgm: (_cards,),
    pages.generic: (_requests, _errors, _latencies, _mean),
}
"""What the kind of each page can tell."""
