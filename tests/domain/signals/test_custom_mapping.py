import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kinds.captured_pages import BY_NAME, Played, read
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.custom_mapping import (
    json_layout,
    mapped_signals,
    mapped_specs,
    mapping_problems,
    read_json_values,
    read_mapped_series,
    unit_questions,
)
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.domain.values.json_assertion import JsonAssertionError

FLASK = """# TYPE flask_http_request_total counter
flask_http_request_total{{method="POST",path="/predict",status="200"}} {good}
flask_http_request_total{{method="POST",path="/predict",status="500"}} {bad}
flask_http_request_total{{method="GET",path="/healthz",status="200"}} {probes}
# TYPE flask_http_request_duration_seconds histogram
flask_http_request_duration_seconds_bucket{{path="/predict",le="0.1"}} {fast}
flask_http_request_duration_seconds_bucket{{path="/predict",le="1.0"}} {both}
flask_http_request_duration_seconds_bucket{{path="/predict",le="+Inf"}} {both}
flask_http_request_duration_seconds_sum{{path="/predict"}} {spent}
flask_http_request_duration_seconds_count{{path="/predict"}} {both}
# TYPE wait_ms gauge
wait_ms 250
# TYPE tokens counter
tokens_total {both}
# TYPE rps gauge
rps 2.5
"""
MAP = {
    "requests": "flask_http_request_total",
    "errors": 'flask_http_request_total{status=~"5.."}',
    "latency": "flask_http_request_duration_seconds",
    "queue_time": "wait_ms / 1000",
    "tokens_out_rate": "tokens_total * 2",
}


def flask(good: int, bad: int, probes: int) -> str:
    both = good + bad
    return FLASK.format(
        good=good, bad=bad, probes=probes, both=both, fast=both // 2, spent=both * 0.2
    )


def mapped(kind: str, user_map: dict[str, str], first: str, second: str) -> dict[str, float]:
    endpoint = Endpoint("e", "http://e", map=user_map, exclude_paths=("/healthz",))
    run = Played(BY_NAME[kind], endpoint)
    run.play(read(first))
    return run.play(read(second))


@pytest.mark.parametrize("kind", ["prometheus", "litserve"])
def test_a_home_made_server_is_measured_through_its_map(kind: str) -> None:
    signals = mapped(kind, MAP, flask(10, 0, 0), flask(55, 15, 600))
    assert signals["request_rate"] == 1.0
    assert signals["error_ratio"] == 0.25
    assert signals["latency_p95"] == pytest.approx(0.91)
    assert signals["latency_mean"] == pytest.approx(0.2)
    assert signals["queue_time"] == 0.25
    assert signals["tokens_out_rate"] == 2.0


def test_a_gauge_that_is_mapped_as_a_rate_is_the_rate_itself() -> None:
    signals = mapped("prometheus", {"request_rate": "rps"}, flask(1, 0, 0), flask(9, 0, 0))
    assert signals["request_rate"] == 2.5


def test_a_counter_may_be_mapped_without_its_suffix() -> None:
    page = "# TYPE hits counter\nhits_total {}\n"
    signals = mapped("prometheus", {"requests": "hits"}, page.format(0), page.format(60))
    assert signals["request_rate"] == 1.0


def test_errors_of_a_name_that_the_page_never_has_are_not_0() -> None:
    user_map = {"requests": "flask_http_request_total", "errors": "no_such_total"}
    signals = mapped("prometheus", user_map, flask(0, 0, 0), flask(90, 0, 0))
    assert math.isnan(signals["error_ratio"])


def test_a_kinds_own_requests_serve_for_mapped_errors() -> None:
    assert mapping_problems(BY_NAME["vllm"], {"errors": "http_errors_total"}) == ()
    page = '# TYPE a counter\nvllm:request_success_total{{model_name="m"}} {}\nfails_total {}\n'
    signals = mapped("vllm", {"errors": "fails_total"}, page.format(0, 0), page.format(100, 5))
    assert signals["error_ratio"] == 0.05


def test_what_is_mapped_stands_in_for_the_kinds_own() -> None:
    page = "# TYPE a gauge\nvllm:num_requests_running 8\nmine 3\n"
    assert mapped("vllm", {"in_flight": "mine"}, page, page)["in_flight"] == 3.0


@pytest.mark.parametrize(
    ("kind", "user_map", "said"),
    [
        pytest.param("prometheus", {"speed": "a"}, "speed is not a signal", id="no such signal"),
        pytest.param("prometheus", {"up": "a"}, "up is not a signal", id="a signal of the scrape"),
        pytest.param("prometheus", {"requests": "a{"}, "requests: ", id="a broken selector"),
        pytest.param("json", {"request_rate": "rate"}, "request_rate: ", id="a broken path"),
        pytest.param("json", {"latency": "$.p95"}, "latency needs a histogram", id="JSON latency"),
        pytest.param("prometheus", {"errors": "a"}, "errors needs requests", id="of what?"),
        pytest.param("prometheus", {"requests": "a{", "errors": "b"}, "requests: ", id="both go"),
        pytest.param("prometheus", {"requests": "a / 0"}, "requests: a value", id="a / 0"),
        pytest.param("json", {"latency_p95": "$.a MiB"}, "latency_p95: 'MiB' is not", id="size"),
        pytest.param("prometheus", {"queue_time": "a msec"}, "queue_time: 'msec'", id="no unit"),
        pytest.param("json", {"queue_depth": "$.a ms"}, "queue_depth: a count has", id="a count"),
    ],
)
def test_a_wrong_map_is_told_and_never_breaks_a_scrape(
    kind: str, user_map: dict[str, str], said: str
) -> None:
    assert [text for text in mapping_problems(BY_NAME[kind], user_map) if text.startswith(said)]
    endpoint = Endpoint("e", "http://e", map=user_map)
    layout, values = read(flask(1, 1, 1))
    assert not build_plan(BY_NAME[kind], endpoint, layout).increase_formulas
    if kind == "json":
        read_json_values(user_map, b"{}")
    assert len(values) == len(layout)


@pytest.mark.parametrize(
    ("text", "source", "scale"),
    [
        pytest.param("wait_ms", "wait_ms", 1.0, id="as it is"),
        pytest.param("wait_ms / 1000", "wait_ms", 0.001, id="divided"),
        pytest.param('a{b="c * 2"} * 1e3', 'a{b="c * 2"}', 1000.0, id="multiplied"),
        pytest.param("wait_ms ms", "wait_ms", 0.001, id="ms"),
        pytest.param('a{b="c ms"} us', 'a{b="c ms"}', 1e-6, id="us behind labels"),
        pytest.param('a{b="c ms"}', 'a{b="c ms"}', 1.0, id="a unit inside labels is no unit"),
        pytest.param("$.load%", "$.load", 0.01, id="% without a blank"),
        pytest.param("$['a b'] GiB", "$['a b']", 2.0**30, id="GiB behind a quoted key"),
        pytest.param("$.rpm /m", "$.rpm", 1 / 60, id="a minute"),
        pytest.param("$.p95 s", "$.p95", 1.0, id="the signal's own unit"),
        pytest.param("$.list[*]", "$.list[*]", 1.0, id="a star inside a path is no factor"),
    ],
)
def test_a_factor_brings_a_value_into_the_signals_unit(
    text: str, source: str, scale: float
) -> None:
    assert read_mapped_series(text).source == source
    assert read_mapped_series(text).scale == pytest.approx(scale)


@pytest.mark.parametrize(
    ("kind", "name", "text", "said"),
    [
        pytest.param("json", "latency_p95", "$.p95_ms", "in s, and its name says ms", id="_ms"),
        pytest.param("json", "latency_p95", "$.p.ms.p95", "in s, and its name says ms", id=".ms."),
        pytest.param("json", "queue_time", "$.waitMillis", "its name says ms", id="camel case"),
        pytest.param("json", "saturation", "$.cpu_pct", "its name says %", id="percent"),
        pytest.param("json", "memory_bytes", "$.rssMiB", "its name says MiB", id="MiB"),
        pytest.param("json", "request_rate", "$.rpm", "its name says /m", id="a minute"),
        pytest.param(
            "prometheus", "latency", "call_milliseconds", "its name says ms", id="a histogram"
        ),
        pytest.param(
            "prometheus", "queue_time", "wait_us_sum", "its name says us", id="before a statistic"
        ),
        pytest.param(
            "json", "latency_mean", "$.mean_ms * 1000", "multiplied by 1000", id="the wrong way"
        ),
    ],
)
def test_a_name_that_tells_another_unit_is_asked_about(
    kind: str, name: str, text: str, said: str
) -> None:
    assert said in unit_questions(BY_NAME[kind], {name: text})[name]


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        pytest.param("json", "latency_p95", "$.p95_ms ms", id="with its unit"),
        pytest.param("json", "latency_p95", "$.p95_ms s", id="with another unit"),
        pytest.param("json", "latency_p95", "$.p95_ms / 1000", id="with a factor"),
        pytest.param("json", "latency_p95", "$.p95_seconds", id="the signal's own unit"),
        pytest.param("json", "queue_depth", "$.pending_ms", id="a count has no unit"),
        pytest.param("prometheus", "latency_mean", "requests_us_east", id="us as a place"),
        pytest.param("prometheus", "latency_mean", 'a{unit="ms"}', id="a label's value"),
        pytest.param("json", "latency_p95", "p95_ms", id="a wrong path is a problem, not asked"),
    ],
)
def test_a_unit_that_is_told_or_plain_is_not_asked_about(kind: str, name: str, text: str) -> None:
    assert unit_questions(BY_NAME[kind], {name: text}) == {}


JSON_MAP = {
    "requests": "$.total",
    "errors": "$.failed",
    "latency_p95": "$.latency.p95_ms ms",
    "queue_depth": "$.queues[*].length",
    "replicas": "$.replicas",
}


def body(total: int, failed: int) -> bytes:
    text = '{"total": %d, "failed": %d, "latency": {"p95_ms": 412}, "queues": [{"length": 3}]}'
    return (text % (total, failed)).encode()


def test_a_json_page_is_measured_through_its_map() -> None:
    run = Played(BY_NAME["json"], Endpoint("e", "http://e", map=JSON_MAP))
    layout = json_layout(JSON_MAP)
    run.play((layout, read_json_values(JSON_MAP, body(100, 0))))
    signals = run.play((layout, read_json_values(JSON_MAP, body(160, 6))))
    assert signals["request_rate"] == 1.0
    assert signals["error_ratio"] == 0.1
    assert signals["latency_p95"] == pytest.approx(0.412)
    assert signals["queue_depth"] == 3.0
    assert math.isnan(signals["latency_p95.low"])
    assert run.plan.stored_layout is layout


def test_a_value_that_is_missing_on_a_json_page_is_unknown() -> None:
    values = read_json_values(JSON_MAP, b'{"total": "many", "failed": true}')
    assert math.isnan(values[0])
    assert values[1] == 1.0
    assert all(math.isnan(value) for value in values[2:])


def test_a_page_that_is_not_json_is_refused() -> None:
    with pytest.raises(JsonAssertionError):
        read_json_values(JSON_MAP, b"<html>")


def test_a_map_names_its_signals_before_any_page_has_come() -> None:
    assert mapped_signals({"latency": "a", "errors": "b", "replicas": "c", "no": "d"}) == (
        "latency_p50",
        "latency_p95",
        "latency_p99",
        "latency_mean",
        "error_ratio",
    )


@given(st.dictionaries(st.sampled_from([*MAP, *JSON_MAP, "up"]), st.text(max_size=40)))
def test_any_map_is_told_or_bound(user_map: dict[str, str]) -> None:
    layout, values = read(flask(1, 1, 1))
    for kind in (BY_NAME["prometheus"], BY_NAME["json"]):
        mapping_problems(kind, user_map)
        unit_questions(kind, user_map)
        assert isinstance(kind, Kind)
        endpoint = Endpoint("e", "http://e", map=user_map)
        page = (json_layout(user_map), read_json_values(user_map, b"{}")) if kind.json_map else None
        Played(kind, endpoint).play(page or (layout, array("d", values)))


def test_a_value_whose_name_tells_another_unit_is_in_doubt() -> None:
    json = BY_NAME["json"]
    entries = {"latency_p95": "$.p95_ms", "latency_p99": "$.p99_ms ms"}
    [doubted, plain] = mapped_specs(json, entries, lambda _: None)
    assert doubted.remark.startswith("$.p95_ms is read in s, and its name says ms")
    assert plain.remark == ""
