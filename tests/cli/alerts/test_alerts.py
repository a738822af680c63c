"""Alerts from a shell: the same deeds as the keys do."""

from __future__ import annotations

import json
import re
import time
from contextlib import closing
from pathlib import Path

import pytest

from cli.commands import Ran, run
from cli.models.test_change import configured
from store.alerts.made import MINUTE, end, fire
from store.stores import NOW
from watchdeck.cli.alerts import alerts
from watchdeck.cli.alerts.commands import build_command
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.files.connection import open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter


@pytest.fixture
def store(tmp_path: Path) -> tuple[Path, StoreDirectory]:
    """A configuration, and a store with two open alerts and one that is over."""
    config, directory = configured(tmp_path)
    now = time.time_ns() // 1_000_000  # the clock of a command is the machine's
    with closing(open_writable(directory.state)) as db:
        fire(db, at=now - 12 * MINUTE)
        fire(db, "full", "churn", at=now - 3 * MINUTE)
        end(db, fire(db, "down", "chat", at=now - 9 * MINUTE), now - MINUTE)
    return config, directory


Store = tuple[Path, StoreDirectory]


def listed(store: Store, *wanted: str) -> Ran:
    return run(alerts.command, *wanted, config=store[0])


def test_alerts_are_listed_worst_and_open_first(store: Store) -> None:
    lines = listed(store).out.splitlines()
    assert lines[0].split() == ["NUMBER", "SEV", "STATE", "RULE", "MODEL", "FOR", "WHO", "WHY"]
    assert [line.split()[:5] for line in lines[1:]] == [
        ["1", "2", "FIRING", "slow", "fraud"],
        ["2", "2", "FIRING", "full", "churn"],
        ["3", "2", "RESOLVED", "down", "chat"],
    ]
    assert re.search(r" 1[2-4]m ", lines[1])


def test_a_filter_chooses_among_them_and_says_where_it_is_wrong(store: Store) -> None:
    assert len(listed(store, "model=churn").out.splitlines()) == 2
    assert listed(store, "sev=2").out == listed(store).out
    assert listed(store, "model=nobody").out == "no alert matches; 2 are open\n"
    ran = listed(store, "sev<")
    assert ran.code == 2
    assert "after sev< a value is missing (at character 5)" in ran.err


def test_a_saved_filter_chooses_among_alerts(store: Store) -> None:
    with store[0].open("a") as file:
        file.write('[console]\nfilters = { mine = "owner=risk model=fraud", slow = "rule=slow" }\n')
    one = listed(store, "model=fraud").out
    assert one.count("\n") == 2
    for args in (
        ("@mine",),
        ("--filter", "mine"),
        ("--filter", "@mine"),
        ("--filter", "rule=slow"),
    ):
        assert listed(store, *args).out == one
    assert listed(store, "@mine", "@slow", "unacked").out == one
    assert listed(store, "rule=down", "--filter", "mine").out == "no alert matches; 2 are open\n"
    ran = listed(store, "@nobody")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no filter of this name. Saved are @mine, @slow" in ran.err


def test_scripts_read_alerts_and_silences_as_json(store: Store) -> None:
    run(build_command("ack"), "1", config=store[0])
    run(
        build_command("silence"),
        "model=churn",
        "--for",
        "1h",
        "--reason",
        "a deploy",
        config=store[0],
    )
    found = json.loads(listed(store, "--json").out)
    first = found["alerts"][0]
    assert {name: first[name] for name in ("id", "rule", "model", "severity", "state")} == {
        "id": "1",
        "rule": "slow",
        "model": "fraud",
        "severity": 2,
        "state": "firing",
    }
    assert first["acknowledged_by"]
    assert [one["muted_by"] for one in found["alerts"]] == [[], ["silence"], []]
    assert [one["matchers"] for one in found["silences"]] == [["model=churn"]]


def test_alerts_are_taken_by_number_or_by_label_and_given_back(store: Store) -> None:
    ran = run(
        build_command("ack"), "model=fraud", "2", "--for", "1h", "--note", "on it", config=store[0]
    )
    assert (ran.code, ran.out) == (0, "you have 2 alerts for 1h\n")
    again = run(build_command("ack"), "1", "2", config=store[0])
    assert again.code == 1
    assert again.out.startswith("not done: slow of fraud: you have it already, for ")
    assert run(build_command("unack"), "1", config=store[0]).out == "nobody has slow of fraud now\n"


def test_what_nobody_has_cannot_be_taken_over(store: Store) -> None:
    ran = run(build_command("ack"), "1", "--take-over", config=store[0])
    assert (ran.code, ran.out) == (1, "not done: slow of fraud: nobody has it; acknowledge it\n")


def test_labels_that_mean_no_open_alert_are_named(store: Store) -> None:
    ran = run(build_command("ack"), "model=nobody", config=store[0])
    assert ran.code == 1
    assert "no open alert has model=nobody" in ran.err


def test_what_is_neither_a_number_nor_a_label_is_refused(store: Store) -> None:
    ran = run(build_command("ack"), "fraud!", config=store[0])
    assert ran.code == 2
    assert "is not a matcher" in ran.err
    assert run(build_command("ack"), config=store[0]).code == 2


def test_an_alert_is_resolved_with_a_note_only(store: Store) -> None:
    assert run(build_command("resolve"), "1", config=store[0]).code == 2
    ran = run(build_command("resolve"), "1", "--note", "false alarm", config=store[0])
    assert (ran.code, ran.out) == (0, "resolved slow of fraud\n")


def test_a_note_and_an_opinion_are_kept(store: Store) -> None:
    assert (
        run(build_command("note"), "1", "rolled back", config=store[0]).out
        == "noted on slow of fraud\n"
    )
    ran = run(build_command("note"), "3", "--opinion", "noise", config=store[0])
    assert (ran.code, ran.out) == (0, "down of chat was noise\n")
    assert run(build_command("note"), "1", config=store[0]).code == 1


def test_a_silence_has_labels_an_end_and_a_reason(store: Store) -> None:
    args = ("owner=risk", "--for", "2h", "--reason", "a deploy")
    ran = run(build_command("silence"), *args, config=store[0])
    assert (ran.code, ran.out) == (0, "silence 1 hides 2 open alerts for 2h\n")
    assert "silence 1 owner=risk for " in listed(store).out
    assert "2 muted" in listed(store).out
    assert run(build_command("unsilence"), "1", config=store[0]).out == "silence 1 is over\n"
    assert run(build_command("unsilence"), "1", config=store[0]).code == 1


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(("1", "--for", "2h", "--reason", "x"), id="a number is no label"),
        pytest.param(("model=a", "--reason", "x"), id="without an end"),
        pytest.param(("model=a", "--for", "2h"), id="without a reason"),
        pytest.param(("model=a", "--for", "soon", "--reason", "x"), id="no length of time"),
    ],
)
def test_a_silence_that_says_too_little_is_refused(store: Store, args: tuple[str, ...]) -> None:
    assert run(build_command("silence"), *args, config=store[0]).code == 2


def test_a_known_issue_is_first_in_the_line_of_its_alerts(store: Store) -> None:
    args = ("the vendor knows", "--model", "fraud", "--for", "1d")
    assert (
        run(build_command("pin"), *args, config=store[0]).out == "known issue 1 is shown for 1d\n"
    )
    assert "known: the vendor knows; latency_p95" in listed(store).out
    assert run(build_command("pin"), "--end", "1", config=store[0]).out == "known issue 1 is gone\n"
    assert run(build_command("pin"), "x", "--model", "fraud", config=store[0]).code == 2


@pytest.mark.parametrize(
    "matcher", ["model=~.*", "model=~.+", "model=~(.*)", "severity=~[1-4]", "source=~.+"]
)
def test_a_silence_of_everything_is_refused_and_hides_nothing(store: Store, matcher: str) -> None:
    args = (matcher, "--for", "7d", "--reason", "peace")
    ran = run(build_command("silence"), *args, config=store[0])
    assert (ran.code, ran.out) == (1, "")
    assert "it would hide nearly every alert: 2 of 2 that are open; say which" in ran.err
    assert "muted" not in listed(store).out


def test_a_label_of_the_whole_fleet_is_everything(store: Store) -> None:
    config, directory = store
    writer = MetricsWriter(directory, Retention(), clock=lambda: NOW)
    writer.start()
    fleet = ("fraud", "churn")
    writer.register([EndpointFacts(n, f"http://{n}", 10_000, labels={"env": "p"}) for n in fleet])
    writer.close()
    args = ("--for", "1h", "--reason", "a deploy")
    ran = run(build_command("silence"), "env=p", *args, config=config)
    assert (ran.code, ran.out) == (1, "")
    assert run(build_command("silence"), "model=churn", "env=p", *args, config=config).code == 0
