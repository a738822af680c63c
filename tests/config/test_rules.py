"""Rules of a configuration, of the files beside it and of the pack, and all that is wrong there."""

from pathlib import Path

import pytest

from config.config_files import ONE, problems, write
from watchdeck.config.load import load
from watchdeck.config.reading.problems import ConfigProblems
from watchdeck.config.rules import (
    rule_file_problems,
    rules_in_force,
    rules_matching_everything,
    rules_without_target,
)
from watchdeck.domain.rules.rule import Absent, Limit, NoData, Rule, RuleFamily, Severity, Threshold
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.values.matcher import Matcher

HEAD = '[[rule]]\nname = "slow"\n'
SLOW = f'{HEAD}when = "latency_p95 > 200ms for 5m"\n'
FULL = """
[[rule]]
name = "slow"
when = "latency_p95  >  200ms"
severity = 2
for = "5m"
resolve_for = "2m"
min_samples = 3
no_data = "fire"
no_data_after = "1m"
match = ["owner=risk", 'model=~"fraud-.*"']
labels = { team = "risk" }
family = "resource constraints"
playbook = "slow-model"
runbook = "https://wiki/slow"
message = "{model} of {team} takes {value}, more than {limit}"
group_by = ["team"]
"""


def only(path: Path) -> Rule:
    """The one rule of a configuration that does without the pack."""
    [rule] = rules_in_force(load(path))
    return rule


def beside(folder: Path, name: str, text: str) -> Path:
    path = folder / "rules" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_rule_is_judged_as_it_is_written(tmp_path: Path) -> None:
    path = write(tmp_path, f"{FULL}[alerts]\npack = false\n")
    assert only(path) == Rule(
        "slow",
        "latency_p95 > 200ms for 5m",
        Threshold("latency_p95", True, Limit(0.2)),
        Severity.HIGH,
        hold=300_000,
        resolve_for=120_000,
        min_samples=3,
        no_data=NoData.FIRE,
        no_data_after=60_000,
        match=(Matcher("owner", "risk"), Matcher("model", "fraud-.*", pattern=True)),
        labels={"team": "risk"},
        family=RuleFamily.RESOURCES,
        playbook="slow-model",
        runbook="https://wiki/slow",
        message="{model} of {team} takes {value}, more than {limit}",
        group_by=("team",),
        origin=str(path),
    )


def test_what_is_left_out_is_as_it_is_for_most(tmp_path: Path) -> None:
    path = write(tmp_path, f"[alerts]\npack = false\n{SLOW}")
    test = Threshold("latency_p95", True, Limit(0.2))
    words = "latency_p95 > 200ms for 5m"
    assert only(path) == Rule("slow", words, test, hold=300_000, origin=str(path))


def test_how_long_somebody_is_absent_may_stand_in_for(tmp_path: Path) -> None:
    text = f'{HEAD}when = "absent"\nfor = "2m"\n[alerts]\npack = false\n'
    assert only(write(tmp_path, text)).test == Absent(120_000)


def test_the_pack_holds_without_a_line(tmp_path: Path) -> None:
    rules = rules_in_force(load(write(tmp_path, ONE)))
    assert {"down", "latency-over-slo"} <= {rule.name for rule in rules}
    assert rules == rules_in_force(Settings())


def test_a_rule_of_the_pack_is_changed_by_its_name_and_only_where_it_is_said(
    tmp_path: Path,
) -> None:
    text = '[[rule]]\nname = "down"\nseverity = 3\n'
    before = {rule.name: rule for rule in rules_in_force(Settings())}
    after = {rule.name: rule for rule in rules_in_force(load(write(tmp_path, text)))}
    changed = after.pop("down")
    down = before.pop("down")
    assert after == before
    assert (changed.severity, changed.when) == (Severity.MEDIUM, down.when)
    assert (changed.hold, changed.message) == (down.hold, down.message)


def test_another_when_brings_its_own_for(tmp_path: Path) -> None:
    text = '[[rule]]\nname = "down"\nwhen = "down after 5"\n'
    rules = {rule.name: rule for rule in rules_in_force(load(write(tmp_path, text)))}
    assert rules["down"].hold == 0


def test_a_rule_that_is_switched_off_is_listed_and_not_enabled(tmp_path: Path) -> None:
    text = f'[alerts]\ndisable = ["down", "slow"]\n{SLOW}'
    rules = rules_in_force(load(write(tmp_path, text)))
    assert {rule.name for rule in rules if not rule.enabled} == {"down", "slow"}


def test_rules_beside_the_configuration_are_read_too(tmp_path: Path) -> None:
    path = write(tmp_path, "[alerts]\npack = false\n")
    other = beside(tmp_path, "team.toml", SLOW)
    assert only(path).origin == str(other)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            f'{HEAD}when = "latency_p59 > 1s"',
            "rule[0].when at character 1: 'latency_p59' is no signal. Did you mean",
            id="no signal",
        ),
        pytest.param(
            f'{HEAD}when = "latency_p95 > 5%"',
            "rule[0].when at character 15: latency_p95 is a time, and 5% is none."
            " Write it as 200ms.",
            id="a unit that does not fit",
        ),
        pytest.param(
            HEAD,
            "rule[0] has no 'when', and no rule of the pack has its name. Write when =",
            id="never true",
        ),
        pytest.param(
            '[[rule]]\nname = "dwn"', "of the pack has its name. Did you mean 'down'?", id="a slip"
        ),
        pytest.param('[[rule]]\nwhen = "down"', "rule[0] has no 'name'.", id="no name"),
        pytest.param(f"{SLOW}severity = 5", "rule[0].severity is 5, more than 4.", id="severity"),
        pytest.param(f'{SLOW}for = "5m"', "rule[0].for stands in when too.", id="for, twice"),
        pytest.param(
            f'{SLOW}no_data = "hld"', "no_data is none that there is. Did you mean 'hold'?", id="no"
        ),
        pytest.param(
            f'{SLOW}family = "data qualty"',
            "family is none that there is. Did you mean",
            id="family",
        ),
        pytest.param(
            f'{SLOW}match = ["owner"]',
            "rule[0].match[0] 'owner' is not a matcher. Write label=value",
            id="no matcher",
        ),
        pytest.param(f'{SLOW}match = "a=b"', "Put it in brackets: [...].", id="not a list"),
        pytest.param(
            f'{SLOW}labels = {{ severity = "1" }}',
            "rule[0].labels.severity is a label that watchdeck sets itself.",
            id="a label of our own",
        ),
        pytest.param(
            f'{SLOW}labels = {{ "a b" = "1" }}', 'labels."a b" is no name of a label', id="label"
        ),
        pytest.param(
            f'{SLOW}group_by = ["a b"]', "group_by[0] is no name of a label", id="grouping"
        ),
        pytest.param(
            f'{SLOW}message = "{{model.x()}}"', "has a place that no label fills", id="no code"
        ),
        pytest.param(f'{SLOW}message = "{{model"', "a brace without its other half", id="a brace"),
        pytest.param(f'{SLOW}runbook = "ftp://x"', "cannot be asked over ftp", id="runbook"),
        pytest.param(f'{SLOW}message = "\\u001b"', "no screen shows (U+001B)", id="escape codes"),
        pytest.param(f"{SLOW}min_samples = 0", "min_samples is 0, less than 1", id="no samples"),
        pytest.param(
            f'{SLOW}expr = "x"', "rule[0].expr is not a setting. Did you mean 'when'?", id="expr"
        ),
        pytest.param(
            SLOW + SLOW, "rule[1].name is the name of rule[0] too. Every rule", id="twice"
        ),
        pytest.param(
            '[alerts]\ndisable = ["dwn"]',
            "alerts.disable[0] names no rule. Did you mean 'down'?",
            id="switched off, and not there",
        ),
        pytest.param(
            '[alerts]\npack = false\ndisable = ["down"]',
            "alerts.disable[0] names no rule.",
            id="the pack is off already",
        ),
    ],
)
def test_a_wrong_rule_is_told_with_its_key_and_what_would_work(
    tmp_path: Path, text: str, said: str
) -> None:
    [line] = problems(tmp_path, text)
    assert said in line


def test_the_problems_of_all_files_are_told_at_once_each_with_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, f"{SLOW}severity = 0\n")
    more = beside(tmp_path, "more.toml", f"{SLOW}\n[[rule]]\nname = 3\n{HEAD}")
    bad = beside(tmp_path, "bad.toml", "rule = ")
    with pytest.raises(ConfigProblems) as refused:
        load(path)
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        str(one) for one in (bad, more, path, more, more, more)
    ]
    assert "rule[1].name must be a text in quotes" in lines[1]
    assert "rule[2] has no 'when'" in lines[3]
    assert lines[4].endswith(
        f"rule[0].name is the name of rule[0] of {path} too. Every rule has its own."
    )


FLEET = '[[endpoint]]\nname = "a"\nurl = "http://h"\nowner = "risk"\n'


@pytest.mark.parametrize(
    ("match", "said"),
    [
        pytest.param('["owner=risk"]', [], id="one that means somebody"),
        pytest.param('["kind=vllm"]', [], id="a kind that is not known yet"),
        pytest.param('["owner=rsk"]', ["means no model that is watched (owner=rsk)"], id="nobody"),
    ],
)
def test_a_rule_that_means_nobody_is_found(tmp_path: Path, match: str, said: list[str]) -> None:
    settings = load(write(tmp_path, f"{FLEET}{SLOW}match = {match}\n"))
    assert [problem.text for problem in rules_without_target(settings)] == said


def test_a_pattern_that_means_everybody_is_found(tmp_path: Path) -> None:
    settings = load(write(tmp_path, f'{FLEET}{SLOW}match = ["owner=risk", "model=~.*"]\n'))
    [hint] = rules_matching_everything(settings)
    assert str(hint).startswith("rule[0].match[1] model=~.* means every model.")


def test_a_file_is_tried_as_if_it_lay_beside(tmp_path: Path) -> None:
    settings = load(write(tmp_path, FLEET + SLOW))
    other = tmp_path / "new.toml"
    other.write_text(f'{SLOW}[[rule]]\nname = "nobody"\nwhen = "dwn"\nmatch = ["owner=x"]\n')
    wrong, twice = map(str, rule_file_problems(settings, [other]))
    assert wrong == "rule[1].when at character 1: 'dwn' is no signal. Did you mean 'down'?"
    assert f"is the name of rule[0] of {tmp_path / 'watchdeck.toml'} too" in twice
    other.write_text('[[rule]]\nname = "nobody"\nwhen = "down"\nmatch = ["owner=x"]\n')
    [unmet] = rule_file_problems(settings, [other])
    assert (unmet.file, unmet.key) == (str(other), "rule[0].match")


def test_a_file_that_is_in_force_already_is_not_read_twice(tmp_path: Path) -> None:
    other = beside(tmp_path, "team.toml", SLOW)
    assert rule_file_problems(load(write(tmp_path, FLEET)), [other]) == []
