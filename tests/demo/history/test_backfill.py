"""A new store is filled with the whole past; one that has a past of its own is left alone."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection

import pytest

from demo.history.histories import A_DAY, NOW, PARTS, past
from watchdeck.demo.fleet.processes import child_process, receive_first
from watchdeck.demo.fleet.traffic import Counts
from watchdeck.demo.history.backfill import backfill
from watchdeck.demo.scenario import INCIDENTS, OPTIMISED, Incident
from watchdeck.domain.values.operator import Operator
from watchdeck.errors import CollectorRunning, WatchdeckError
from watchdeck.store.doctor import CheckStatus, examine
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.history import read_series
from watchdeck.store.reader import Reader

WHO = Operator("ada", "test")


@dataclass(frozen=True, slots=True)
class Filled:
    directory: StoreDirectory
    counts: Mapping[str, Counts[int]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    directory = StoreDirectory(tmp_path_factory.mktemp("demo") / "store")
    return Filled(directory, backfill(directory, WHO, 1, NOW))


@pytest.fixture
def reader(filled: Filled) -> Iterator[Reader]:
    with closing(Reader(filled.directory)) as opened:
        yield opened


def test_every_scrape_of_the_past_is_in_the_store(reader: Reader) -> None:
    for name in PARTS:
        (ups,) = reader.history(name, ["up"], 0, NOW + 1)
        assert ups.times == past(name).history.signals.times.tolist()


def test_the_store_holds_what_was_made(filled: Filled) -> None:
    one = past("image-tagger")
    with closing(open_readonly(filled.directory.metrics)) as db:
        for place, series in enumerate(one.history.series.layout.series):
            found = read_series(db, one.part.name, str(series), 0, NOW + 1)
            assert found.times == one.history.series.times.tolist()
            assert found.values == one.history.series.values[:, place].tolist()


def test_the_four_changes_are_marked(reader: Reader) -> None:
    changes = reader.changes(0, NOW)
    assert [(change.endpoint, change.text) for change in changes] == [
        (OPTIMISED, "feature selection"),
        (OPTIMISED, "model compression"),
        (OPTIMISED, "batching"),
        (OPTIMISED, "right-sizing"),
    ]
    assert [(NOW - change.at) / A_DAY for change in changes] == [56, 49, 42, 35]


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda one: f"{one.endpoint} {one.days}")
def test_a_board_of_the_past_shows_what_happened(reader: Reader, incident: Incident) -> None:
    one = past(incident.endpoint)
    number = one.scrape_at(incident.days, incident.minute + incident.minutes // 2)
    board = reader.board(NOW, int(one.server.traffic.times[number]))
    shown = next(model for model in board.models if model.facts.name == incident.endpoint)
    recorded = [change for change in one.history.health if change.at <= board.at][-1]
    assert shown.health is recorded.health
    assert shown.why.split()[0] in (recorded.why.split()[0], "pending:")
    assert shown.latest is not None
    assert shown.latest.at == board.at


def test_the_live_servers_start_from_the_newest_frame(filled: Filled) -> None:
    assert filled.counts == {name: past(name).history.counts for name in PARTS}


def test_the_doctor_misses_nothing_but_a_collector(filled: Filled) -> None:
    found = {finding.name: finding for finding in examine(filled.directory, NOW)}
    assert [name for name, finding in found.items() if finding.state is CheckStatus.FAIL] == [
        "collector"
    ]


def test_a_store_with_a_past_is_left_alone(filled: Filled) -> None:
    size = filled.directory.metrics.stat().st_size
    assert backfill(filled.directory, WHO, 2, NOW + A_DAY) == {}
    assert filled.directory.metrics.stat().st_size == size


def test_nothing_is_filled_while_somebody_collects(filled: Filled) -> None:
    with filled.directory.hold_lock(), pytest.raises(CollectorRunning):
        backfill(filled.directory, WHO, 1, NOW)


def dies(parent: Connection) -> None:
    parent.close()
    os._exit(3)


def test_a_process_that_dies_is_named() -> None:
    with (
        child_process("history", dies) as pipe,
        pytest.raises(WatchdeckError, match="the history of"),
    ):
        receive_first(pipe, "the history", 20)
