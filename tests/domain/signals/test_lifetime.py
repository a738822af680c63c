import math
from array import array

import pytest

from domain.kinds.captured_pages import BY_NAME, PAIRS, START, read, sheet
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.lifetime import PageFigure, page_figures
from watchdeck.domain.signals.plan_builder import build_plan

PAGE = """# TYPE process_start_time_seconds gauge
process_start_time_seconds {start}
# TYPE bentoml_service_request counter
bentoml_service_request_total{{endpoint="/p",http_response_code="200"}} {good}
bentoml_service_request_total{{endpoint="/p",http_response_code="500"}} {bad}
# TYPE bentoml_service_request_duration_seconds histogram
bentoml_service_request_duration_seconds_bucket{{endpoint="/p",le="0.1"}} {good}
bentoml_service_request_duration_seconds_bucket{{endpoint="/p",le="1.0"}} {good}
bentoml_service_request_duration_seconds_bucket{{endpoint="/p",le="+Inf"}} {all}
bentoml_service_request_duration_seconds_sum{{endpoint="/p"}} {spent}
bentoml_service_request_duration_seconds_count{{endpoint="/p"}} {all}
# TYPE bentoml_service_request_in_progress gauge
bentoml_service_request_in_progress{{endpoint="/p"}} 3
"""


def figures(good: int, bad: int, start: float = START / 1_000 - 100) -> dict[str, PageFigure]:
    text = PAGE.format(good=good, bad=bad, all=good + bad, spent=(good + bad) * 0.2, start=start)
    layout, values = read(text)
    plan = build_plan(BY_NAME["bentoml"], Endpoint("e", "http://e"), layout)
    return {one.signal: one for one in page_figures(plan, START, values)}


def test_one_page_tells_the_figures_of_all_requests_since_the_start() -> None:
    found = figures(45, 5)
    assert found["request_rate"].value == 0.5
    assert (found["error_ratio"].value, found["error_ratio"].events) == (0.1, 50)
    assert found["latency_p50"].value == pytest.approx(0.1 * 25 / 45)
    assert (found["latency_p50"].low, found["latency_p50"].high) == (0.0, 0.1)
    assert found["latency_mean"].value == pytest.approx(0.2)
    assert found["latency_mean"].since_start
    assert (found["in_flight"].value, found["in_flight"].since_start) == (3, False)


def test_a_quantile_above_the_last_bucket_has_no_upper_bound() -> None:
    assert math.isinf(figures(1, 99)["latency_p95"].high)


def test_before_the_first_request_nothing_is_0_but_what_was_counted() -> None:
    found = figures(0, 0)
    assert found["request_rate"].value == 0
    for name in ("error_ratio", "latency_p95", "latency_mean"):
        assert math.isnan(found[name].value)


@pytest.mark.parametrize("start", [0.0, START / 1_000 + 60], ids=["not told", "in the future"])
def test_without_an_age_a_rate_is_unknown_and_its_count_is_told(start: float) -> None:
    found = figures(45, 5, start)["request_rate"]
    assert math.isnan(found.value)
    assert found.events == 50


def test_what_probes_told_stands_beside_the_page() -> None:
    plan = build_plan(BY_NAME["torchserve"], Endpoint("e", "http://e"), read("")[0])
    [found] = page_figures(plan, START, array("d"), {"queue_depth": 4.0})
    assert (found.signal, found.value) == ("queue_depth", 4.0)


@pytest.mark.parametrize("kind", PAIRS)
def test_every_figure_of_a_real_page_is_within_its_unit_or_unknown(kind: str) -> None:
    layout, values = sheet(PAIRS[kind][1])
    plan = build_plan(BY_NAME[kind], Endpoint("e", "http://e"), layout)
    found = page_figures(plan, START, values)
    assert {one.signal for one in found} == plan.present
    assert all(math.isnan(one.value) or one.value >= 0 for one in found)
