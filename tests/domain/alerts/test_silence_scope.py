import pytest

from watchdeck.domain.alerts.silence_scope import (
    KnownAlerts,
    RuleScope,
    hides_everything,
    scope_refusal,
)
from watchdeck.domain.values.matcher import read_matcher

RULES = (RuleScope({"rule": "slow"}), RuleScope({"rule": "down"}))
ONE = KnownAlerts(({"model": "fraud", "owner": "risk", "env": "prod"},), RULES)
FLEET = KnownAlerts((*ONE.models, {"model": "churn", "owner": "ads", "env": "prod"}), RULES)
REPORTED = KnownAlerts(
    raised=(
        {"rule": "A", "model": "fraud", "source": "am", "severity": "1"},
        {"rule": "B", "model": "ocr", "source": "am", "severity": "2"},
        {"rule": "Node", "model": "", "source": "am", "severity": "2"},
    )
)
NONE = KnownAlerts()


@pytest.mark.parametrize("known", [NONE, ONE, FLEET, REPORTED])
@pytest.mark.parametrize(
    "matchers",
    [
        "",
        "model=~.*",
        "model=~.+",
        "model=~(.*)",
        "model=~(?s:.*)",
        "owner=~.*|x",
        "owner=~(?:.{0,400})",
        "severity=~[1-4]",
        "severity=~.",
        "source=~.+",
        "model!=nobody",
        "model!=nobody owner!=nobody",
        "model=~.+ severity!=9",
        "severity!~9 source=~.*",
    ],
)
def test_a_silence_of_everything_is_seen_however_it_is_written(
    matchers: str, known: KnownAlerts
) -> None:
    assert hides_everything(map(read_matcher, matchers.split()), known)


@pytest.mark.parametrize(
    ("matchers", "known"),
    [
        pytest.param("model=fraud", ONE, id="the only model, written out"),
        pytest.param("model=fraud severity=~.*", ONE, id="all of one model"),
        pytest.param("rule=slow", ONE, id="one rule"),
        pytest.param("alertname=A", REPORTED, id="one alert of another system"),
        pytest.param("owner=risk", ONE, id="the owner of the only model"),
        pytest.param("owner=risk", FLEET, id="one of two owners"),
        pytest.param("owner=~ri.*", FLEET, id="a pattern of one owner"),
        pytest.param("severity=4", FLEET, id="one severity"),
        pytest.param("severity=~[34]", FLEET, id="two severities"),
        pytest.param("severity=2", REPORTED, id="a severity that alerts can leave"),
        pytest.param("rule=~sl.*", FLEET, id="a pattern of one rule"),
        pytest.param("model=~fraud", FLEET, id="a pattern of one model"),
        pytest.param("model=", FLEET, id="alerts about no model"),
        pytest.param("instance=host", REPORTED, id="a label of another system"),
    ],
)
def test_a_silence_of_a_part_is_let_through(matchers: str, known: KnownAlerts) -> None:
    assert scope_refusal(map(read_matcher, matchers.split()), known) == ""


@pytest.mark.parametrize(
    ("matchers", "known"),
    [
        pytest.param("model=~fraud|churn", FLEET, id="all models by their names"),
        pytest.param("env=prod", FLEET, id="a label that all models have"),
        pytest.param("source=watchdeck", FLEET, id="the only source"),
        pytest.param("owner=~.+", FLEET, id="any owner, where all have one"),
        pytest.param("rule=~slow|down", FLEET, id="all rules"),
        pytest.param("ghost=", FLEET, id="a label that no model has"),
        pytest.param("rule=~[AB]", REPORTED, id="all that is open about models"),
    ],
)
def test_a_silence_of_all_that_is_known_is_refused(matchers: str, known: KnownAlerts) -> None:
    assert "such as model=fraud" in scope_refusal(map(read_matcher, matchers.split()), known)


def test_the_refusal_says_how_much_it_would_hide() -> None:
    refused = scope_refusal([read_matcher("model=~.+")], REPORTED)
    assert refused.startswith("it would hide nearly every alert: 2 of 3 that are open; say which")


def test_models_and_rules_that_are_alike_are_judged_once() -> None:
    models = tuple({"model": f"m{number}", "env": "prod"} for number in range(1_000))
    rules = tuple(RuleScope({"rule": f"r{number}"}) for number in range(50))
    known = KnownAlerts(models, rules)
    assert len(list(known.possible({"model"}))) == 1_000
    assert len(list(known.possible({"rule", "env"}))) == 50
    assert hides_everything([read_matcher("env=prod")], known)
    assert not hides_everything([read_matcher("model=~m1.*")], known)


def test_a_rule_for_some_models_raises_nothing_about_the_others() -> None:
    rules = (RuleScope({"rule": "slow"}, (read_matcher("owner=risk"),)),)
    known = KnownAlerts(FLEET.models, rules)
    assert [labels["model"] for labels in known.possible(["model"])] == ["fraud"]
    idle = KnownAlerts(FLEET.models, (RuleScope({"rule": "slow"}, (read_matcher("owner=x"),)),))
    assert not hides_everything([read_matcher("env=prod")], idle)
