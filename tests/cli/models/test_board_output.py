"""What `status` prints is the board, worst first, and its exit code is the worst model's."""

import json
import math

import pytest
from msgspec.structs import replace

from watchdeck.cli.models.board_output import as_json, as_text, exit_code
from watchdeck.domain.board.board import (
    Board,
    Collector,
    CollectorState,
    CollectorStatus,
    Health,
    LatestScrape,
    Model,
    SignalValue,
)
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.settings.endpoint import EndpointFacts, Resource
from watchdeck.domain.values.units import Unit

NOW = 1_795_442_000_000


def model(name: str, health: Health, **signals: SignalValue) -> Model:
    facts = EndpointFacts(name, "http://here", 10_000)
    latest = LatestScrape(
        facts,
        NOW - 2_100,
        Outcome.OK,
        0,
        signals,
        kind="mlserver",
        model_state=ModelState.READY,
        not_measurable=("queue_time",),
        remarks={"request_rate": "pages of two processes", "error_ratio": "pages of two processes"},
    )
    return Model(facts, health, f"it is {health}", NOW - 300_000, latest)


UNSEEN = Model(
    EndpointFacts("new", "http://new", 10_000), Health.UNKNOWN, "no scrape yet", None, None
)
SLOW = SignalValue(0.412, Unit.SECONDS, 0.25, math.inf)
RARE = SignalValue(0.042, Unit.RATIO, window=1_200, events=24)
SHARED = SignalValue(12.0, Unit.PER_SECOND, server_wide=True)
HOT = SignalValue(71.0, Unit.CELSIUS, resource="gpu-node")


def on_gpu(name: str, **match: str) -> Model:
    """A model on the node "gpu-node", whose page gave its temperature."""
    made = model(name, Health.OK, gpu_temperature=HOT)
    facts = replace(made.facts, resources=(Resource("gpu-node", match),))
    return replace(made, facts=facts)


def board(*models: Model) -> Board:
    beat = CollectorStatus(4711, "1", NOW - 60_000, NOW - 800, blind="no name can be resolved")
    return Board(NOW, live=True, collector=Collector(CollectorState.RUNNING, beat), models=models)


@pytest.mark.parametrize(
    ("healths", "code"),
    [
        pytest.param(["ok", "warning", "unknown", "down"], 2, id="down is 2"),
        pytest.param(["critical", "unknown"], 2, id="critical is 2"),
        pytest.param(["ok", "warning", "unknown"], 3, id="unknown is 3"),
        pytest.param(["ok", "warning"], 1, id="warning is 1"),
        pytest.param(["ok"], 0, id="ok is 0"),
        pytest.param([], 3, id="no model at all is unknown"),
    ],
)
def test_the_exit_code_is_the_worst_models(healths: list[str], code: int) -> None:
    assert exit_code(board(*(model(h, Health(h)) for h in healths))) == code


def test_the_text_names_the_worst_first_with_its_reason() -> None:
    text = as_text(board(model("good", Health.OK), model("bad", Health.CRITICAL, latency_p95=SLOW)))
    assert text.splitlines() == [
        "watchdeck at 2026-11-23T13:53:20Z (now)",
        "2 models: 1 critical, 1 ok",
        "collector: running, pid 4711, last tick 0s ago; no name can be resolved",
        "",
        "HEALTH    MODEL  KIND      SINCE  SEEN  p95       req/s  errors  WHY",
        "critical  bad    mlserver  5m     2s    > 250 ms  -      -       it is critical",
        "ok        good   mlserver  5m     2s    -         -      -       it is ok",
        "",
        "Unknown or in doubt:",
        "  bad: request_rate, error_ratio: pages of two processes",
        "  good: request_rate, error_ratio: pages of two processes",
    ]


def test_a_value_says_its_long_window_and_that_it_is_server_wide() -> None:
    text = as_text(board(model("rare", Health.OK, error_ratio=RARE, request_rate=SHARED)))
    assert "  12/s server-wide  4.2 % in 20m  it is ok" in text


def test_a_value_from_the_usual_window_is_plain() -> None:
    usual = replace(RARE, window=66)
    assert "  4.2 %   it is ok" in as_text(board(model("busy", Health.OK, error_ratio=usual)))


def test_the_figures_of_a_resource_are_told_with_the_models_that_share_it() -> None:
    shown = as_text(board(on_gpu("a", gpu="0"), on_gpu("b"), on_gpu("c", gpu="1")))
    assert shown.partition("Resources:\n")[2].splitlines()[:3] == [
        "  a: gpu_temperature 71 °C from gpu-node (gpu=0), shared with b",
        "  b: gpu_temperature 71 °C from gpu-node, shared with a, c",
        "  c: gpu_temperature 71 °C from gpu-node (gpu=1), shared with b",
    ]


def test_the_json_has_the_window_the_scope_and_the_resource_of_a_value() -> None:
    rare = model("rare", Health.OK, error_ratio=RARE, request_rate=SHARED)
    shown = {one["name"]: one for one in json.loads(as_json(board(rare, on_gpu("a"))))["models"]}
    assert shown["rare"]["signals"] == {
        "error_ratio": {"value": 0.042, "unit": "ratio", "window_s": 1_200, "events": 24},
        "request_rate": {"value": 12.0, "unit": "1/s", "server_wide": True},
    }
    assert shown["rare"]["remarks"]["request_rate"] == "pages of two processes"
    assert shown["rare"]["resources"] == []
    assert shown["a"]["resources"] == [{"endpoint": "gpu-node", "match": {}, "shared_with": []}]
    assert shown["a"]["signals"]["gpu_temperature"]["from"] == "gpu-node"


def test_a_model_never_seen_is_said_to_be_that() -> None:
    assert as_text(board(UNSEEN)).splitlines()[-1].split() == [
        *("unknown", "new", "unknown", "unknown", "never", "-", "-", "-", "no", "scrape", "yet")
    ]


def test_the_json_is_what_scripts_rely_on() -> None:
    answer = json.loads(as_json(board(model("bad", Health.CRITICAL, latency_p95=SLOW), UNSEEN)))
    assert answer["at"] == "2026-11-23T13:53:20Z"
    assert answer["collector"] | {"state": "running", "pid": 4711} == answer["collector"]
    assert answer["collector"]["last_tick_age_s"] == 0.8
    bad, new = answer["models"]
    assert bad["signals"] == {
        "latency_p95": {"value": 0.412, "unit": "s", "low": 0.25, "high": None}
    }
    assert (bad["since"], bad["last_seen_age_s"]) == ("2026-11-23T13:48:20Z", 2.1)
    assert bad["not_measurable"] == ["queue_time"]
    assert (new["kind"], new["since"], new["last_seen_age_s"]) == (None, None, None)
    assert answer["alerts"] == []
    assert not {"incidents", "cost"} & answer.keys()
