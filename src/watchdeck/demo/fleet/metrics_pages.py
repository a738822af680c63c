"""Metrics pages in the shapes of real servers, from simulated counts.

The same functions make a page of the present (counts are numbers, rendered by `render_page`) and
the columns of the history (counts are arrays over time).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from msgspec import Struct

from watchdeck.demo.fleet.traffic import BUCKETS, Count, Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray


Value: TypeAlias = "float | NDArray[Any]"
"""The value of a series: a number, or an array over time."""

FIRST_TOKEN = 0.1
"""The share of a request's time until its first token."""

CARD_MEMORY = 81_200
"""Mebibytes of each GPU."""

UNSUPPORTED = 9223372036854775794
"""The value that DCGM shows when a GPU does not support a field."""


class MetricFamily(Struct, frozen=True):
    """The series under one `# TYPE` line; a row has a name suffix, labels and a value."""

    name: str
    type: str
    rows: tuple[tuple[str, str, Value], ...]


class Page(Protocol):
    """A function that makes a page's families from a model's name and its server's counts."""

    def __call__(self, model: str, counts: Counts[Any]) -> Iterator[MetricFamily]:
        """The families in the order of the page."""


def render_page(families: Iterable[MetricFamily]) -> str:
    """The text of a page, as a server sends it."""
    return "".join(line for family in families for line in _lines(family))


def _lines(family: MetricFamily) -> Iterator[str]:
    yield f"# TYPE {family.name} {family.type}\n"
    for suffix, labels, value in family.rows:
        yield f"{family.name}{suffix}{{{labels}}} {value}\n"


def bound_text(bound: float, scale: float = 1.0) -> str:
    """A bucket's upper bound, times `scale`, as its `le` label shows it."""
    return f"{bound * scale:g}"


def _one(name: str, type_: str, labels: str, value: Value) -> MetricFamily:
    return MetricFamily(name, type_, (("", labels, value),))


def _histogram(name: str, labels: str, counts: Counts[Count], scale: float = 1.0) -> MetricFamily:
    rows: list[tuple[str, str, Value]] = []
    totals = list(accumulate(counts.buckets))
    for bound, total in zip((*BUCKETS, None), totals, strict=True):
        le = "+Inf" if bound is None else bound_text(bound, scale)
        rows.append(("_bucket", f'{labels},le="{le}"', total))
    rows.append(("_sum", labels, counts.micros * scale / 1e6))
    rows.append(("_count", labels, totals[-1]))
    return MetricFamily(name, "histogram", tuple(rows))


def at_most(value: Count, most: int) -> Count:
    """The smaller of `value` and `most`; `value` may be an array."""
    return value - (value > most) * (value - most)


def excess(value: Count, least: int) -> Count:
    """How far `value` is above `least`, or 0; `value` may be an array."""
    return (value > least) * (value - least)


def mlserver(model: str, counts: Counts[Count]) -> Iterator[MetricFamily]:
    """A page of MLServer 1.7: model counters, and a latency histogram by route template."""
    route = 'app_name="mlserver",method="POST",path="/v2/models/{model_name}/infer"'
    good, bad = f'{route},status_code="200"', f'{route},status_code="500"'
    yield MetricFamily(
        "rest_server_requests_total", "counter", (("", good, counts.good), ("", bad, counts.bad))
    )
    for word, count in (("failure", counts.bad), ("success", counts.good)):
        labels = f'model="{model}",version="v2"'
        yield _one(f"model_infer_request_{word}_total", "counter", labels, count)
    yield _histogram("rest_server_request_duration_seconds", good, counts)
    labels = 'app_name="mlserver",method="POST"'
    yield _one("rest_server_requests_in_progress", "gauge", labels, counts.in_flight)


def bentoml(model: str, counts: Counts[Count]) -> Iterator[MetricFamily]:
    """A page of BentoML 1.4: one counter by endpoint and code, one histogram."""
    labels = f'endpoint="/predict",service_name="{model}",service_version="not available"'
    codes = (("200", counts.good), ("500", counts.bad))
    rows = tuple(("", f'{labels},http_response_code="{code}"', count) for code, count in codes)
    yield MetricFamily("bentoml_service_request_total", "counter", rows)
    yield _histogram("bentoml_service_request_duration_seconds", labels, counts)
    yield _one("bentoml_service_request_in_progress", "gauge", labels, counts.in_flight)


def triton(model: str, counts: Counts[Count]) -> Iterator[MetricFamily]:
    """A page of Triton 2.5x: counters without `_total`, cumulative microseconds, no quantiles."""
    labels = f'model="{model}",version="1"'
    yield _one("nv_inference_request_success", "counter", labels, counts.good)
    yield _one("nv_inference_request_failure", "counter", labels, counts.bad)
    yield _one("nv_inference_request_duration_us", "counter", labels, counts.micros)
    yield _one("nv_inference_queue_duration_us", "counter", labels, counts.micros // 5)
    waiting = counts.in_flight // 2
    yield _one("nv_inference_pending_request_count", "gauge", labels, waiting)
    busy = at_most(counts.in_flight, 20) / 20
    yield _one("nv_gpu_utilization", "gauge", 'gpu_uuid="GPU-0"', busy)


def vllm(model: str, counts: Counts[Count]) -> Iterator[MetricFamily]:
    """A page of vLLM: finished requests by reason, tokens, time to first token, cache usage."""
    labels = f'engine="0",model_name="{model}"'
    finished = f'{labels},finished_reason="stop"'
    yield _one("vllm:request_success_total", "counter", finished, counts.served)
    yield _one("vllm:prompt_tokens_total", "counter", labels, counts.tokens_in)
    yield _one("vllm:generation_tokens_total", "counter", labels, counts.tokens_out)
    yield _histogram("vllm:e2e_request_latency_seconds", labels, counts)
    yield _histogram("vllm:time_to_first_token_seconds", labels, counts, FIRST_TOKEN)
    yield _one("vllm:num_requests_running", "gauge", labels, counts.in_flight)
    yield _one("vllm:num_requests_waiting", "gauge", labels, excess(counts.in_flight, 24))
    yield _one("vllm:kv_cache_usage_perc", "gauge", labels, at_most(counts.in_flight, 36) / 40)


def kserve(model: str, counts: Counts[Count]) -> Iterator[MetricFamily]:
    """A page of KServe's model server: histograms of three stages, and no counter of errors."""
    labels = f'model_name="{model}"'
    for stage, scale in (("preprocess", 0.1), ("predict", 1.0), ("postprocess", 0.05)):
        yield _histogram(f"request_{stage}_seconds", labels, counts, scale)


def dcgm(model: str, counts: Counts[Count]) -> Iterator[MetricFamily]:
    """A page of the DCGM exporter on a node with two GPUs; one value is "unsupported"."""
    busy, used = gpu_values(counts)
    free = (CARD_MEMORY - used[0], CARD_MEMORY - used[1])
    kinds: tuple[tuple[str, tuple[Value, Value]], ...] = (
        ("GPU_UTIL", busy),
        ("FB_USED", used),
        ("FB_FREE", free),
        ("GPU_TEMP", (46 + busy[0] // 3, 44 + busy[1] // 3)),
        ("MEMORY_TEMP", (61, UNSUPPORTED)),
    )
    for word, values in kinds:
        rows = tuple(
            ("", f'gpu="{gpu}",UUID="GPU-{gpu}",Hostname="{model}"', value)
            for gpu, value in enumerate(values)
        )
        yield MetricFamily(f"DCGM_FI_DEV_{word}", "gauge", rows)


def gpu_values(counts: Counts[Count]) -> tuple[tuple[Count, Count], tuple[Count, Count]]:
    """The utilization of two GPUs (percent), and their used memory (MiB)."""
    busy = at_most(4 * counts.in_flight, 98)
    used = 41_200 + 40 * counts.in_flight
    return (busy, excess(busy, 7)), (used, used + 310)


def generic(model: str, counts: Counts[Count]) -> Iterator[MetricFamily]:
    """A page of an unknown server whose labels attack with terminal escapes and markup."""
    evil = f'job="{model} \x1b]2;owned\x07[/nope][@click=app.quit]\u202e"'
    yield _one("predictions_total", "counter", evil, counts.served)
    yield _one("prediction_errors_total", "counter", evil, counts.bad)
    yield _histogram("prediction_seconds", evil, counts)
