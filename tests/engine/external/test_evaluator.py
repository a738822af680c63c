"""What other systems say becomes episodes: each problem once, and no end without a word for it."""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.external.payloads import NOW, alert, captured, posted, webhook
from engine.external.listening import EU, HOOK, MINUTE, POST, SECOND, Ear, firing, over
from log_lines import lines_of
from store.stores import state
from watchdeck.domain.alerts.alert import AlertState, DataState
from watchdeck.domain.external.alertmanager import read_list, read_webhook
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.datetimes import read_rfc3339, write_rfc3339
from watchdeck.engine.external import CHECK_INTERVAL, ExternalSchedule, label_index
from watchdeck.store.alerts.episodes import read_open_episodes
from watchdeck.store.alerts.external import (
    BATCH_SIZE,
    append_events,
    mark_reachable,
    pending_events,
    read_suppressed,
    register_sources,
    replace_list,
)
from watchdeck.store.files.connection import Connection, open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.state.audit import verify


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    with state(tmp_path) as opened:
        yield opened


def later(milliseconds: int) -> str:
    return write_rfc3339(NOW + milliseconds)


def test_a_captured_alert_fires_once_and_its_resolve_ends_it(db: Connection) -> None:
    ear = Ear(db, NOW - 10 * MINUTE)
    assert ear.captured("firing") == [("ModelErrorRatioHigh", "fired")]
    [episode] = ear.open().values()
    assert episode.started_at == read_rfc3339("2026-11-23T05:03:48.734Z")
    assert episode.why == "model fraud error ratio 0.12"
    assert ear.captured("firing") == []
    assert [verb for _, verb in ear.captured("resolved")] == ["clearing", "resolved"]
    assert ear.open() == {}
    assert verify(db).first_bad is None


def test_saying_it_a_hundred_times_is_one_episode(db: Connection) -> None:
    ear = Ear(db, NOW)
    for _ in range(100):
        ear.hook(firing(), after=10 * SECOND)
    assert ear.steps == [("Slow", "fired")]


def test_a_resolve_is_held_while_another_alert_says_that_there_is_no_data(db: Connection) -> None:
    ear = Ear(db, NOW - 10 * MINUTE)
    at = read_rfc3339("2026-11-23T05:04:47.734Z")
    ear.captured("firing", told=at, starts_at=at)
    ear.captured("absent_firing")
    assert ear.captured("false_resolved_data_gap")[-1] == ("ModelErrorRatioHigh", "resolve_held")
    held = ear.open()["ModelErrorRatioHigh"]
    assert (held.condition, held.data) == (AlertState.CLEARING, DataState.NONE)
    again = firing("ModelErrorRatioHigh", fingerprint="bd11ab4d362309b9", startsAt=later(13_000))
    steps = ear.hook(again, after=10 * SECOND)
    assert [verb for _, verb in steps] == ["data_back", "firing_again"]
    assert ear.episodes() == 2


def test_a_held_resolve_counts_once_its_target_was_back_for_a_while(db: Connection) -> None:
    ear = Ear(db, NOW)
    ear.hook(firing(), firing("TargetDown"))
    assert ear.hook(over(endsAt=later(5_000)), after=10 * SECOND)[-1] == ("Slow", "resolve_held")
    ear.judge(10 * MINUTE)
    assert "Slow" in ear.open()
    ear.hook(over("TargetDown", endsAt=later(700_000)), after=2 * MINUTE)
    ear.judge(2 * MINUTE)
    assert set(ear.open()) == {"Slow"}
    for _ in range(5):
        ear.judge(MINUTE)
    assert ear.open() == {}
    assert ear.steps[-2:] == [("Slow", "data_back"), ("Slow", "resolved")]


def test_a_resolve_is_held_while_we_get_nothing_from_its_model(db: Connection) -> None:
    ear = Ear(db, NOW, mute=("fraud",))
    ear.hook(firing())
    assert ear.hook(over(endsAt=later(5_000)), after=10 * SECOND)[-1] == ("Slow", "resolve_held")


def test_the_end_that_comes_of_a_dead_prometheus_resolves_nothing(db: Connection) -> None:
    """Alertmanager resolves by itself, with the very end that Prometheus had promised to renew."""
    ear = Ear(db, NOW, (EU,))
    body, at = captured("false_resolved_after_prometheus_death")
    [false] = read_webhook(body, "eu", at).events
    listed = {
        "labels": false.labels,
        "fingerprint": false.fingerprint,
        "startsAt": "2026-11-23T05:05:22.734Z",
        "endsAt": "2026-11-23T05:13:26.734Z",
        "updatedAt": "2026-11-23T05:09:26.734Z",
        "generatorURL": false.link,
    }
    ear.list(listed, after=5 * MINUTE)
    ear.now = at
    steps = ear.take("eu", [false])
    assert [verb for _, verb in steps] == ["clearing", "resolve_held"]
    for _ in range(60):
        ear.list(after=15 * SECOND)
    assert "ModelErrorRatioHigh" in ear.open()


def test_a_list_resolves_by_what_it_no_longer_holds(db: Connection) -> None:
    ear = Ear(db, NOW, (EU,))
    ear.list(firing(endsAt=later(4 * MINUTE)))
    ear.list(firing(endsAt=later(5 * MINUTE)), after=15 * SECOND)
    assert [verb for _, verb in ear.list(after=15 * SECOND)] == ["clearing", "resolved"]


def test_what_leaves_a_list_when_its_promise_ran_out_is_held(db: Connection) -> None:
    ear = Ear(db, NOW, (EU,))
    ear.list(firing(endsAt=later(MINUTE), updatedAt=later(-3 * MINUTE)))
    for _ in range(3):
        ear.list(firing(endsAt=later(MINUTE), updatedAt=later(-3 * MINUTE)), after=15 * SECOND)
    assert [verb for _, verb in ear.list(after=30 * SECOND)] == ["clearing", "resolve_held"]


def test_a_sender_that_goes_on_speaking_makes_a_lapsed_alert_be_over(db: Connection) -> None:
    """The rule was taken away: its Prometheus lives, and says nothing more of it."""
    ear = Ear(db, NOW, (EU,))
    gone = firing(endsAt=later(MINUTE), updatedAt=later(-3 * MINUTE))
    ear.list(gone, firing("Watchdog", endsAt=later(4 * MINUTE), updatedAt=later(0)))
    for minute in range(1, 12):
        watchdog = firing(
            "Watchdog",
            endsAt=later((minute + 4) * MINUTE),
            updatedAt=later(minute * MINUTE),
        )
        for _ in range(4):
            ear.list(watchdog, after=15 * SECOND)
    assert set(ear.open()) == {"Watchdog"}


def test_an_alertmanager_that_started_anew_clears_nothing(db: Connection) -> None:
    ear = Ear(db, NOW, (EU,))
    ear.list(firing(endsAt=later(4 * MINUTE)))
    for _ in range(4):
        assert ear.list(after=15 * SECOND, started=2) == []
    assert set(ear.open()) == {"Slow"}
    assert ear.list(firing(endsAt=later(9 * MINUTE)), after=15 * SECOND, started=2) == []
    for _ in range(16):
        ear.list(firing(endsAt=later(20 * MINUTE)), after=15 * SECOND, started=2)
    assert [verb for _, verb in ear.list(after=15 * SECOND, started=2)] == ["clearing", "resolved"]


def test_a_one_shot_alert_that_a_restart_forgot_is_held(db: Connection) -> None:
    ear = Ear(db, NOW, (EU,))
    ear.list(firing(endsAt=later(4 * MINUTE)))
    for _ in range(40):
        ear.list(after=15 * SECOND, started=2)
    held = ear.open()["Slow"]
    assert held.data is DataState.NONE


def test_a_silent_source_is_one_alert_and_resolves_nothing(
    db: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watchdeck")
    ear = Ear(db, NOW, (EU,))
    ear.list(*(firing(f"A{n}", endsAt=later(4 * MINUTE)) for n in range(5)))
    steps = ear.judge(MINUTE)
    assert steps.count(("source_silent", "fired")) == 1
    assert all(
        episode.data is DataState.NONE for name, episode in ear.open().items() if name[0] == "A"
    )
    assert ear.judge(30 * MINUTE) == []
    alerts = [firing(f"A{n}", endsAt=later(40 * MINUTE)) for n in range(5)]
    steps = ear.list(*alerts, after=SECOND)
    assert [rule for rule, verb in steps if verb == "resolved"] == ["source_silent"]
    assert lines_of(caplog) == [
        '<4>source is silent source=eu problem="eu is silent for 1m"',
        "<6>source is heard again source=eu failures=1",
    ]
    assert all(episode.data is DataState.FRESH for episode in ear.open().values())


def test_a_prometheus_that_sends_straight_and_dies_leaves_its_alerts_held(db: Connection) -> None:
    ear = Ear(db, NOW, (POST,))
    ear.post(firing(endsAt=later(4 * MINUTE)))
    for minute in range(1, 4):
        ear.post(firing(endsAt=later((minute + 4) * MINUTE)), after=MINUTE)
    assert ear.steps == [("Slow", "fired")]
    assert set(ear.judge(3 * MINUTE)) == {("Slow", "resolve_held"), ("source_silent", "fired")}
    ear.judge(60 * MINUTE)
    assert ear.open()["Slow"].data is DataState.NONE


def test_a_prometheus_that_dies_beside_a_living_one_is_no_data(db: Connection) -> None:
    ear = Ear(db, NOW, (POST,))
    ear.post(firing(endsAt=later(4 * MINUTE)), firing("Other", endsAt=later(4 * MINUTE)))
    for minute in range(1, 6):
        ear.post(firing("Other", endsAt=later((minute + 4) * MINUTE)), after=MINUTE)
    assert ear.steps[2:] == [("Slow", "no_data")]


def test_a_prometheus_with_nothing_to_say_is_not_silent(db: Connection) -> None:
    ear = Ear(db, NOW, (POST,))
    assert ear.judge(24 * 60 * MINUTE) == []


def test_a_dead_man_s_switch_is_no_alert_and_its_end_is_silence(db: Connection) -> None:
    ear = Ear(db, NOW, (replace(HOOK, deadman="Watchdog"),))
    ear.hook(firing("Watchdog"), firing())
    assert set(ear.open()) == {"Slow"}
    over_at = later(5 * MINUTE)
    steps = ear.hook(over("Watchdog", endsAt=over_at), after=5 * MINUTE)
    assert ("source_silent", "fired") in steps
    assert ear.hook(over(endsAt=over_at), after=SECOND)[-1][0] == "Slow"
    assert ear.open()["Slow"].data is DataState.NONE


def test_with_a_dead_man_s_switch_a_resolve_counts_when_that_was_heard_after_it(
    db: Connection,
) -> None:
    ear = Ear(db, NOW, (replace(HOOK, deadman="Watchdog"),))
    ear.hook(firing("Watchdog"), firing())
    steps = ear.hook(over(endsAt=later(30_000)), after=MINUTE)
    assert steps[-1] == ("Slow", "resolve_held")
    for _ in range(14):
        ear.hook(firing("Watchdog"), after=MINUTE)
    assert ear.open() == {}


def test_a_resolve_that_overtook_its_firing_cancels_it(db: Connection) -> None:
    ear = Ear(db, NOW)
    assert ear.hook(over(endsAt=later(0))) == []
    assert ear.hook(firing(), after=2 * SECOND) == []
    assert ear.episodes() == 0
    assert ear.hook(firing(startsAt=later(3_000)), after=9 * SECOND) == [("Slow", "fired")]


def test_a_resolve_of_an_older_start_closes_nothing(db: Connection) -> None:
    ear = Ear(db, NOW)
    ear.hook(firing(startsAt=later(-MINUTE)))
    assert ear.hook(over(startsAt=later(-9 * MINUTE), endsAt=later(-8 * MINUTE))) == []
    assert set(ear.open()) == {"Slow"}


def test_a_clock_that_is_ahead_fires_and_is_told_of(db: Connection) -> None:
    ear = Ear(db, NOW)
    assert ear.captured("startsAt_in_future") == [("SkewFuture", "fired")]
    [episode] = ear.open().values()
    assert "its clock is wrong" in episode.why
    told: dict[str, Any] = {
        "labels": {"alertname": "SkewFuture", "model": "b"},
        "startsAt": "2026-11-23T06:10:20Z",
    }
    ear.hook(over(**told, endsAt="2026-11-23T06:12:00Z", annotations={}), after=2 * MINUTE)
    assert ear.open() == {}


def test_a_rise_of_severity_at_the_source_is_worse(db: Connection) -> None:
    ear = Ear(db, NOW)
    labels = {"alertname": "Slow", "model": "fraud"}
    warning = firing(labels={**labels, "severity": "warning"}, fingerprint="aa")
    ear.hook(warning)
    critical = firing(labels={**labels, "severity": "critical"}, fingerprint="aa")
    assert ear.hook(critical, after=SECOND) == [("Slow", "worse")]


def test_suppressed_alerts_open_and_are_known_to_be_quiet_at_their_source(db: Connection) -> None:
    ear = Ear(db, NOW, (EU,))
    quiet = alert(status={"state": "suppressed", "silencedBy": ["one"]}, fingerprint="aa")
    ear.list(quiet)
    assert set(ear.open()) == {"Slow"}
    assert read_suppressed(db) == {1: ("silence one",)}
    assert ear.suppressed == {1: ("silence one",)}
    ear.list(alert(status={"state": "active"}, fingerprint="aa"), after=15 * SECOND)
    assert read_suppressed(db) == {}


FLEET = [
    EndpointFacts(
        "fraud-eu", "http://h", 10_000, model="fraud", owner="risk", labels={"team": "a"}
    ),
    EndpointFacts("a", "http://h", 10_000, model="shared"),
    EndpointFacts("b", "http://h", 10_000, model="shared"),
]


def test_others_may_call_an_endpoint_by_the_model_that_it_alone_serves() -> None:
    assert {name: labels["model"] for name, labels in label_index(FLEET).items()} == {
        "fraud-eu": "fraud-eu",
        "fraud": "fraud-eu",
        "a": "a",
        "b": "b",
    }


def test_an_alert_about_an_endpoint_has_the_labels_of_that_too(db: Connection) -> None:
    ear = Ear(db, NOW, fleet=FLEET)
    ear.hook(firing(labels={"alertname": "Slow", "model": "fraud", "team": "b"}))
    [(_, about)] = read_open_episodes(db)
    assert about.model == "fraud-eu"
    assert about.labels == {
        "alertname": "Slow",
        "model": "fraud-eu",
        "owner": "risk",
        "team": "b",
    }


def test_a_flood_is_judged_whole_and_a_part_at_a_time(db: Connection) -> None:
    ear = Ear(db, NOW)
    ear.hook(*(firing(f"A{n}") for n in range(1_200)))
    assert len(ear.open()) == BATCH_SIZE
    ear.judge()
    ear.judge()
    assert len(ear.open()) == 1_200
    assert pending_events(db) == ()


EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from(["warning", "critical"])),
    max_size=10,
)


@given(EVENTS, st.randoms(use_true_random=False))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_saying_everything_twice_changes_nothing(
    tmp_path: Path, said: list[tuple[int, bool, str]], chance: Any
) -> None:
    bodies = []
    for start, fires, severity in said:
        told: dict[str, Any] = {
            "labels": {"alertname": "Slow", "model": "m", "severity": severity},
            "fingerprint": "aa",
            "startsAt": later(-1_000_000 + start * 1_000),
        }
        bodies.append(firing(**told) if fires else over(**told, endsAt=later(-900_000)))
    found = []
    for number, twice in enumerate((False, True)):
        with state(tmp_path / f"{chance.random()}-{number}") as db:
            ear = Ear(db, NOW)
            for body in bodies:
                ear.hook(body, after=SECOND)
                if twice:
                    ear.hook(body)
            found.append(ear.steps)
    assert found[0] == found[1]


def test_what_was_taken_survives_a_death_before_it_was_judged(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        body, at = captured("firing")
        assert append_events(db, "eu", read_webhook(body, "eu", at).events, at) == 1
        assert append_events(db, "eu", read_webhook(body, "eu", at + 1).events, at + 1) == 0
    with closing(open_writable(StoreDirectory(tmp_path).state)) as db:
        assert Ear(db, at).judge() == [("ModelErrorRatioHigh", "fired")]


def test_a_webhook_of_an_alertmanager_that_just_started_anew_ends_nothing(db: Connection) -> None:
    ear = Ear(db, NOW, (EU,))
    ear.list(firing(endsAt=later(4 * MINUTE)))
    ear.list(firing(endsAt=later(4 * MINUTE)), after=15 * SECOND, started=2)
    assert ear.hook(over(endsAt=later(20_000)), after=SECOND)[-1] == ("Slow", "resolve_held")


def test_a_source_that_is_heard_again_without_an_alert_leaves_it_held(db: Connection) -> None:
    ear = Ear(db, NOW, (POST,))
    ear.post(firing(endsAt=later(4 * MINUTE)))
    ear.judge(4 * MINUTE)
    ear.post(firing("Other", endsAt=later(9 * MINUTE)), after=MINUTE)
    assert ear.open()["Slow"].data is DataState.NONE
    steps = ear.post(firing(endsAt=later(10 * MINUTE)), after=SECOND)
    assert steps == [("Slow", "data_back")]


def test_what_was_said_is_judged_at_once_and_what_time_makes_of_it_now_and_then(
    db: Connection,
) -> None:
    schedule = ExternalSchedule(db)
    assert not schedule.is_due(NOW)
    ear = Ear(db, NOW)
    assert not schedule.is_due(NOW + CHECK_INTERVAL - 1)
    assert schedule.is_due(NOW + CHECK_INTERVAL)
    assert not schedule.is_due(NOW + CHECK_INTERVAL + 1_000)
    append_events(db, "eu", read_webhook(webhook(firing()), "eu", NOW).events, NOW)
    assert schedule.is_due(NOW + CHECK_INTERVAL + 2_000)
    ear.judge()
    assert not schedule.is_due(NOW + CHECK_INTERVAL + 3_000)
    assert schedule.is_due(NOW - 60 * MINUTE)


def test_a_source_that_is_taken_out_of_the_configuration_is_not_called_silent(
    db: Connection,
) -> None:
    ear = Ear(db, NOW, (EU,))
    ear.judge(MINUTE)
    assert set(ear.open()) == {"source_silent"}
    register_sources(db, (), ear.now)
    ear.judge(MINUTE)
    assert ear.open() == {}


AM1 = replace(EU, name="am1", peers=("01A", "01B"))
AM2 = replace(EU, name="am2", peers=("01A", "01B"))


def poll(ear: Ear, name: str, *alerts: dict[str, Any], started: int = 1) -> None:
    """Poll one member of a cluster."""
    mark_reachable(ear.db, name, ear.now, started, ("01A", "01B"))
    replace_list(ear.db, name, read_list(posted(*alerts), name, ear.now).events, ear.now)
    ear.judge()


def test_two_members_of_one_cluster_tell_of_one_alert(db: Connection) -> None:
    ear = Ear(db, NOW, (AM1, AM2))
    for _ in range(8):
        ear.now += 15 * SECOND
        now = firing(updatedAt=later(ear.now - NOW), endsAt=later(ear.now - NOW + 4 * MINUTE))
        for name in ("am1", "am2"):
            poll(ear, name, now)
    assert ear.steps == [("Slow", "fired")]
    ear.now += 15 * SECOND
    poll(ear, "am2")
    assert ear.steps == [("Slow", "fired")]
    poll(ear, "am1")
    assert ear.steps[1:] == [("Slow", "clearing"), ("Slow", "resolved")]
    assert ear.open() == {}


def test_a_member_that_starts_anew_and_one_that_is_lost_end_nothing(db: Connection) -> None:
    ear = Ear(db, NOW, (AM1, AM2))
    now = firing(updatedAt=later(0), endsAt=later(4 * MINUTE))
    for name in ("am1", "am2"):
        poll(ear, name, now)
    ear.now += 15 * SECOND
    poll(ear, "am2", started=2)
    for _ in range(8):
        ear.now += 15 * SECOND
        poll(ear, "am2", now, started=2)
    assert ear.open()["Slow"].data is DataState.FRESH
    assert [verb for rule, verb in ear.steps if rule == "Slow"] == ["fired"]
    ear.now += 15 * SECOND
    poll(ear, "am2", started=2)
    assert ear.open().get("Slow") is not None


def test_what_a_prometheus_posts_and_its_alertmanager_sends_is_one_alert(db: Connection) -> None:
    ear = Ear(db, NOW, (HOOK, POST))
    said = firing(generatorURL="http://prometheus:9090/graph?g0.expr=x", fingerprint=None)
    ear.post(said)
    ear.hook(said, after=SECOND)
    assert ear.steps == [("Slow", "fired")]
    ear.hook(
        over(generatorURL=said["generatorURL"], fingerprint=None, endsAt=later(60_000)),
        after=MINUTE,
    )
    assert [verb for _, verb in ear.steps] == ["fired", "clearing", "resolved"]


def test_two_systems_on_their_own_may_tell_of_the_same_labels(db: Connection) -> None:
    ear = Ear(db, NOW, (replace(AM1, peers=()), replace(AM2, peers=())))
    for name in ("am1", "am2"):
        mark_reachable(db, name, ear.now, 1)
        replace_list(db, name, read_list(posted(firing()), name, ear.now).events, ear.now)
    ear.judge()
    assert ear.steps == [("Slow", "fired"), ("Slow", "fired")]


def test_of_two_held_resolves_the_newer_counts(db: Connection) -> None:
    ear = Ear(db, NOW, (replace(HOOK, deadman="Watchdog"),))
    ear.hook(firing("Watchdog"), firing())
    for minute in range(1, 9):
        ear.hook(over(endsAt=later(minute * MINUTE)), after=MINUTE)
    assert "Slow" in ear.open()
    ear.hook(firing("Watchdog", startsAt=later(8 * MINUTE)), after=MINUTE)
    assert "Slow" in ear.open()
    ear.hook(firing("Watchdog", startsAt=later(9 * MINUTE)), after=90 * SECOND)
    assert "Slow" not in ear.open()


def test_a_dead_mans_switch_delays_an_end_by_no_more_than_its_interval(db: Connection) -> None:
    ear = Ear(db, NOW, (replace(HOOK, deadman="Watchdog"),))
    ear.hook(firing("Watchdog"), firing())
    ear.hook(over(endsAt=later(MINUTE)), after=MINUTE)
    for _ in range(3):
        ear.hook(firing("Watchdog", startsAt=later(ear.now - NOW)), after=MINUTE)
    assert ear.steps[-1] == ("Slow", "resolved")


def test_the_port_of_an_operator_is_no_target(db: Connection) -> None:
    ear = Ear(db, NOW)
    ear.hook(
        firing("InstanceDown", labels={"alertname": "InstanceDown", "endpoint": "http", "job": "a"})
    )
    other = {"alertname": "KubePodCrashLooping", "endpoint": "http", "job": "b"}
    ear.hook(firing(labels=other, fingerprint="c0"))
    ear.hook(over(labels=other, fingerprint="c0", endsAt=later(MINUTE)), after=MINUTE)
    assert ear.steps[-1] == ("KubePodCrashLooping", "resolved")


def test_a_name_that_only_contains_down_is_no_word_of_missing_data(db: Connection) -> None:
    ear = Ear(db, NOW)
    ear.hook(firing("HWSlowdownThrottle"), firing())
    ear.hook(over(endsAt=later(MINUTE)), after=MINUTE)
    assert ear.steps[-1] == ("Slow", "resolved")
