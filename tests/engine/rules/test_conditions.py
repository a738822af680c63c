"""Conditions that are true, false or unknown, on the figures of one scrape."""

from __future__ import annotations

import math
from array import array
from typing import Any

import pytest

from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.rules.rule import FailedScrapes, Threshold
from watchdeck.engine.rules.conditions import DownCondition, ScrapeValues, ThresholdCondition

INF = math.inf


def sample(**values: float) -> ScrapeValues:
    names = {name.replace("__", "."): place for place, name in enumerate(values)}
    return ScrapeValues(1, array("d", values.values()), names)


def condition(when: str, limit: float, *, is_promise: bool = False) -> ThresholdCondition:
    test = read_condition(when).test
    assert isinstance(test, Threshold)
    return ThresholdCondition(test, test.signal, limit, limit, is_promise)


@pytest.mark.parametrize(
    ("values", "truth"),
    [
        pytest.param({"latency_p95__low": 0.25, "latency_p95__high": 0.5}, True, id="surely over"),
        pytest.param({"latency_p95__low": 0.1, "latency_p95__high": 0.2}, False, id="surely not"),
        pytest.param({"latency_p95__low": 0.1, "latency_p95__high": 0.5}, None, id="cannot tell"),
        pytest.param(
            {"latency_p95__low": 0.1, "latency_p95__high": INF, "latency_mean": 0.4},
            True,
            id="proved by the mean",
        ),
        pytest.param(
            {"latency_p95__low": 0.1, "latency_p95__high": INF, "latency_mean": 0.05},
            None,
            id="not proved by the mean",
        ),
        pytest.param({}, True, id="an exact value"),
    ],
)
def test_a_quantile_passes_a_limit_only_with_its_whole_bucket(
    values: dict[str, float],
    truth: bool | None,  # noqa: FBT001 - unknown is a third value
) -> None:
    one = condition("latency_p95 > 200ms", 0.2)
    assert one.truth(sample(latency_p95=0.3, **values), 1, held=False) is truth


@pytest.mark.parametrize(
    ("ratio", "events", "held", "truth"),
    [
        pytest.param(0.25, 4, False, False, id="one failure of four"),
        pytest.param(0.05, 40, False, False, id="two of forty"),
        pytest.param(0.15, 20, False, True, id="three of twenty"),
        pytest.param(0.05, 20, True, True, id="what holds goes on with one"),
        pytest.param(0.5, math.nan, False, True, id="a share of an unknown number"),
        pytest.param(math.nan, math.nan, False, None, id="no value"),
    ],
)
def test_a_share_of_failures_needs_three_of_them(
    ratio: float, events: float, *, held: bool, truth: bool | None
) -> None:
    one = condition("error_ratio > 1%", 0.01)
    found = one.truth(sample(error_ratio=ratio, error_ratio__events=events), 1, held=held)
    assert found is truth


def test_a_promise_is_not_judged_by_a_figure_of_the_whole_server() -> None:
    wide = sample(queue_depth=31.0, error_ratio=0.5)
    wide = wide._replace(server_wide=frozenset({"queue_depth", "error_ratio"}))
    assert condition("error_ratio > 1%", 0.01, is_promise=True).truth(wide, 1, held=False) is None
    one = condition("queue_depth > 20", 20.0)
    assert one.truth(wide, 1, held=False) is True
    assert one.measure(wide, 1).why == "queue_depth 31 > 20 (server-wide)"


def test_the_reason_names_the_mean_that_proves() -> None:
    values = {"latency_p95__low": 10.0, "latency_p95__high": INF, "latency_mean": 40.0}
    measured = condition("latency_p95 > 15s", 15.0).measure(sample(latency_p95=10.0, **values), 1)
    assert measured.why == "latency_mean 40 s > 15 s, so latency_p95 is above it too"


def test_a_page_that_cannot_be_read_says_why() -> None:
    one = condition("up < 1", 1.0)
    failed = sample(up=0.0)._replace(outcome=Outcome.NOT_METRICS.value, detail="an HTML page")
    assert one.truth(failed, 1, held=False) is True
    assert one.measure(failed, 1).why == "its page cannot be read: an HTML page"


@pytest.mark.parametrize(
    ("values", "held", "truth"),
    [
        pytest.param({"failures": 2, "outcome": "refused"}, False, True, id="two failures"),
        pytest.param({"state": "not_ready"}, False, True, id="not ready"),
        pytest.param({"state": "loading"}, False, False, id="loading begins no alert"),
        pytest.param({"state": "loading"}, True, None, id="loading is no end of one"),
        pytest.param(
            {"state": "loading", "failures": 3, "outcome": "refused"},
            False,
            None,
            id="refused within a start",
        ),
        pytest.param(
            {"failures": 5, "outcome": "http_status", "detail": "/metrics: 404 Not Found"},
            False,
            None,
            id="no model server",
        ),
        pytest.param(
            {"failures": 5, "outcome": "http_status", "detail": "/metrics: 404", "kind": "vllm"},
            False,
            True,
            id="a known server that lost its page",
        ),
        pytest.param(
            {"failures": 5, "outcome": "http_status", "detail": "/: 502 Bad Gateway"},
            False,
            True,
            id="a gateway without its server",
        ),
    ],
)
def test_a_model_is_down_or_that_is_unknown(
    values: dict[str, Any], *, held: bool, truth: bool | None
) -> None:
    one = ScrapeValues(1, array("d"), {}, state=ModelState.UNKNOWN.value)._replace(**values)
    assert DownCondition(FailedScrapes()).truth(one, 1, held) is truth
