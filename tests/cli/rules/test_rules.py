"""Rules listed, checked, tried on a real store, and weighed by what people said of them."""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli.commands import Ran, run
from store.alerts.made import end, fire
from store.stores import scrape, write
from watchdeck.cli.options import iso, now
from watchdeck.cli.rules.rules import command
from watchdeck.domain.alerts.alert import Feedback
from watchdeck.store.alerts.acknowledgements import save_feedback
from watchdeck.store.files.connection import open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import prepare

EVERY, MINUTE = 10_000, 60_000
RULE = '[[rule]]\nname = "slow"\nwhen = "latency_p95 > 300ms for 1m"\nseverity = 2\n'
ENDPOINT = '[[endpoint]]\nname = "fraud"\nurl = "http://fraud"\nkind = "vllm"\nowner = "risk"\n'


def config(folder: Path, text: str = RULE) -> Path:
    path = folder / "watchdeck.toml"
    path.write_text(f'store = "store"\n{ENDPOINT}{text}')
    return path


def lived(folder: Path) -> int:
    """A store with an hour of history: five slow minutes, forty before its end, which is told."""
    directory = StoreDirectory(folder / "store")
    prepare(directory)
    until = now() // EVERY * EVERY
    scrapes = [
        scrape("fraud", at, 0.4 if 40 * MINUTE >= until - at > 35 * MINUTE else 0.1)
        for at in range(until - 60 * MINUTE, until, EVERY)
    ]
    write(directory, ["fraud"], scrapes)
    return until


def rules(path: Path, *args: str | Path) -> Ran:
    return run(command, *args, config=path)


def in_json(path: Path, *args: str | Path) -> Any:
    ran = rules(path, *args, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def listed(path: Path) -> Mapping[str, Mapping[str, Any]]:
    return {one["name"]: one for one in in_json(path, "list")}


def test_the_list_tells_whom_a_rule_reaches_and_why_not_the_others(tmp_path: Path) -> None:
    lived(tmp_path)
    text = f'{RULE}[alerts]\ndisable = ["memory-grows"]\n'
    found = listed(config(tmp_path, text))
    assert (found["slow"]["state"], found["slow"]["models"]) == ("on 1 model", ["fraud"])
    assert found["latency-over-slo"]["held_back"] == {"promises no latency_p95": ["fraud"]}
    assert found["certificate-ends"]["held_back"] == {"tells no tls_days_left": ["fraud"]}
    assert found["inputs-drift"]["state"] == "waiting for drift_share"
    assert found["memory-grows"]["state"] == "switched off"
    assert found["gpu-load-unusual"]["held_back"] == {"is not meant": ["fraud"]}


def test_the_list_is_by_family_the_worst_first(tmp_path: Path) -> None:
    lived(tmp_path)
    text = rules(config(tmp_path, f'{RULE}[alerts]\ndisable = ["down"]\n'), "list").out
    titles = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert titles[0] == "performance degradation"
    assert titles[-2:] == ["waiting for signals", "switched off"]
    assert "on no model: 1 model promises no latency_p95" in text
    performance = text.split("\n\n")[0].splitlines()[1:]
    severities = [line.split()[0] for line in performance if not line.startswith(" " * 4)]
    assert severities == sorted(severities)


@pytest.mark.parametrize(
    ("rule", "objective", "note"),
    [
        pytest.param(
            "errors-burn-fast",
            'error_ratio = "0.1%"',
            "needs 3 failed requests in 1h or 6h, and 50 requests in 5m or 30m: with error_ratio"
            " 0.1 %, one failure of 166 alone is past 6x",
            id="requests of a strict promise",
        ),
        pytest.param(
            "availability-burns-fast",
            'availability = "99.9%"',
            "needs 3 failed probes in 1h, and 10 probes in 5m: with availability 99.9 %, one"
            " failure of 69 alone is past 14.4x",
            id="probes of a strict promise",
        ),
        pytest.param(
            "errors-burn-fast",
            'error_ratio = "20%"',
            "needs 3 failed requests in 1h or 6h, and 50 requests in 5m or 30m: one or two failures"
            " show no trend",
            id="a promise that one failure cannot break",
        ),
        pytest.param(
            "availability-burns",
            "",
            "needs 3 failed probes in 6h, and 30 probes in 30m: one or two failures show no trend",
            id="nothing promised",
        ),
        pytest.param(
            "latency-unusual",
            "",
            "compares with the same hour of other days once 7 days of history show that they are"
            " alike, else with the whole week",
            id="a season",
        ),
        pytest.param("down", "", "", id="nothing more than its words"),
    ],
)
def test_the_list_tells_what_a_rule_needs_beyond_its_words(
    tmp_path: Path, rule: str, objective: str, note: str
) -> None:
    path = config(tmp_path, f"[endpoint.slo]\n{objective}\n")
    assert listed(path)[rule]["note"] == note
    assert note in rules(path, "list").out


def test_without_a_store_the_configuration_says_who_is_watched(tmp_path: Path) -> None:
    text = f'{RULE}[[endpoint]]\nname = "new"\nurl = "https://new"\n'
    found = listed(config(tmp_path, text))
    assert found["slow"]["held_back"] == {"was never scraped": ["new"]}
    assert found["slow"]["models"] == ["fraud"]
    assert found["down"]["models"] == ["fraud", "new"]


def test_rules_without_a_problem_are_counted(tmp_path: Path) -> None:
    ran = rules(config(tmp_path), "check")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith(" rules, no problems.\n")


def test_a_check_tells_all_problems_at_once_and_ends_with_2(tmp_path: Path) -> None:
    path = config(tmp_path, f'{RULE}[[rule]]\nname = "b"\nwhen = "dwn"\nseverity = 7\n')
    new = tmp_path / "new.toml"
    new.write_text('[[rule]]\nname = "c"\nwhen = "p95 > 3"\n')
    ran = rules(path, "check", new)
    assert (ran.code, ran.out) == (2, "")
    assert [line.split(": ")[0] for line in ran.err.splitlines()] == [str(path)] * 2 + [str(new)]
    assert "rule[0].when at character 7: '3' has no unit" in ran.err


def test_a_rule_that_means_nobody_is_a_problem_and_one_for_everybody_a_hint(
    tmp_path: Path,
) -> None:
    ran = rules(config(tmp_path, f'{RULE}match = ["owner=nobody"]\n'), "check")
    assert ran.code == 2
    assert "rule[0].match means no model that is watched (owner=nobody)." in ran.err
    ran = rules(config(tmp_path, f'{RULE}match = ["owner=~.*"]\n'), "check")
    assert ran.code == 0
    assert "rule[0].match[0] owner=~.* means every model. Leave it out" in ran.err


def test_a_replay_tells_when_a_rule_would_have_fired_how_long_and_how_often(
    tmp_path: Path,
) -> None:
    until = lived(tmp_path)
    ran = rules(config(tmp_path), "test", "slow", "--since", "55m")
    assert ran.code == 0
    at = until - 39 * MINUTE
    assert f"  {iso(at)}  for 5m  latency_p95 400 ms > 300 ms" in ran.out
    assert "slow: latency_p95 > 300ms for 1m (severity 2, a page)" in ran.out
    assert "fraud: once, 5m in all" in ran.out
    assert "In all: once on 1 model, " in ran.out
    assert "all of them pages." in ran.out


def test_a_replay_for_scripts_has_every_figure(tmp_path: Path) -> None:
    until = lived(tmp_path)
    told = in_json(config(tmp_path), "test", "slow", "--since", "30d")
    [model] = told["models"]
    [firing] = model["fired"]
    assert (firing["at"], firing["peak"]) == (iso(until - 39 * MINUTE), 0.4)
    assert model["history_since"] == iso(until - 60 * MINUTE)
    assert model["samples"] == 360
    assert f"its history begins only at {model['history_since']}" in model["doubts"]
    assert told["pages_per_week"] == pytest.approx(168, rel=0.01)


def test_another_when_is_tried_without_being_written_down(tmp_path: Path) -> None:
    lived(tmp_path)
    path = config(tmp_path)
    assert "never" in rules(path, "test", "slow", "--when", "p95 > 300ms for 10m").out
    mine = rules(path, "test", "mine", "--when", "p95 > 300ms", "--model", "fraud", "--since", "1h")
    assert "mine: p95 > 300ms (severity 3, a notice)" in mine.out
    assert "fraud: once" in mine.out


def test_a_rule_that_is_switched_off_can_be_tried(tmp_path: Path) -> None:
    lived(tmp_path)
    path = config(tmp_path, f'{RULE}[alerts]\ndisable = ["slow"]\n')
    assert "fraud: once" in rules(path, "test", "slow", "--since", "55m").out


def test_what_still_fires_lasts_as_long_as_there_is_history(tmp_path: Path) -> None:
    until = lived(tmp_path)
    ended = iso(until - EVERY)
    asked = ("test", "x", "--when", "p95 > 50ms", "--since", "55m", "--until", iso(until + MINUTE))
    out = rules(config(tmp_path), *asked).out
    assert "for 54m and still" in out
    assert f"its history ends at {ended}" in out


def test_a_window_longer_than_the_history_before_is_said(tmp_path: Path) -> None:
    lived(tmp_path)
    asked = ("test", "x", "--when", "p95 > 300ms over 30m", "--since", "55m")
    out = rules(config(tmp_path), *asked).out
    assert "the rule looks back 30m, and knows less than live in its first 30m." in out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(["slwo"], "no rule is called 'slwo'. Did you mean 'slow'?", id="no rule"),
        pytest.param(
            ["slow", "--model", "fruad"],
            "no model is called 'fruad'. Did you mean 'fraud'?",
            id="no model",
        ),
        pytest.param(
            ["x", "--when", "p95 > 5%"],
            "latency_p95 is a time, and 5% is none. Write it as 200ms.\n  p95 > 5%\n        ^",
            id="a unit that does not fit",
        ),
        pytest.param(["slow", "--until", "40d"], "--since is not before --until", id="no time"),
    ],
)
def test_what_cannot_be_replayed_is_told_with_what_can(
    tmp_path: Path, args: list[str], said: str
) -> None:
    lived(tmp_path)
    since = ["--since", "30d"] if "--until" in args else []
    ran = rules(config(tmp_path), "test", *args, *since)
    assert ran.code == 2
    assert said in ran.err


def test_a_rule_that_waits_is_not_called_quiet(tmp_path: Path) -> None:
    lived(tmp_path)
    out = rules(config(tmp_path), "test", "inputs-drift").out
    assert "Nothing was played: the rule is waiting for drift_share." in out


def judged(folder: Path, until: int) -> None:
    """Three alerts of the rule: one that helped, one that did not, one of which nobody spoke."""
    directory = StoreDirectory(folder / "store")
    opinions = ((39, Feedback.USEFUL), (20, Feedback.NOISE), (10, None))
    with closing(open_writable(directory.state)) as db:
        for minutes, opinion in opinions:
            at = until - minutes * MINUTE
            episode = end(db, fire(db, at=at), at + 5 * MINUTE)
            if opinion is not None:
                with transaction(db):
                    save_feedback(db, episode.id, opinion, "anna", at)


def test_stats_weigh_a_rule_and_try_other_limits(tmp_path: Path) -> None:
    judged(tmp_path, lived(tmp_path))
    [slow] = in_json(config(tmp_path), "stats")["rules"]
    assert (slow["name"], slow["fired"], slow["precision"]) == ("slow", 3, 0.5)
    assert (slow["useful"], slow["noise"], slow["late"]) == (1, 1, 0)
    tried = {
        one["limit"]: (one["fired"], one["useful"], one["noise"]) for one in slow["other_limits"]
    }
    assert tried["latency_p95 > 300ms for 1m"] == (1, 1, 0)
    assert tried["latency_p95 > 600ms for 1m"] == (0, 0, 0)
    text = rules(config(tmp_path), "stats").out
    assert "latency_p95 > 375ms for 1m: fires once, keeps 1 of 1 useful, 0 of 1 noise" in text
    assert text.count("<- as useful, with less noise") == 1


def test_where_nobody_said_anything_the_precision_is_unknown(tmp_path: Path) -> None:
    until = lived(tmp_path)
    with closing(open_writable(StoreDirectory(tmp_path / "store").state)) as db:
        fire(db, at=until - 5 * MINUTE)
    text = rules(config(tmp_path), "stats").out
    assert "unknown" in text
    assert "Nobody said anything of 1 of these" in text


def test_a_quiet_month_is_said_to_be_one(tmp_path: Path) -> None:
    lived(tmp_path)
    assert rules(config(tmp_path), "stats").out.startswith("no rule fired since ")
