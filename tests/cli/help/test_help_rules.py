"""The reference of rules has everything that the parser of conditions takes."""

import ast
import inspect
import re

import pytest

from cli.help.help_pages import entries, page, section
from watchdeck.config.rules import load_pack
from watchdeck.domain.metrics.signal import ALIASES, AWAITED, SIGNALS
from watchdeck.domain.rules import condition
from watchdeck.domain.rules.condition import (
    FORMS,
    PROMISED,
    SPEEDS,
    WORDS,
    format_condition,
    read_condition,
)
from watchdeck.domain.rules.rule import LABELS, Aggregate, Rule, alert_labels, labels_of
from watchdeck.domain.rules.tokens import SCALES, read_limit
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.settings.rules import RuleText
from watchdeck.domain.values.units import Unit

READERS = ("accept", "expect", "read_clauses")


def words_of_the_parser() -> set[str]:
    """Every word that the code of the parser reads: arguments of its readers, keys of clauses."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(condition))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in READERS:
            for one in ast.walk(node):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    found.add(one.value)
    return {word for word in found if word.isalpha()}


def test_every_word_that_the_parser_reads_is_explained() -> None:
    words = words_of_the_parser() | {*SPEEDS}
    assert words == WORDS.keys()
    shown = entries("rules", "words")
    assert {word: shown[word].paragraphs[0].startswith(means) for word, means in WORDS.items()} == (
        dict.fromkeys(WORDS, True)
    )


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.syntax[:24])
def test_every_form_is_explained_with_examples_that_parse(form: condition.ConditionForm) -> None:
    assert form.syntax in page("rules")
    entry = next(one for one in section("rules", "when").entries if one.term == form.syntax)
    assert entry.paragraphs == (form.means, *form.examples)
    assert [read_condition(text).test for text in form.examples]
    words = re.findall(r"[a-z]+", re.sub(r"[A-Z]+", "", form.syntax))
    assert {*words} <= {*WORDS, form.word}


def test_the_words_of_the_forms_are_the_words_of_the_grammar() -> None:
    written = " ".join((*(form.syntax for form in FORMS), *(e for f in FORMS for e in f.examples)))
    assert {word for word in WORDS if not re.search(rf"\b{word}\b", written)} == set()


@pytest.mark.parametrize("name", [*SIGNALS])
def test_a_signal_has_its_unit_its_meaning_and_its_short_names(name: str) -> None:
    [text] = entries("rules", "signals")[name].paragraphs
    assert text.startswith(f"{SIGNALS[name].unit}. ")
    assert SIGNALS[name].means[1:] in text
    assert all(alias in text for alias, full in ALIASES.items() if full == name)


def test_aggregates_promises_and_signals_to_come_are_complete() -> None:
    assert entries("rules", "aggregates").keys() == {one.value for one in Aggregate}
    assert entries("rules", "slo").keys() == PROMISED.keys()
    assert entries("rules", "awaited").keys() == AWAITED.keys()
    for entry in section("rules", "slo").entries:
        text = entry.paragraphs[0].partition(":")[0]
        assert format_condition(read_condition(text).test) == text


@pytest.mark.parametrize("unit", Unit)
def test_a_limit_is_written_as_the_page_says(unit: Unit) -> None:
    scale = SCALES[unit]
    [text] = entries("rules", "limits")[unit.value].paragraphs
    assert f"such as {scale.example}." in text
    suffixes = text.partition("Units: ")[2].rstrip(".").split(", ") if "Units" in text else [""]
    for suffix in suffixes:
        assert read_limit("it", unit, f"1{suffix}", suffix) > 0


def test_every_key_of_a_rule_is_there() -> None:
    keys = {name.rstrip("_") for name in RuleText.__struct_fields__} - RuleText.UNWRITTEN
    assert entries("rules", "keys").keys() == keys


def test_the_labels_are_those_that_models_and_alerts_get() -> None:
    facts = EndpointFacts("fraud", "http://fraud", 10_000, owner="risk", tier=1)
    model = labels_of(facts, "vllm")
    rule = Rule("slow", "p95 > 1s", read_condition("p95 > 1s").test, playbook="slow-model")
    routed = {"severity", "source"}  # added where alerts are matched
    assert entries("rules", "labels").keys() == LABELS.keys()
    assert LABELS.keys() == {*alert_labels(rule, model)} | routed
    assert list(LABELS)[:4] == list(model)


@pytest.mark.parametrize("rule", load_pack(), ids=lambda rule: rule.name)
def test_a_built_in_rule_is_shown_with_its_condition(rule: RuleText) -> None:
    facts, *more = entries("rules", "pack")[rule.name].paragraphs
    when, severity, *match = facts.split("; ")
    assert read_condition(when).test == read_condition(rule.when or "").test
    assert severity == f"severity {rule.severity}"
    assert match == ([", ".join(rule.match)] if rule.match else [])
    assert more == ([rule.message] if rule.message else [])
