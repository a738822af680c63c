import math
from array import array

import pytest

from domain.kinds.captured_pages import BY_NAME, read
from watchdeck.domain.signals.custom_mapping import json_layout, read_json_values
from watchdeck.domain.signals.mapped_values import MappedValue, mapped_values

PAGE = """# TYPE calls counter
calls_total{code="200"} 90
calls_total{code="500"} 10
# TYPE call_ms histogram
call_ms_bucket{le="100"} 50
call_ms_bucket{le="10000"} 100
call_ms_bucket{le="+Inf"} 100
call_ms_sum 20000
call_ms_count 100
# TYPE wait_ms gauge
wait_ms{queue="a"} 100
wait_ms{queue="b"} 150
# TYPE load gauge
load 37
# TYPE idle_seconds histogram
idle_seconds_bucket{le="+Inf"} 0
idle_seconds_sum 0
idle_seconds_count 0
# TYPE blank gauge
blank NaN
"""


def on_page(**user_map: str) -> dict[str, MappedValue]:
    layout, values = read(PAGE)
    return {one.key: one for one in mapped_values(BY_NAME["prometheus"], user_map, layout, values)}


@pytest.mark.parametrize(
    ("key", "source", "text"),
    [
        pytest.param("requests", "calls", "100 counted so far", id="a counter"),
        pytest.param("queue_time", "wait_ms ms", "250 ms", id="gauges are added"),
        pytest.param("queue_time", 'wait_ms{queue="a"} / 1000', "100 ms", id="a selector"),
        pytest.param("saturation", "load %", "37 %", id="a share"),
        pytest.param(
            "latency", "call_ms ms", "100 observed, mean 200 ms, buckets up to 10 s", id="times"
        ),
        pytest.param("latency", "idle_seconds", "0 observed", id="nothing observed"),
        pytest.param("queue_time", "blank", "the page has no number there", id="no number"),
        pytest.param("queue_time", "gone", "the page has nothing of this name", id="no series"),
    ],
)
def test_each_entry_has_its_value_and_unit(key: str, source: str, text: str) -> None:
    found = on_page(**{key: source})[key]
    assert (found.text, found.question) == (text, "")


@pytest.mark.parametrize(
    ("key", "source", "question"),
    [
        pytest.param("saturation", "load", "a share of 3,700 % cannot be: write", id="a share"),
        pytest.param("latency", "call_ms", "2h 46m is long for a request", id="a bucket of hours"),
        pytest.param("queue_time", "wait_ms * 60", "4h 10m is long for a request", id="hours"),
        pytest.param("queue_depth", "load * 1e12", "is outside 0 to 1,000 G", id="a count"),
    ],
)
def test_a_value_that_cannot_be_in_its_unit_is_asked_about(
    key: str, source: str, question: str
) -> None:
    assert question in on_page(**{key: source})[key].question


def test_a_wrong_entry_and_one_without_a_value_are_not_asked_about() -> None:
    found = on_page(queue_time="wait_ms{", saturation="gone", requests="calls", errors="calls")
    assert [*found] == ["saturation", "requests", "errors"]
    assert math.isnan(found["saturation"].value)


def test_values_of_a_json_page_are_in_the_unit_of_their_signal() -> None:
    user_map = {"latency_p95": "$.p95_ms ms", "requests": "$.n", "queue_time": "$.gone"}
    values = read_json_values(user_map, b'{"p95_ms": 412, "n": 7}')
    found = mapped_values(BY_NAME["json"], user_map, json_layout(user_map), array("d", values))
    texts = [(one.source, one.text) for one in found]
    assert texts == [
        ("$.p95_ms", "412 ms"),
        ("$.n", "7 counted so far"),
        ("$.gone", "the page has no number there"),
    ]
