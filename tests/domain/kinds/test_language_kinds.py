"""Servers of language models: renamed series, ranks, whose failure it is, and which model."""

from __future__ import annotations

import math

import pytest

from domain.kinds.captured_pages import BY_NAME, Played, read, sheet
from watchdeck.domain.kinds.detection import detect
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.probes import probe_requests, read_responses

VLLM = """
process_start_time_seconds 1795500000
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{{engine="0",model_name="main"}} 90
# TYPE vllm:{cache} gauge
vllm:{cache}{{engine="0",model_name="main"}} 0.995
# TYPE vllm:request_success counter
vllm:request_success_total{{model_name="main",finished_reason="stop"}} {stop}
vllm:request_success_total{{model_name="main",finished_reason="length"}} {length}
vllm:request_success_total{{model_name="main",finished_reason="abort"}} {abort}
"""


def vllm(stop: int = 0, length: int = 0, abort: int = 0, cache: str = "kv_cache_usage_perc") -> str:
    return VLLM.format(stop=stop, length=length, abort=abort, cache=cache)


def vllm_run(model: str | None = None) -> Played:
    return Played(BY_NAME["vllm"], Endpoint("chat", "http://model", model=model))


@pytest.mark.parametrize("cache", ["kv_cache_usage_perc", "gpu_cache_usage_perc"])
def test_vllm_is_read_by_the_old_and_the_new_name_of_its_cache(cache: str) -> None:
    signals = vllm_run().play(read(vllm(cache=cache)))
    assert signals["kv_cache_usage"] == signals["saturation"] == 0.995


def test_a_name_that_the_page_of_vllm_does_not_have_is_unknown_with_the_reason() -> None:
    run = vllm_run("alias")
    signals = run.play(read(vllm()))
    assert math.isnan(signals["queue_depth"])
    assert run.derived.remarks["queue_depth"] == "the page tells of main, not of alias"


def test_an_answer_cut_at_its_length_and_one_given_up_are_no_failures_of_vllm() -> None:
    run = vllm_run("main")
    run.play(read(vllm()))
    signals = run.play(read(vllm(stop=60, length=20, abort=20)))
    assert signals["truncated_ratio"] == 0.25
    assert signals["client_error_ratio"] == 0.2
    assert "error_ratio" in run.plan.not_measurable


RANKS = "".join(
    f"# TYPE sglang_{name} gauge\n"
    + "".join(
        f'sglang_{name}{{engine_type="unified",model_name="acme/chat",pp_rank="0",'
        f'tp_rank="{rank}"}} {value}\n'
        for rank in range(8)
    )
    for name, value in (("num_running_reqs", 5.0), ("num_queue_reqs", 2.0), ("token_usage", 0.3))
)


@pytest.mark.parametrize("page", [RANKS, RANKS.replace("sglang_", "sglang:")])
def test_the_ranks_of_sglang_report_the_same_requests_under_either_spelling(page: str) -> None:
    layout, values = read(page)
    kind = detect(list(BY_NAME.values()), layout.series, {})
    assert kind is BY_NAME["sglang"]
    run = Played(kind, Endpoint("chat", "http://model", model="acme/chat"))
    signals = run.play((layout, values))
    assert (signals["in_flight"], signals["queue_depth"]) == (5.0, 2.0)
    assert signals["kv_cache_usage"] == 0.3


def test_data_parallel_ranks_of_sglang_add_up() -> None:
    rows = "".join(
        f'sglang:num_running_reqs{{dp_rank="{dp}",tp_rank="{tp}"}} {3 + dp}\n'
        for dp in range(2)
        for tp in range(4)
    )
    run = Played(BY_NAME["sglang"], Endpoint("chat", "http://model"))
    signals = run.play(read(f"# TYPE sglang:num_running_reqs gauge\n{rows}"))
    assert signals["in_flight"] == 7.0


LITELLM = """
process_start_time_seconds 1795500000
# TYPE litellm_proxy_total_requests_metric counter
litellm_proxy_total_requests_metric_total{{requested_model="gpt"}} {total}
litellm_proxy_total_requests_metric_total{{requested_model="other"}} {total}
# TYPE litellm_proxy_failed_requests_metric counter
litellm_proxy_failed_requests_metric_total{{requested_model="gpt",exception_status="500"}} {server}
litellm_proxy_failed_requests_metric_total{{requested_model="gpt",exception_status="429"}} {limit}
litellm_proxy_failed_requests_metric_total{{requested_model="gpt",exception_status="400"}} {client}
# TYPE litellm_in_flight_requests gauge
litellm_in_flight_requests 3
"""


def test_litellm_tells_failures_of_the_service_from_those_of_the_client() -> None:
    run = Played(BY_NAME["litellm"], Endpoint("gpt", "http://proxy", model="gpt"))
    run.play(read(LITELLM.format(total=0, server=0, limit=0, client=0)))
    signals = run.play(read(LITELLM.format(total=100, server=10, limit=5, client=20)))
    assert signals["error_ratio"] == 0.15
    assert signals["client_error_ratio"] == 0.2
    assert signals["in_flight"] == 2.0, "the scrape itself is one of the three"
    assert run.plan.server_wide == ("in_flight",)


@pytest.mark.parametrize(
    ("model", "requests", "failed", "refused"),
    [("gpt-a", 41, 6, 5), ("gpt-b", 30, 0, 0), (None, 72, 6, 6)],
)
def test_litellm_counts_the_requests_of_a_model_and_not_those_for_its_own_pages(
    model: str | None, requests: int, failed: int, refused: int
) -> None:
    run = Played(BY_NAME["litellm"], Endpoint("gpt", "http://proxy", model=model))
    run.play(sheet("litellm-1.108.7/before.prom"))
    signals = run.play(sheet("litellm-1.108.7/after.prom"))
    assert signals["request_rate"] == pytest.approx(requests / 60)
    assert signals["error_ratio"] == pytest.approx(failed / requests)
    assert signals["client_error_ratio"] == pytest.approx(refused / requests)
    assert not {"request_rate", "error_ratio", "client_error_ratio"} & {*run.plan.server_wide}


@pytest.mark.parametrize("name", ["vllm", "sglang", "litellm"])
def test_a_model_that_the_server_does_not_list_is_not_ready(name: str) -> None:
    kind = BY_NAME[name]
    listed = ProbeResponse(200, b'{"object": "list", "data": [{"id": "main"}]}')
    fine = ProbeResponse(200, b'{"status": "healthy", "litellm_version": "1"}')
    paths = [path for path, _ in probe_requests(kind, "main")]
    answers = dict.fromkeys(paths, fine) | {"/v1/models": listed}
    gone = read_responses(kind, answers, "alias")
    assert (gone.state, "does not list this model" in gone.why) == ("not_ready", True)
    assert read_responses(kind, answers, "main").state != "not_ready"
    refused = answers | {"/v1/models": ProbeResponse(401, b'{"error": "no key"}')}
    assert read_responses(kind, refused, "alias").state != "not_ready"


def test_a_page_that_names_the_model_outweighs_a_list_that_lacks_it() -> None:
    kind = BY_NAME["vllm"]
    answers = {
        "/health": ProbeResponse(200),
        "/v1/models": ProbeResponse(200, b'{"data": [{"id": "alias"}]}'),
    }
    assert read_responses(kind, answers, "main", is_named=True).state == "ready"
    assert read_responses(kind, answers, "main").state == "not_ready"
