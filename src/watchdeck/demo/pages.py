"""Metrics pages in the shapes of real servers, from simulated counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from watchdeck.demo.traffic import BUCKETS, Counters

Page = Callable[[str, Counters], Iterator[str]]
"""The lines of a page, from the model's name and its counters."""


def _histogram(name: str, labels: str, counters: Counters, scale: float = 1.0) -> Iterator[str]:
    yield f"# TYPE {name} histogram"
    total = 0
    for bound, count in zip((*BUCKETS, None), counters.buckets, strict=True):
        total += count
        le = "+Inf" if bound is None else f"{bound * scale:g}"
        yield f'{name}_bucket{{{labels},le="{le}"}} {total}'
    yield f"{name}_sum{{{labels}}} {counters.seconds * scale!r}"
    yield f"{name}_count{{{labels}}} {total}"


def mlserver(model: str, counters: Counters) -> Iterator[str]:
    """MLServer 1.7: model counters, and a latency histogram by route template."""
    route = "/v2/models/{model_name}/infer"
    yield "# TYPE rest_server_requests_total counter"
    start = f'rest_server_requests_total{{app_name="mlserver",method="POST",path="{route}"'
    yield f'{start},status_code="200"}} {counters.good}'
    yield f'{start},status_code="500"}} {counters.bad}'
    for word, count in (("failure", counters.bad), ("success", counters.good)):
        yield f"# TYPE model_infer_request_{word}_total counter"
        yield f'model_infer_request_{word}_total{{model="{model}",version="v3"}} {count}'
    labels = f'app_name="mlserver",method="POST",path="{route}",status_code="200"'
    yield from _histogram("rest_server_request_duration_seconds", labels, counters)
    yield "# TYPE rest_server_requests_in_progress gauge"
    yield f'rest_server_requests_in_progress{{app_name="mlserver"}} {counters.in_flight}'


def bentoml(model: str, counters: Counters) -> Iterator[str]:
    """BentoML 1.4: one counter by endpoint and code, one histogram."""
    labels = f'endpoint="/predict",service_name="{model}",service_version="not available"'
    yield "# TYPE bentoml_service_request_total counter"
    for code, count in (("200", counters.good), ("500", counters.bad)):
        yield f'bentoml_service_request_total{{{labels},http_response_code="{code}"}} {count}'
    yield from _histogram("bentoml_service_request_duration_seconds", labels, counters)
    yield "# TYPE bentoml_service_request_in_progress gauge"
    yield f"bentoml_service_request_in_progress{{{labels}}} {counters.in_flight}"


def triton(model: str, counters: Counters) -> Iterator[str]:
    """Triton 2.5x: counters without `_total`, cumulative microseconds, no quantiles."""
    labels = f'model="{model}",version="1"'
    micros = round(counters.seconds * 1e6)
    rows = (
        ("success", counters.good),
        ("failure", counters.bad),
        ("duration_us", micros),
    )
    for word, value in rows:
        yield f"# TYPE nv_inference_request_{word} counter"
        yield f"nv_inference_request_{word}{{{labels}}} {value}"
    yield "# TYPE nv_inference_queue_duration_us counter"
    yield f"nv_inference_queue_duration_us{{{labels}}} {micros // 5}"
    yield "# TYPE nv_inference_pending_request_count gauge"
    yield f"nv_inference_pending_request_count{{{labels}}} {counters.in_flight // 2}"
    yield "# TYPE nv_gpu_utilization gauge"
    yield f'nv_gpu_utilization{{gpu_uuid="GPU-0"}} {min(1.0, counters.in_flight / 20):.3f}'


def vllm(model: str, counters: Counters) -> Iterator[str]:
    """VLLM: finished requests by reason, tokens, time to first token, cache usage."""
    labels = f'engine="0",model_name="{model}"'
    yield "# TYPE vllm:request_success_total counter"
    yield f'vllm:request_success_total{{{labels},finished_reason="stop"}} {counters.served}'
    for word, count in (("prompt", counters.tokens_in), ("generation", counters.tokens_out)):
        yield f"# TYPE vllm:{word}_tokens_total counter"
        yield f"vllm:{word}_tokens_total{{{labels}}} {count}"
    yield from _histogram("vllm:e2e_request_latency_seconds", labels, counters)
    yield from _histogram("vllm:time_to_first_token_seconds", labels, counters, 0.1)
    gauges = (
        ("num_requests_running", counters.in_flight),
        ("num_requests_waiting", max(0, counters.in_flight - 24)),
        ("kv_cache_usage_perc", round(min(0.9, counters.in_flight / 40), 4)),
    )
    for word, value in gauges:
        yield f"# TYPE vllm:{word} gauge"
        yield f"vllm:{word}{{{labels}}} {value}"


def kserve(model: str, counters: Counters) -> Iterator[str]:
    """KServe's model server: histograms of three stages, and no counter of errors."""
    labels = f'model_name="{model}"'
    for stage, scale in (("preprocess", 0.1), ("predict", 1.0), ("postprocess", 0.05)):
        yield from _histogram(f"request_{stage}_seconds", labels, counters, scale)


def dcgm(model: str, counters: Counters) -> Iterator[str]:
    """The DCGM exporter of a node with two GPUs; one value is the mark for "unsupported"."""
    busy = min(98, 4 * counters.in_flight)
    for gpu in (0, 1):
        labels = f'gpu="{gpu}",UUID="GPU-{gpu}",Hostname="{model}"'
        rows = (
            ("GPU_UTIL", busy - 7 * gpu),
            ("FB_USED", 41_200 + 310 * gpu),
            ("FB_FREE", 40_000 - 310 * gpu),
            ("MEMORY_TEMP", 61 if gpu == 0 else 9223372036854775794),
        )
        for word, value in rows:
            yield f"# TYPE DCGM_FI_DEV_{word} gauge"
            yield f"DCGM_FI_DEV_{word}{{{labels}}} {value}"


def generic(model: str, counters: Counters) -> Iterator[str]:
    """A page of no known server, whose labels try what a terminal or a markup parser would obey."""
    evil = f'job="{model} \x1b]2;owned\x07[/nope][@click=app.quit]\u202e"'
    yield "# TYPE predictions_total counter"
    yield f"predictions_total{{{evil}}} {counters.served}"
    yield "# TYPE prediction_errors_total counter"
    yield f"prediction_errors_total{{{evil}}} {counters.bad}"
    yield from _histogram("prediction_seconds", evil, counters)
