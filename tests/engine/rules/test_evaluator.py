"""What the engine keeps of alerts when others write too, and when what is watched changes."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from store.stores import ANNA, NOW, beat
from watchdeck.actions.actor import Actor
from watchdeck.actions.alerts.resolve import resolve
from watchdeck.actions.requests import ResolveRequest
from watchdeck.domain.alerts.alert import Alert, AlertEvent, AlertState, EndReason, Episode
from watchdeck.domain.metrics.scrape import Frame, ModelState, Outcome, Scrape
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.rules.rule import Rule, Severity
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.matcher import read_matcher
from watchdeck.engine.engine import Engine
from watchdeck.engine.rules.evaluator import MAX_SAVES, SAVE_INTERVAL
from watchdeck.store.alerts.episodes import (
    read_ended_episodes,
    read_open_episodes,
    read_transitions,
    save_episode,
)
from watchdeck.store.files.connection import Connection, open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import LayoutTable
from watchdeck.store.metrics.latest import register_endpoints, save_heartbeat, save_latest
from watchdeck.store.migrations import prepare
from watchdeck.store.state.audit import read_entries, read_head

EVERY = 10_000
LAYOUT = signal_layout(("latency_p95",))
COLUMNS = [series.name for series in LAYOUT.series]
SLOW = Rule("slow", "", read_condition("latency_p95 > 200ms").test, Severity.HIGH, hold=20_000)
LLM = replace(SLOW, name="llm-slow", hold=0, match=(read_matcher("kind=vllm"),))


class Fleet:
    """A store whose endpoints are scraped by hand, and the engine on it."""

    def __init__(
        self,
        directory: StoreDirectory,
        metrics: Connection,
        state: Connection,
        reading: Connection,
    ) -> None:
        self.directory, self.metrics, self.state = directory, metrics, state
        self._reading = reading
        self._layouts = LayoutTable(metrics)
        self.start(SLOW)

    def start(self, *rules: Rule) -> None:
        self.engine = Engine(self._reading, self.state, rules)

    def update_target(self, *names: str) -> None:
        facts = [EndpointFacts(name, f"http://{name}", EVERY) for name in names]
        with transaction(self.metrics):
            self._ids = register_endpoints(self.metrics, facts, NOW)

    def see(
        self,
        at: int,
        p95: float,
        *,
        kind: str | None = "vllm",
        names: Sequence[str] = (),
        blind: str = "",
    ) -> None:
        """A scrape of these, or of all, and what the engine makes of it."""
        given = {"outcome": 0.0, "up": 1.0, "latency_p95": p95}
        values = array("d", (given.get(column, float("nan")) for column in COLUMNS))
        with transaction(self.metrics):
            for name in names or self._ids:
                frame, ready = Frame(LAYOUT, values), ModelState.READY
                scrape = Scrape(name, at, 0.01, Outcome.OK, frame, kind=kind, model_state=ready)
                save_latest(self.metrics, self._layouts, self._ids[name], scrape)
            save_heartbeat(self.metrics, beat(at))
        self.engine.evaluate(at + 500, blind)

    def open(self) -> dict[str, Episode]:
        return {alert.fingerprint: episode for episode, alert in read_open_episodes(self.state)}

    def ended(self) -> list[tuple[Episode, Alert]]:
        return list(read_ended_episodes(self.state, 0))


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    with (
        closing(open_writable(directory.metrics)) as metrics,
        closing(open_writable(directory.state)) as state,
        closing(open_readonly(directory.metrics)) as reading,
    ):
        yield Fleet(directory, metrics, state, reading)


def test_what_another_changed_meanwhile_is_read_again_and_goes_on(fleet: Fleet) -> None:
    fleet.update_target("fraud")
    fleet.see(NOW, 0.3)
    with closing(open_writable(fleet.directory.state)) as other, transaction(other):
        save_episode(other, replace(fleet.open()["slow/fraud"], observed=0, why="another's"))
    fleet.see(NOW + EVERY, 0.3)
    assert fleet.open()["slow/fraud"].condition is AlertState.PENDING
    fleet.see(NOW + 2 * EVERY, 0.3)
    assert fleet.open()["slow/fraud"].condition is AlertState.FIRING


def test_a_change_that_loses_the_race_is_not_kept_and_made_again(fleet: Fleet) -> None:
    fleet.update_target("fraud")
    fleet.see(NOW, 0.3)
    fleet.see(NOW + EVERY, 0.3)
    before = fleet.open()["slow/fraud"]
    save_episode(fleet.state, before)  # by our own connection: nothing tells the engine
    fleet.see(NOW + 2 * EVERY, 0.3)
    assert fleet.open()["slow/fraud"].condition is AlertState.PENDING
    fleet.engine.evaluate(NOW + 2 * EVERY + 1_500)
    after = fleet.open()["slow/fraud"]
    assert after.condition is AlertState.PENDING
    assert after.rev == before.rev + 1
    fleet.see(NOW + 3 * EVERY, 0.3)
    fleet.see(NOW + 4 * EVERY, 0.3)
    after = fleet.open()["slow/fraud"]
    assert after.condition is AlertState.FIRING
    verbs = [step.verb for step in read_transitions(fleet.state, after, NOW + 9 * EVERY)]
    assert verbs == [AlertEvent.PENDING, AlertEvent.FIRED]


def test_an_episode_that_a_person_ended_is_over_here_too(fleet: Fleet) -> None:
    fleet.update_target("fraud")
    for step in range(3):
        fleet.see(NOW + step * EVERY, 0.3)
    number = fleet.open()["slow/fraud"].id
    resolve(
        Actor(fleet.directory, ANNA),
        ResolveRequest((number,), note="I restarted it"),
        NOW + 25_000,
    )
    fleet.see(NOW + 3 * EVERY, 0.3)
    assert fleet.open() == {}
    fleet.see(NOW + 9 * EVERY, 0.3)
    assert fleet.open()["slow/fraud"].id != number


def test_a_rule_or_a_model_that_is_taken_away_takes_its_alerts_along(fleet: Fleet) -> None:
    fleet.update_target("fraud", "churn")
    for step in range(3):
        fleet.see(NOW + step * EVERY, 0.3)
    fleet.update_target("fraud")
    fleet.start(SLOW)
    fleet.see(NOW + 3 * EVERY, 0.3)
    assert list(fleet.open()) == ["slow/fraud"]
    fleet.start()
    fleet.see(NOW + 4 * EVERY, 0.3)
    reasons = {alert.model: (one.end_reason, one.why) for one, alert in fleet.ended()}
    assert fleet.open() == {}
    assert {reason for reason, _ in reasons.values()} == {EndReason.WITHDRAWN}


def test_a_blind_collector_holds_what_fires_and_tells_nothing_when_it_sees_again(
    fleet: Fleet,
) -> None:
    fleet.update_target("fraud", "churn")
    for step in range(3):
        fleet.see(NOW + step * EVERY, 0.3)
    for step in range(3, 9):
        fleet.see(NOW + step * EVERY, 0.1, blind="nothing can be reached")
    fleet.see(NOW + 9 * EVERY, 0.3, names=["fraud"])
    fleet.see(NOW + 10 * EVERY, 0.3)
    for name in ("slow/fraud", "slow/churn"):
        steps = read_transitions(fleet.state, fleet.open()[name], NOW + 99 * EVERY)
        assert [step.verb for step in steps] == [AlertEvent.PENDING, AlertEvent.FIRED]


def test_a_rule_for_a_kind_waits_until_the_kind_is_known(fleet: Fleet) -> None:
    fleet.start(LLM)
    fleet.update_target("chat")
    fleet.see(NOW, 0.3, kind=None)
    assert fleet.open() == {}
    fleet.see(NOW + EVERY, 0.3)
    assert fleet.open()["llm-slow/chat"].condition is AlertState.FIRING


def test_an_alert_of_a_kind_outlives_a_restart_in_which_the_kind_is_not_known_yet(
    fleet: Fleet,
) -> None:
    fleet.start(LLM)
    fleet.update_target("chat")
    fleet.see(NOW, 0.3)
    fleet.start(LLM)
    fleet.see(NOW + EVERY, 0.3, kind=None)
    assert fleet.open()["llm-slow/chat"].condition is AlertState.FIRING
    assert fleet.ended() == []


def test_what_only_moves_on_is_saved_now_and_then_and_a_few_at_a_time(fleet: Fleet) -> None:
    names = [f"model-{number}" for number in range(MAX_SAVES + 20)]
    fleet.update_target(*names)
    for step in range(3):
        fleet.see(NOW + step * EVERY, 0.3)
    rows = read_head(fleet.state).rows
    fleet.see(NOW + 3 * EVERY, 0.4)
    assert {episode.value for episode in fleet.open().values()} == {0.3}
    later = NOW + 3 * EVERY + SAVE_INTERVAL
    fleet.see(later, 0.5)
    values = [episode.value for episode in fleet.open().values()]
    assert (values.count(0.5), values.count(0.3)) == (MAX_SAVES, 20)
    fleet.engine.evaluate(later + 1_500)
    assert {episode.value for episode in fleet.open().values()} == {0.5}
    assert read_head(fleet.state).rows == rows


def test_every_step_is_in_the_audit_and_the_rule_did_it(fleet: Fleet) -> None:
    fleet.update_target("fraud")
    for step in range(3):
        fleet.see(NOW + step * EVERY, 0.3)
    entries = read_entries(fleet.state, 1, read_head(fleet.state).rows)
    found = [(one.who, one.action, one.subject) for one in entries if one.action[:5] == "alert"]
    subject = f"episode {fleet.open()['slow/fraud'].id}: slow of fraud"
    assert found == [("rule", "alert.pending", subject), ("rule", "alert.fired", subject)]


def test_a_tick_without_news_writes_nothing(fleet: Fleet) -> None:
    fleet.update_target("fraud")
    fleet.see(NOW, 0.1)
    with closing(open_readonly(fleet.directory.state)) as db:
        (before,) = db.execute("pragma data_version").fetchone()
        fleet.see(NOW + EVERY, 0.1)
        fleet.engine.evaluate(NOW + EVERY + 1_500)
        (after,) = db.execute("pragma data_version").fetchone()
    assert before == after
