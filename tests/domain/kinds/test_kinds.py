"""The kinds on real pages: what was good, what failed, in which unit, and what cannot be known."""

import math
from array import array

import pytest

from domain.kinds.captured_pages import (
    BY_NAME,
    PAGES,
    PAIRS,
    START,
    Played,
    answer,
    played,
    read,
    sheet,
)
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.settings.endpoint import Canary, Endpoint
from watchdeck.domain.signals.counter_window import CounterWindow
from watchdeck.domain.signals.derive import ProbeFacts, derive_signals, identity
from watchdeck.domain.signals.plan_builder import build_plan, reason_not_measurable
from watchdeck.domain.signals.probe_window import ProbeWindow
from watchdeck.domain.signals.probes import probe_requests, read_responses

LITSERVE = Endpoint(
    "litserve",
    "http://model",
    map={
        "requests": 'request_processing_seconds{function_name="model_time"}',
        "latency": "request_processing_seconds",
    },
)


def counted(signals: dict[str, float]) -> tuple[float, float]:
    """The good and the failed of the minute between two pages."""
    total = signals["request_rate"] * 60
    failed = total * signals["error_ratio"]
    return round(total - failed, 9), round(failed, 9)


@pytest.mark.parametrize(
    ("kind", "good", "failed"),
    [
        pytest.param("mlserver", 190, 10, id="MLServer"),
        pytest.param("bentoml", 190, 10, id="BentoML, its health pages left out"),
        pytest.param("triton", 170, 30, id="Triton, whole batches failed"),
        pytest.param("kserve", 193, 7, id="KServe: predicted but not postprocessed"),
        pytest.param("ray_serve", 570, 30, id="Ray Serve, its health route left out"),
        pytest.param("litellm", 190, 10, id="LiteLLM"),
        pytest.param("tgi", 240, 10, id="TGI"),
        pytest.param("tf_serving", 200, 0, id="TensorFlow Serving, what it refused left out"),
    ],
)
def test_good_and_failed_predictions_are_counted_exactly(kind: str, good: int, failed: int) -> None:
    assert counted(played(kind)) == (good, failed)


def test_litserve_is_measured_through_the_map_and_its_errors_are_not_measurable() -> None:
    run = Played(BY_NAME["litserve"], LITSERVE)
    run.play(sheet(PAIRS["litserve"][0]))
    assert "error_ratio" in run.plan.not_measurable
    assert "request_rate" not in run.plan.not_measurable
    signals = run.play(sheet(PAIRS["litserve"][1]))
    assert round(signals["request_rate"] * 60, 9) == 190
    assert "error_ratio" not in signals
    assert signals["latency_p95.low"] == 0.01 < signals["latency_p95"] < 0.025


def test_nothing_of_an_mlflow_server_is_measurable_but_its_answers() -> None:
    kind = BY_NAME["mlflow"]
    plan = build_plan(kind, Endpoint("mlflow", "http://model"), Layout())
    assert plan.signals == ()
    assert {"request_rate", "error_ratio", "latency_p95"} <= set(plan.not_measurable)
    assert "ready" not in plan.not_measurable
    assert reason_not_measurable(kind, "error_ratio") == "MLflow's model server has no metrics page"
    window, facts = CounterWindow(60_000), ProbeFacts(ready=True)
    out = derive_signals(plan, window, ProbeWindow(), START, array("d"), facts).values
    known = {name: out[slot] for name, slot in plan.slots.items() if not math.isnan(out[slot])}
    assert known == {"outcome": 0.0, "up": 1.0, "ready": 1.0, "restarts": 0.0}


def test_a_torchserve_that_answers_nothing_has_no_latency_and_no_error_ratio() -> None:
    run = Played(BY_NAME["torchserve"], Endpoint("t", "http://model", model="iris"))
    page = sheet(PAIRS["torchserve"][0])
    run.play(page)
    signals = run.play(page)
    assert signals["request_rate"] == 0.0
    assert math.isnan(signals["latency_mean"])
    assert {"error_ratio", "gpu_utilization"} <= set(run.plan.not_measurable)
    assert "latency_mean" not in run.plan.not_measurable


def test_an_unloaded_mlserver_model_shows_one_more_good_call() -> None:
    run = Played(BY_NAME["mlserver"], Endpoint("iris", "http://model", model="iris"))
    run.play(sheet("mlserver-1.7.1/after-18082_metrics.body"))
    signals = run.play(sheet("mlserver-1.7.1/unloaded-18082_metrics.body"))
    assert round(signals["request_rate"] * 60, 9) == 1
    assert math.isnan(signals["error_ratio"])
    assert math.isnan(signals["latency_p95"])


def test_the_tokens_of_language_models_are_counted_exactly() -> None:
    vllm, llama = played("vllm"), played("llamacpp")
    assert round(vllm["request_rate"] * 60, 6) == 200
    assert round(vllm["tokens_in_rate"] * 60, 6) == 68_241
    assert round(vllm["tokens_out_rate"] * 60, 6) == 24_664
    assert round(llama["tokens_in_rate"] * 60, 6) == 12_345
    assert round(llama["tokens_out_rate"] * 60, 6) == 6_789


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        pytest.param(
            "triton",
            {
                "latency_p50": 0.009494,
                "latency_p99": 0.022934,
                "latency_mean": 1.887474 / 170,
                "queue_time": 0.906108 / 170,
                "cpu_utilization": 0.4545454545454545,
            },
            id="Triton's microseconds",
        ),
        pytest.param(
            "ray_serve",
            {
                "latency_mean": 0.024,
                "latency_p95.low": 0.05,
                "latency_p95.high": 0.1,
                "saturation": 0.625,
                "in_flight": 3.0,
                "queue_depth": 3.0,
            },
            id="Ray's milliseconds and percents",
        ),
        pytest.param(
            "tf_serving",
            {"latency_mean": 0.008, "latency_p50.high": 0.01, "queue_time": 0.0009},
            id="TensorFlow Serving's microseconds",
        ),
        pytest.param(
            "vllm",
            {
                "in_flight": 8.0,
                "queue_depth": 2.0,
                "kv_cache_usage": 0.43,
                "saturation": 0.43,
                "ttft_p95.high": 0.25,
                "tpot_p95.low": 0.025,
            },
            id="vLLM",
        ),
        pytest.param(
            "mlserver",
            {
                "latency_p50.high": 0.005,
                "latency_mean": 0.8558236839994606 / 200,
            },
            id="MLServer",
        ),
        pytest.param(
            "dcgm",
            {"gpu_utilization": 0.87, "gpu_memory_ratio": 121_042 / (121_042 + 20_111)},
            id="DCGM's percents and MiB",
        ),
        pytest.param(
            "llamacpp", {"in_flight": 2.0, "queue_depth": 1.0}, id="llama.cpp"
        ),
        pytest.param("sglang", {"kv_cache_usage": 0.28, "queue_time": 0.05}, id="SGLang"),
        pytest.param("tgi", {"queue_time": 0.04, "queue_depth": 5.0, "in_flight": 8.0}, id="TGI"),
        pytest.param("litellm", {"latency_mean": 1.2, "in_flight": 3.0}, id="LiteLLM"),
        pytest.param("kserve", {"memory_bytes": 2.5e8, "latency_mean": 0.031}, id="KServe"),
    ],
)  # fmt: skip
def test_every_signal_is_in_its_own_unit(kind: str, wanted: dict[str, float]) -> None:
    signals = played(kind)
    assert {name: signals[name] for name in wanted} == pytest.approx(wanted)


def test_what_a_gpu_does_not_support_is_left_out_of_every_sum() -> None:
    text = (
        '# TYPE DCGM_FI_DEV_GPU_UTIL gauge\nDCGM_FI_DEV_GPU_UTIL{gpu="0"} 40\n'
        'DCGM_FI_DEV_GPU_UTIL{gpu="1"} 9223372036854775794\n'
        'DCGM_FI_DEV_FB_USED{gpu="1"} 9223372036854775794\n'
        'DCGM_FI_DEV_FB_FREE{gpu="1"} 9223372036854775794\n'
    )
    signals = Played(BY_NAME["dcgm"], Endpoint("g", "http://gpu")).play(read(text))
    assert signals["gpu_utilization"] == 0.4
    assert math.isnan(signals["gpu_memory_ratio"])


def test_triton_without_traffic_has_no_quantiles_and_is_not_0() -> None:
    run = Played(BY_NAME["triton"], Endpoint("t", "http://model"))
    page = sheet(PAIRS["triton"][0])
    run.play(page)
    signals = run.play(page)
    assert signals["request_rate"] == 0.0
    assert math.isnan(signals["latency_p95"])
    assert math.isnan(signals["error_ratio"])
    assert "latency_p95" not in run.plan.not_measurable


def test_triton_without_summaries_has_only_a_mean_and_says_why() -> None:
    page = (PAGES / PAIRS["triton"][1]).read_text()
    text = "\n".join(line for line in page.splitlines() if "summary" not in line)
    run = Played(BY_NAME["triton"], Endpoint("t", "http://model"))
    run.play(read(text))
    assert {"latency_p50", "latency_p95", "latency_p99"} <= set(run.plan.not_measurable)
    assert "latency_mean" not in run.plan.not_measurable
    assert "summary_latencies=true" in reason_not_measurable(BY_NAME["triton"], "latency_p95")


TWO_MODELS = """# TYPE model_infer_request_success_total counter
model_infer_request_success_total{{model="a",version="1"}} {a}
model_infer_request_success_total{{model="b",version="7"}} {b}
# TYPE rest_server_requests_total counter
rest_server_requests_total{{path="/v2/models/{{model_name}}/infer"}} {both}
# TYPE rest_server_request_duration_seconds histogram
rest_server_request_duration_seconds_bucket{{path="/v2/models/x/infer",le="0.1"}} {both}
rest_server_request_duration_seconds_bucket{{path="/v2/models/x/infer",le="+Inf"}} {both}
rest_server_request_duration_seconds_count{{path="/v2/models/x/infer"}} {both}
"""


@pytest.mark.parametrize(
    ("model", "rate", "shared", "version"),
    [
        pytest.param("a", 0.5, True, "1", id="one of two: the latency is of both"),
        pytest.param("b", 1.0, True, "7", id="the other"),
        pytest.param(None, 1.5, False, "1, 7", id="the whole server"),
    ],
)
def test_several_models_on_one_server_are_told_apart(
    model: str | None, rate: float, version: str, *, shared: bool
) -> None:
    run = Played(BY_NAME["mlserver"], Endpoint("e", "http://model", model=model))
    run.play(read(TWO_MODELS.format(a=10, b=10, both=20)))
    signals = run.play(read(TWO_MODELS.format(a=40, b=70, both=110)))
    assert signals["request_rate"] == pytest.approx(rate)
    assert signals["latency_p95"] == pytest.approx(0.095)
    assert ("latency_p95" in run.plan.server_wide) is shared
    assert run.plan.version == version


def test_own_canaries_are_not_counted_as_traffic() -> None:
    canary = Endpoint("iris", "http://model", canary=Canary("/v2/models/iris/infer"))
    assert counted(played("mlserver", canary, canaries_sent=90)) == (100, 10)
    assert math.isnan(played("mlserver", canary, canaries_sent=190)["error_ratio"])


def test_a_canary_on_a_path_that_is_left_out_anyway_is_not_taken_off_twice() -> None:
    canary = Endpoint("b", "http://model", canary=Canary("/probe"), exclude_paths=("/probe",))
    assert counted(played("bentoml", canary, canaries_sent=90)) == (190, 10)


def test_the_endpoints_own_paths_to_leave_out_join_those_of_the_kind() -> None:
    everything = Endpoint("b", "http://model", exclude_paths=("/class*",))
    assert math.isnan(played("bentoml", everything)["request_rate"])


def test_an_unknown_version_on_the_page_gives_way_to_the_servers_own() -> None:
    run = Played(BY_NAME["mlserver"], Endpoint("iris", "http://model", model="iris"))
    first, second = (sheet(path) for path in PAIRS["mlserver"])
    run.play(first)
    answers = {"/v2": answer("mlserver-1.7.1", "after-18080_v2")}
    said = read_responses(run.kind, answers, "iris").version
    assert identity(run.plan, run.window, first[1], version=said).version is None
    run.play(second)
    assert identity(run.plan, run.window, second[1], version=said).version == "1.7.1"


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        pytest.param("triton", "1", id="Triton tells the model's version"),
        pytest.param("bentoml", None, id="BentoML says that it is not available"),
        pytest.param("torchserve", None, id="TorchServe's default is no version"),
        pytest.param("dcgm", "550.90.07", id="the driver of a GPU"),
    ],
)
def test_versions_are_read_from_the_page(kind: str, version: str | None) -> None:
    run = Played(BY_NAME[kind], Endpoint(kind, "http://model"))
    run.play(sheet(PAIRS[kind][1]))
    assert run.plan.version == version


def test_starts_and_replicas_are_read_from_the_page() -> None:
    page = sheet(PAIRS["ray_serve"][1])
    run = Played(BY_NAME["ray_serve"], Endpoint("r", "http://model"))
    run.play(page)
    assert identity(run.plan, run.window, page[1]).replicas == 2
    page = sheet(PAIRS["kserve"][1])
    run = Played(BY_NAME["kserve"], Endpoint("k", "http://model"))
    run.play(page)
    assert identity(run.plan, run.window, page[1]).started_at == 1_795_400_000_000
    llama = sheet(PAIRS["llamacpp"][1])
    run = Played(BY_NAME["llamacpp"], Endpoint("l", "http://model"))
    run.play(llama)
    told = identity(run.plan, run.window, llama[1], started=1_795_400_000.0)
    assert told.started_at == 1_795_400_000_000


@pytest.mark.parametrize("kind", BY_NAME.values(), ids=lambda kind: kind.name)
def test_each_kind_names_real_signals_and_knows_a_reason_for_what_is_missing(kind: Kind) -> None:
    assert {spec.signal for spec in kind.signals} <= set(SIGNALS)
    plan = build_plan(kind, Endpoint("e", "http://e"), Layout())
    assert all(reason_not_measurable(kind, name) for name in plan.not_measurable)
    assert not set(plan.not_measurable) - set(SIGNALS)
    assert probe_requests(kind, "m") or kind.places


@pytest.mark.parametrize("kind", PAIRS)
def test_only_what_signals_need_is_kept_of_a_page(kind: str) -> None:
    run = Played(BY_NAME[kind], Endpoint(kind, "http://model"))
    run.play(sheet(PAIRS[kind][1]))
    assert not [one for one in run.plan.stored_layout.series if one.name.endswith("_created")]
    assert len(run.plan.stored_layout) < len(run.plan.layout) or kind == "litserve"
