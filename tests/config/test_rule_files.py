"""The pack: on without a line, for every kind of server, in words for three in the morning."""

import re
from pathlib import Path

import pytest

from watchdeck.config.checks.rule import rule_problems
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.config.reading.problems import ConfigProblems
from watchdeck.config.rules import PACKAGED, load_pack, rules_in_force
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.signal import PROBE_SIGNALS
from watchdeck.domain.rules.rule import Rule, RuleFamily, Unsupported
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.plan_builder import kind_signals
from watchdeck.domain.values.matcher import matches

PACK = load_pack()
RULES = rules_in_force(Settings())


@pytest.mark.parametrize("text", [pytest.param(text, id=text.name) for text in PACK])
def test_a_rule_of_the_pack_has_no_problem_and_says_what_is_wrong_and_where_to_look(
    text: object,
) -> None:
    [rule] = [one for one in PACK if one is text]
    assert list(rule_problems(rule)) == []
    assert "{model}" in (rule.message or "")
    assert rule.severity is not None
    assert rule.family is not None


def test_every_rule_of_the_pack_has_a_name_of_its_own() -> None:
    assert len({text.name for text in PACK}) == len(PACK)
    assert len(RULES) == len(PACK)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", text.name) for text in PACK)


def test_the_pack_has_rules_of_every_family() -> None:
    assert {rule.family for rule in RULES} == set(RuleFamily)
    assert all(Path(text.origin).parent == PACKAGED for text in PACK)


def signals(rule: Rule) -> set[str]:
    signal = getattr(rule.test, "signal", None)
    return {signal} if signal else set()


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in load_kinds()])
def test_every_kind_of_server_has_rules_over_what_it_tells(kind: Kind) -> None:
    told = set(kind_signals(kind, Endpoint("", ""))) - set(PROBE_SIGNALS)
    for_it = [rule for rule in RULES if matches(rule.match, {"kind": kind.name})]
    assert any(not signals(rule) for rule in for_it)
    assert not told or any(signals(rule) & told for rule in for_it)


def test_a_kind_that_a_rule_names_exists_and_tells_what_the_rule_is_about() -> None:
    kinds = {kind.name: set(kind_signals(kind, Endpoint("", ""))) for kind in load_kinds()}
    for rule in RULES:
        meant = [name for name in kinds if matches(rule.match, {"kind": name})]
        assert meant
        assert all(signals(rule) & kinds[name] for name in meant if rule.match)


def test_what_nothing_tells_yet_waits_and_is_not_left_out() -> None:
    waiting = {rule.test.kind for rule in RULES if isinstance(rule.test, Unsupported)}
    assert waiting == {"drift", "quality", "spend"}


def test_a_folder_of_rules_is_refused_with_every_problem(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("rule = 3")
    (tmp_path / "b.toml").write_text('[[rule]]\nwhen = "down"')
    with pytest.raises(ConfigProblems) as refused:
        load_pack(tmp_path)
    assert len(refused.value.problems) == 2
