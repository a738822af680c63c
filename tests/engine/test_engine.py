"""What the engine writes: each change once, with what it was decided on, across restarts."""

from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import AlertState
from watchdeck.domain.board.board import Health
from watchdeck.domain.metrics.scrape import (
    OUTCOME_CODES,
    Frame,
    Identity,
    ModelState,
    Outcome,
    Scrape,
)
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, signal_layout
from watchdeck.domain.notifications.outbox import OutboxEntry
from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.rules.rule import Rule, Severity
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts, Slo
from watchdeck.domain.values.units import Milliseconds, Ratio
from watchdeck.engine.engine import Engine
from watchdeck.engine.rules.evaluator import SAVE_INTERVAL
from watchdeck.store.alerts.episodes import read_open_episodes
from watchdeck.store.alerts.outbox import OUTBOX_RETENTION, enqueue
from watchdeck.store.files.connection import Connection, open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import prepare
from watchdeck.store.state.changes import read_changes
from watchdeck.store.state.health import read_health, read_health_history

NOW = 1_790_000_000_000
LAYOUT = signal_layout(("latency_p95", "error_ratio"))
FRAUD = EndpointFacts(
    "fraud", "http://fraud", 10_000, slo=Slo(None, Milliseconds(200), Ratio(0.01))
)
RULES = (
    Rule("slow", "", read_condition("latency_p95 > slo").test, Severity.LOW),
    Rule("errors", "", read_condition("error_ratio > 1%").test, Severity.MEDIUM),
)


def scrape(at: int, **signals: float) -> Scrape:
    given = {OUTCOME_COLUMN: OUTCOME_CODES[Outcome.OK], "up": 1.0, **signals}
    values = array("d", (given.get(s.name, float("nan")) for s in LAYOUT.series))
    return Scrape(
        "fraud", at, 0.01, Outcome.OK, Frame(LAYOUT, values), model_state=ModelState.READY
    )


class Fleet:
    """A store, and the engine that judges it after every scrape."""

    def __init__(self, directory: StoreDirectory, metrics: Connection, state: Connection) -> None:
        self.directory, self._metrics, self._state = directory, metrics, state
        self.engine = self.started()

    def started(self) -> Engine:
        return Engine(self._metrics, self._state, RULES)

    def see(self, *scrapes: Scrape, facts: EndpointFacts = FRAUD) -> None:
        writer = MetricsWriter(self.directory, Retention(), clock=lambda: NOW)
        writer.start()
        writer.register([facts])
        for one in scrapes:
            writer.submit(one)
        writer.close()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    with (
        closing(open_readonly(directory.metrics)) as metrics,
        closing(open_writable(directory.state)) as state,
    ):
        yield Fleet(directory, metrics, state)


def test_a_change_is_written_once_and_not_again_after_a_restart(fleet: Fleet) -> None:
    fleet.see(scrape(NOW, latency_p95=0.1))
    assert [fleet.engine.evaluate(NOW), fleet.engine.evaluate(NOW + 1_000)] == [2, 0]
    assert fleet.started().evaluate(NOW + 2_000) == 0


def test_another_reason_for_the_same_health_keeps_its_beginning(fleet: Fleet) -> None:
    for at, signals in (
        (NOW, {"latency_p95": 0.1}),
        (NOW + 10_000, {"latency_p95": 0.3}),
        (NOW + 20_000, {"error_ratio": 0.02}),
    ):
        fleet.see(scrape(at, **signals))
        fleet.engine.evaluate(at)
    with closing(open_readonly(fleet.directory.state)) as db:
        told = read_health(db)["fraud"]
        story = read_health_history(db, "fraud", 0, NOW + 60_000)
    assert (told.health, told.cause, told.at) == (Health.WARNING, "errors", NOW + 20_000)
    assert told.began_at == NOW + 10_000
    assert [change.cause for change in story] == ["good", "slow", "errors"]


def test_silence_becomes_unknown_and_never_ok(fleet: Fleet) -> None:
    fleet.see(scrape(NOW, latency_p95=0.1))
    fleet.engine.evaluate(NOW)
    fleet.engine.evaluate(NOW + 30_001)
    with closing(open_readonly(fleet.directory.state)) as db:
        assert read_health(db)["fraud"].health is Health.UNKNOWN


def opened(fleet: Fleet) -> list[tuple[str, AlertState]]:
    with closing(open_readonly(fleet.directory.state)) as db:
        return [(alert.rule, episode.condition) for episode, alert in read_open_episodes(db)]


def test_a_scrape_from_before_the_collector_stopped_begins_nothing(fleet: Fleet) -> None:
    fleet.see(scrape(NOW, latency_p95=0.3))
    fleet.engine.evaluate(NOW + 60_000)
    assert opened(fleet) == []
    fleet.see(scrape(NOW + 61_000, latency_p95=0.3))
    fleet.engine.evaluate(NOW + 61_000)
    assert opened(fleet) == [("slow", AlertState.FIRING)]


def test_an_alert_is_kept_once_in_a_tick_however_late_that_is(fleet: Fleet) -> None:
    fleet.see(scrape(NOW, latency_p95=0.3), facts=replace(FRAUD, every=60_000))
    fleet.engine.evaluate(NOW + SAVE_INTERVAL)
    assert opened(fleet) == [("slow", AlertState.FIRING)]


def test_what_changed_by_itself_is_marked_once(fleet: Fleet) -> None:
    for n, version in enumerate(("1", "1", None, "2", "2")):
        at = NOW + 10_000 * n
        fleet.see(replace(scrape(at), identity=Identity(version)))
        fleet.engine.evaluate(at)
    with closing(open_readonly(fleet.directory.state)) as db:
        (marker,) = read_changes(db, 0, NOW + 60_000)
    assert (marker.what, marker.text, marker.at) == ("deploy", "version 1 → 2", NOW + 30_000)


def test_a_new_collector_marks_no_change_again(fleet: Fleet) -> None:
    gone = {"signals_missing": "the page gives no more: in_flight, queue_depth"}
    for n, (version, remarks) in enumerate((("1", {}), ("2", gone), ("1", gone), ("2", gone))):
        at = NOW + 10_000 * n
        fleet.see(replace(scrape(at), identity=Identity(version), remarks=remarks))
        fleet.started().evaluate(at)
        assert fleet.started().evaluate(at + 1_000) == 0
    with closing(open_readonly(fleet.directory.state)) as db:
        found = read_changes(db, 0, NOW + 60_000)
    assert [(one.what, one.text) for one in found] == [
        ("deploy", "version 1 → 2"),
        ("note", "series renamed or gone: the page gives no more in_flight, queue_depth"),
    ]


def test_what_was_told_long_ago_is_forgotten_once_a_day(fleet: Fleet) -> None:
    told = OutboxEntry("console", "page", "watchdeck/1/page", NOW, is_delivered=True)
    with closing(open_writable(fleet.directory.state)) as db:
        with transaction(db):
            enqueue(db, [told], NOW)
        fleet.engine.evaluate(NOW + OUTBOX_RETENTION)
        assert enqueue(db, [told], NOW) == 0
        fleet.engine.evaluate(NOW + OUTBOX_RETENTION + 86_400_000)
        assert enqueue(db, [told], NOW) == 1
