"""The demo's fleet is real, its story is told in time, and nothing of it is left behind."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from watchdeck.collector.exposition import PageParser
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.demo.fleet.endpoints import ENDPOINTS, DemoEndpoint, settings
from watchdeck.demo.fleet.metrics_pages import render_page
from watchdeck.demo.fleet.traffic import (
    Load,
    SimulatedServer,
    latency_factor,
    request_rate,
    zero_counts,
)
from watchdeck.demo.scenario import FaultKind, active_faults, slowness
from watchdeck.domain.kinds.detection import detect

KINDS = {
    "fraud-detector": "mlserver",
    "churn-score": "mlserver",
    "support-chat": "vllm",
    "image-tagger": "triton",
    "demand-forecast": "bentoml",
    "search-ranker": "kserve",
    "gpu-node": "dcgm",
    "legacy [/nope] scorer": "prometheus",
}
MIDNIGHT = 1_790_035_200


def server(part: DemoEndpoint) -> SimulatedServer:
    return SimulatedServer(part.load, Random(1), MIDNIGHT, zero_counts())


def page(part: DemoEndpoint, server: SimulatedServer) -> bytes:
    return render_page(part.page(part.name, server.counts)).encode()


@pytest.mark.parametrize("part", ENDPOINTS, ids=lambda part: part.name)
def test_a_page_is_recognised_and_read_whole(part: DemoEndpoint) -> None:
    made = server(part)
    made.advance(MIDNIGHT + 60)
    read = PageParser().read(part.name, page(part, made))
    kind = detect(load_kinds(), read.layout.series, {})
    assert read.truncation.total == 0
    assert kind is not None
    assert kind.name == KINDS[part.name]
    assert not any(ord(char) < 32 for series in read.layout.series for char in str(series))


@pytest.mark.parametrize("part", ENDPOINTS, ids=lambda part: part.name)
def test_counters_never_go_down(part: DemoEndpoint) -> None:
    made = server(part)
    seen = []
    for second in (10, 20, 20, 5, 60):
        made.advance(MIDNIGHT + second, slowness=3)
        seen.append((made.counts.good, made.counts.bad, made.counts.micros, *made.counts.buckets))
    assert all(
        a <= b for before, after in pairwise(seen) for a, b in zip(before, after, strict=True)
    )


def test_the_night_model_is_asked_at_night_alone() -> None:
    load = Load(8, 0.4, nightly=True)
    assert [request_rate(load, MIDNIGHT + 3_600 * hour) for hour in (0, 1, 2, 12, 23)] == [
        8,
        8,
        0,
        0,
        0,
    ]


def test_a_busy_model_is_slower_than_a_quiet_one() -> None:
    load = Load(40, 0.02, strain=0.2)
    paces = [latency_factor(load, MIDNIGHT + 3_600 * hour) for hour in (2, 8, 14)]
    assert paces == [pytest.approx(0.95), pytest.approx(1.0), pytest.approx(1.05)]


def test_the_story_is_told_in_five_minutes() -> None:
    told = {
        second: {
            part.name: set(found)
            for part in ENDPOINTS
            if (found := active_faults(part.name, second))
        }
        for second in (0, 60, 100, 301)
    }
    assert told[0] == told[301] == {}
    assert told[60] == {"fraud-detector": {FaultKind.SLOW}, "churn-score": {FaultKind.UNLOADED}}
    assert told[100]["search-ranker"] == {FaultKind.HANGS}
    assert [slowness("fraud-detector", second) for second in (0, 20, 50, 80, 299, 300)] == [
        1, 1, 5, 9, 9, 1,
    ]  # fmt: skip
    assert slowness("churn-score", 60) == 1


def test_the_fleet_is_watched_on_its_ports_alone() -> None:
    made = settings({part.name: 1_000 + n for n, part in enumerate(ENDPOINTS)})
    assert [endpoint.url for endpoint in made.endpoint[:2]] == [
        "http://127.0.0.1:1000",
        "http://127.0.0.1:1001",
    ]


def test_one_board_of_the_demo_is_printed_and_nothing_is_left(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "watchdeck", "demo", "--once", "--json"],
        cwd=tmp_path,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    board = json.loads(done.stdout)
    models = {model["name"]: model for model in board["models"]}
    assert {name: model["kind"] for name, model in models.items()} == KINDS
    assert models["fraud-detector"]["signals"]["request_rate"]["value"] > 0
    is_night = board["at"][11:13] in ("00", "01")  # UTC: the only hours in which it is asked
    assert is_night or "error_ratio" not in models["demand-forecast"]["signals"]
    assert "error_ratio" in models["support-chat"]["not_measurable"]
    assert list(tmp_path.iterdir()) == []
    assert done.stderr == ""


@pytest.mark.long
def test_the_store_is_kept_where_the_person_says(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "watchdeck", "demo", "--once", "--dir", "kept"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "kept" / "store" / "metrics.db").is_file()
