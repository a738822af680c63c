"""The reference of filters has everything that their parsers take."""

import re

import pytest

from cli.help.help_pages import entries, page, section
from domain.notifications.made import raised
from watchdeck.cli.help import filters
from watchdeck.config.reading.typed_reader import settings_of
from watchdeck.domain.board import filter as language
from watchdeck.domain.board.board import Health, LatestScrape, Model
from watchdeck.domain.board.filter import (
    MODELS,
    OPERATORS,
    SYNTAX,
    VALUE_READERS,
    Vocabulary,
    parse,
)
from watchdeck.domain.board.filter_fields import (
    ALERT_FIELDS,
    ALERT_NUMBERS,
    ALERT_TEXTS,
    ALERT_WORDS,
    ALERTS,
    MODEL_FIELDS,
    MODEL_TEXTS,
    FilteredAlert,
    FilteredModel,
)
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.rules.rule import LABELS
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.settings.receivers import Route
from watchdeck.domain.settings.rules import MaintenanceText, RuleText
from watchdeck.domain.values.matcher import SIGNS, read_matcher
from watchdeck.domain.values.units import Unit

NUMBERS = [(MODELS, "model.numbers"), (ALERTS, "alert.numbers")]


def test_every_part_of_the_language_is_explained_by_an_example_that_parses() -> None:
    groups = {*language._TERM.groupindex} - {"closed", "order", "value"}  # parts of others
    assert groups == SYNTAX.keys()
    shown = {entry.term: entry.paragraphs for entry in section("filter", "syntax").entries}
    assert shown == {part.example: (part.means,) for part in SYNTAX.values()}
    assert [parse(part.example) for part in SYNTAX.values()]


@pytest.mark.parametrize("name", [*SYNTAX])
def test_an_example_is_of_the_part_that_it_explains(name: str) -> None:
    groups = {match.lastgroup for match in language._TERM.finditer(SYNTAX[name].example)}
    inner = {"pattern": "closed", "key": "value"}
    assert inner.get(name, name) in groups


def test_the_operators_are_those_that_the_parser_reads() -> None:
    assert entries("filter", "operators").keys() == OPERATORS.keys()
    for sign in OPERATORS:
        left = "owner" if sign in ("=", "!=") else "p95"
        assert str(parse(f"{left}{sign}200ms")).startswith(("owner=", "!owner=", "latency_p95"))
    assert language.COMPARATORS.keys() == OPERATORS.keys()
    assert {str(parse(f"in_flight{sign}3")) for sign in OPERATORS} == {
        f"in_flight{sign}3" for sign in OPERATORS
    }


def test_the_fields_are_those_of_models_and_alerts() -> None:
    models, alerts = entries("filter", "model.fields"), entries("filter", "alert.fields")
    assert {*models} == {*MODEL_FIELDS}
    assert {*alerts} == {*ALERT_FIELDS}
    assert entries("filter", "alert.words").keys() == ALERT_WORDS.keys()
    for found, vocabulary in ((models, MODELS), (alerts, ALERTS)):
        for name, choices in vocabulary.choices.items():
            assert f"One of: {', '.join(choices)}." in found[name].paragraphs[0]


@pytest.mark.parametrize(("vocabulary", "name"), NUMBERS)
def test_the_numbers_have_units_meanings_and_short_names(vocabulary: Vocabulary, name: str) -> None:
    found = entries("filter", name)
    assert found.keys() == vocabulary.units.keys() == vocabulary.meanings.keys()
    for number, unit in vocabulary.units.items():
        [text] = found[number].paragraphs
        assert text.startswith(f"{unit}. ")
        assert all(alias in text for alias, full in vocabulary.aliases.items() if full == number)
    assert ALERTS.units.keys() == ALERT_NUMBERS.keys()


@pytest.mark.parametrize("unit", Unit)
def test_a_value_is_written_as_the_page_says(unit: Unit) -> None:
    [example] = entries("filter", "values")[unit.value].paragraphs
    read, known = VALUE_READERS[unit]
    assert (example, read(example) > 0) == (known, True)


def test_examples_in_the_text_parse() -> None:
    [paragraph] = section("filter", "operators").paragraphs
    for example in paragraph.removeprefix("Such as ").rstrip(".").split(", "):
        assert str(parse(example))
    [quoted] = re.findall(r"watchdeck alerts '(.*)'", page("filter"))
    assert str(parse(quoted, ALERTS)) == 'severity<=2 owner="risk" unacked'
    assert [read_matcher(text) for text in filters._MATCHER_EXAMPLES]


def test_words_are_searched_in_the_texts_that_the_page_names() -> None:
    facts = EndpointFacts(
        *("name", "http://fraud", 10_000, "model", "owner"),
        labels={"x": "label"},
        serves=("serves",),
    )
    latest = LatestScrape(facts, 0, Outcome.OK, 0, {}, kind="kind")
    texts = [*FilteredModel(Model(facts, Health.OK, "", None, latest)).texts()]
    assert {*texts} == {"name", "model", "owner", "kind", "serves", "label"}
    assert all(text in MODEL_TEXTS for text in texts)
    active = raised(rule="rule", model="model")
    assert [*FilteredAlert(active, 0).texts()] == [
        *("rule", "model", "FIRING", "unacked", "model", "risk")
    ]
    assert ALERT_TEXTS.split(", ")[:4] == ["rule", "model", "state", "label values"]


def test_the_signs_of_matchers_are_complete() -> None:
    assert entries("filter", "matchers").keys() == SIGNS.keys()
    assert {str(read_matcher(f"owner{sign}risk")) for sign in SIGNS} == {
        f"owner{sign}risk" for sign in SIGNS
    }
    assert {sign for text in filters._MATCHER_EXAMPLES for sign in re.findall(r"[=!~]+", text)} == {
        *SIGNS
    }
    text = " ".join(section("filter", "matchers").paragraphs)
    assert all(name in text for name in LABELS)


def test_the_tables_with_matchers_are_those_that_the_page_names() -> None:
    tables = {"rule": RuleText, "route": Route, "maintenance": MaintenanceText}
    text = section("filter", "matchers").paragraphs[0]
    assert all(f"[[{name}]]" in text for name in tables)
    assert all("match" in settings_of(table) for table in tables.values())
