import pytest

from domain.kinds.captured_pages import BY_NAME, read, sheet
from watchdeck.domain.settings.endpoint import Endpoint, Slo
from watchdeck.domain.signals.objectives import SignalLimits, histogram_bounds, objectives
from watchdeck.domain.values.units import Milliseconds, Ratio

BOUNDS = (0.1, 0.5, 1.0, 10.0)


def judged(slo: Slo, **limits: object) -> tuple[str, str]:
    """The problem and the remark of the only objective."""
    [objective] = objectives(slo, SignalLimits(**limits))  # type: ignore[arg-type]
    return objective.problem, objective.remark


@pytest.mark.parametrize(
    ("slo", "problem", "remark"),
    [
        pytest.param("15s", "above the last bucket (10 s)", "", id="above the last bucket"),
        pytest.param("10s", "", "", id="the last bound"),
        pytest.param("500ms", "", "", id="a bound"),
        pytest.param("2s", "", "between 1 s and 10 s", id="inside a bucket"),
        pytest.param("20ms", "", "an SLO of 100 ms always is", id="inside the first bucket"),
    ],
)
def test_a_latency_objective_is_judged_at_the_bounds_of_its_buckets(
    slo: str, problem: str, remark: str
) -> None:
    found = judged(Slo(latency_p95=Milliseconds.parse(slo)), bounds={"latency_p95": BOUNDS})
    for text, part in zip(found, (problem, remark), strict=True):
        assert part in text
        assert bool(part) is bool(text)


def test_the_mean_is_advised_only_where_it_is_known() -> None:
    slo, bounds = Slo(latency_p95=Milliseconds(15_000)), {"latency_p95": BOUNDS}
    assert "only a latency_mean" in judged(slo, bounds=bounds)[0]
    unknown = {"latency_mean": "its series are not on the page"}
    assert "latency_mean" not in judged(slo, bounds=bounds, unknown=unknown)[0]


def test_a_quantile_without_buckets_has_no_bounds() -> None:
    assert judged(Slo(latency_p95=Milliseconds(15_000))) == ("", "")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        pytest.param({"not_measurable": {"error_ratio": "no"}}, "can never be judged: no", id="no"),
        pytest.param(
            {"unknown": {"error_ratio": "gone"}}, "cannot be judged now: gone", id="unknown"
        ),
        pytest.param({"server_wide": ("error_ratio",)}, "other models", id="server-wide"),
    ],
)
def test_an_objective_on_what_is_not_the_models_own_figure_cannot_be_judged(
    limits: dict[str, object], said: str
) -> None:
    assert said in judged(Slo(error_ratio=Ratio(0.01)), **limits)[0]


def test_availability_without_readiness_says_by_what_it_is_judged() -> None:
    problem, remark = judged(Slo(availability=Ratio(0.99)), unknown={"ready": "404"})
    assert (problem, remark[:27]) == ("", "judged by whether the serve")


def test_each_objective_has_its_limit_in_the_unit_of_its_signal() -> None:
    slo = Slo(Ratio(0.999), Milliseconds(200), Ratio(0.01))
    texts = [one.text for one in objectives(slo, SignalLimits())]
    assert texts == ["availability 99.9 %", "latency_p95 200 ms", "error_ratio 1 %"]


def test_the_bounds_of_a_histogram_are_in_seconds() -> None:
    layout, _ = sheet("ray_serve/scrape2.prom")
    bounds = histogram_bounds(BY_NAME["ray_serve"], Endpoint("e", "http://e"), layout)
    assert max(bounds["latency_p95"]) < 3_600
    assert list(bounds["latency_p95"]) == sorted(bounds["latency_p95"])


def test_the_bounds_of_a_mapped_histogram_are_those_of_the_map() -> None:
    page = """# TYPE call_ms histogram
call_ms_bucket{le="100"} 1
call_ms_bucket{le="2500"} 1
call_ms_bucket{le="+Inf"} 1
call_ms_bucket{le="many"} 1
call_ms_sum 1
call_ms_count 1
"""
    endpoint = Endpoint("e", "http://e", map={"latency": "call_ms ms"})
    bounds = histogram_bounds(BY_NAME["prometheus"], endpoint, read(page)[0])
    assert bounds["latency_p95"] == (0.1, 2.5)
