"""The newest scrape comes back with what it says of its signals and of its server."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from store.metrics.made import T0
from watchdeck.domain.metrics.scrape import Frame, Identity, Outcome, Scrape, Truncation
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.settings.endpoint import EndpointFacts, Resource
from watchdeck.store.files.connection import Connection, open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import LayoutTable
from watchdeck.store.metrics.latest import (
    read_facts,
    read_latest,
    register_endpoints,
    save_latest,
)
from watchdeck.store.migrations import prepare

LAYOUT = signal_layout(("request_rate", "error_ratio", "gpu_temperature"))
PLACES = {series.name: place for place, series in enumerate(LAYOUT.series)}
CHAT = EndpointFacts("chat", "http://chat", 10_000, resources=(Resource("node", {"gpu": "0"}),))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    with closing(open_writable(directory.metrics, synchronous="OFF")) as opened:
        register_endpoints(opened, [CHAT], T0)
        yield opened


def scrape(
    at: int = T0, identity: Identity | None = None, known: Mapping[str, float] | None = None
) -> Scrape:
    frame = Frame(LAYOUT, nan_row())
    for name, value in ({"outcome": 0.0} | dict(known or {})).items():
        frame.values[PLACES[name]] = value
    return Scrape(
        "chat",
        at,
        0.1,
        Outcome.OK,
        frame,
        identity=identity or Identity(),
        truncation=Truncation(stale=2, out_of_range=3),
        remarks={"queue_depth": "its series are not on the page"},
        server_wide=("request_rate",),
        resources={"gpu_temperature": "node"},
    )


def nan_row() -> array[float]:
    return array("d", [float("nan")] * len(LAYOUT))


def test_a_value_comes_back_with_its_window_its_scope_and_its_resource(db: Connection) -> None:
    known = {"request_rate": 3.0, "error_ratio": 0.04, "gpu_temperature": 71.0}
    details = {"error_ratio.window": 1_200.0, "error_ratio.events": 25.0}
    save_latest(db, LayoutTable(db), 1, scrape(known=known | details))
    (latest,) = read_latest(db)
    rate, errors, heat = (latest.signals[name] for name in known)
    assert (rate.server_wide, errors.server_wide) == (True, False)
    assert (errors.window, errors.events) == (1_200, 25)
    assert (heat.resource, rate.resource) == ("node", None)
    assert latest.remarks == {"queue_depth": "its series are not on the page"}
    assert (latest.cut.stale, latest.cut.out_of_range) == (2, 3)


def test_the_second_scrape_replaces_all_of_the_first(db: Connection) -> None:
    layouts = LayoutTable(db)
    save_latest(db, layouts, 1, scrape())
    newer = Identity("v2", 5, 3, 1, server_version="1.9", certificate="ab", host="10.0.0.2")
    save_latest(db, layouts, 1, scrape(T0 + 10_000, newer))
    (latest,) = read_latest(db)
    assert latest.identity == newer


def test_the_resources_of_a_model_come_back(db: Connection) -> None:
    assert read_facts(db) == (CHAT,)


def test_the_names_that_an_earlier_version_stored_are_resources(db: Connection) -> None:
    (text,) = db.execute("select facts from endpoint").fetchone()
    old = json.dumps(json.loads(text) | {"resources": ["node"]})
    db.execute("update endpoint set facts = :old", {"old": old})
    (facts,) = read_facts(db)
    assert facts.resources == (Resource("node"),)
