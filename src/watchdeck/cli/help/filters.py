"""The reference of filters and matchers, generated from the tables of their parsers."""

from collections.abc import Mapping
from typing import Any

from watchdeck.cli.help.layout import Entry, Reference, Section
from watchdeck.cli.help.type_words import listed, number_text
from watchdeck.domain.board.filter import (
    MAX_LENGTH,
    MODELS,
    OPERATORS,
    SYNTAX,
    VALUE_READERS,
    Vocabulary,
)
from watchdeck.domain.board.filter_fields import (
    ALERT_FIELDS,
    ALERT_TEXTS,
    ALERT_WORDS,
    ALERTS,
    MODEL_FIELDS,
    MODEL_TEXTS,
    FilterField,
)
from watchdeck.domain.rules.rule import LABELS
from watchdeck.domain.values.matcher import LONGEST, SIGNS

_USES = (
    Entry("/", ("In the console: the list in view.",)),
    Entry(":filter FILTER", ("In the console: the list in view, of models before alerts.",)),
    Entry("watchdeck alerts", ("In the shell: watchdeck alerts 'sev<=2 owner=risk unacked'.",)),
    Entry("watchdeck status --filter", ("In the shell: a filter, or the NAME of a saved one.",)),
    Entry("@NAME", ("In all of these places: a filter saved in [console] filters.",)),
)

_OTHER_KEYS = {
    "model": "Any other key is a label.",
    "alert": "Any other key is a label of the alert, else a field or label of its model.",
}
_MORE_NUMBERS = {"model": (), "alert": ("The numbers of models are those of the alert's model.",)}

_MATCHER_EXAMPLES = ("owner=risk", "tier!=3", "model=~fraud-.*", "kind!~vllm|sglang")
_QUOTED_EXAMPLES = (r'model="say \"hi\""', '"größe"=groß')


def reference() -> Reference:
    """The reference of filters and matchers."""
    return Reference(
        "watchdeck help filter: filters of models and alerts, matchers of labels",
        (
            (
                "A filter chooses rows of a list. An unknown value, such as the latency of a model"
                " that was never scraped, matches neither a comparison nor its negation."
            ),
        ),
        (
            Section(("uses",), "Where filters are typed", (), _USES),
            _syntax_section(),
            _operators_section(),
            _values_section(),
            _fields_section("model", _meanings(MODEL_FIELDS), MODELS, MODEL_TEXTS),
            _numbers_section("model", MODELS),
            _fields_section("alert", _meanings(ALERT_FIELDS), ALERTS, ALERT_TEXTS),
            _numbers_section("alert", ALERTS),
            _words_section(),
            _matchers_section(),
        ),
    )


def _meanings(table: Mapping[str, FilterField[Any]]) -> dict[str, str]:
    return {name: field.means for name, field in table.items()}


def _syntax_section() -> Section:
    return Section(
        ("syntax",),
        "Parts of a filter",
        (f"A filter has at most {MAX_LENGTH} characters; an empty one matches everything.",),
        tuple(Entry(part.example, (part.means,), name) for name, part in SYNTAX.items()),
    )


def _operators_section() -> Section:
    entries = tuple(Entry(sign, (means,), sign) for sign, means in OPERATORS.items())
    examples = ("owner=risk", "health!=ok", "p95>200ms", 'why="503 Service Unavailable"')
    return Section(("operators",), "Operators", (f"Such as {listed(examples)}.",), entries)


def _values_section() -> Section:
    entries = tuple(
        Entry(unit.value, (example,), unit.value) for unit, (_, example) in VALUE_READERS.items()
    )
    return Section(("values",), "Values of numbers, by their unit", (), entries)


def _fields_section(
    noun: str, meanings: Mapping[str, str], vocabulary: Vocabulary, texts: str
) -> Section:
    return Section(
        (f"{noun}.fields",),
        f"Fields of {noun}s, compared with = and !=",
        (f"{_OTHER_KEYS[noun]} Words and patterns are searched in: {texts}.",),
        tuple(
            Entry(name, (f"{means}{_choices_text(vocabulary, name)}",), name)
            for name, means in meanings.items()
        ),
    )


def _choices_text(vocabulary: Vocabulary, name: str) -> str:
    choices = vocabulary.choices.get(name, ())
    return f" One of: {listed(choices)}." if choices else ""


def _numbers_section(noun: str, vocabulary: Vocabulary) -> Section:
    return Section(
        (f"{noun}.numbers",),
        f"Numbers of {noun}s, compared with > >= < <=, whole ones also with = and !=",
        _MORE_NUMBERS[noun],
        tuple(Entry(name, (_number_text(vocabulary, name),), name) for name in vocabulary.units),
    )


def _number_text(vocabulary: Vocabulary, name: str) -> str:
    return number_text(vocabulary.units[name], vocabulary.meanings[name], name, vocabulary.aliases)


def _words_section() -> Section:
    entries = tuple(Entry(word, (one.means,), word) for word, one in ALERT_WORDS.items())
    return Section(("alert.words",), "Words about alerts", (), entries)


def _matchers_section() -> Section:
    return Section(
        ("matchers",),
        "Matchers of labels",
        (
            (
                "Conditions on labels, all of which must hold, in `match` of [[rule]], [[route]]"
                " and [[maintenance]] and as WHICH of `watchdeck ack` and `watchdeck silence`. At"
                f" most {LONGEST} characters, such as {listed(_MATCHER_EXAMPLES)}."
            ),
            (
                "A name or a value may stand between double quotes, as Alertmanager writes it:"
                f' {listed(_QUOTED_EXAMPLES)}. Between quotes \\" is a quote, \\\\ a backslash and'
                " \\n a new line; without quotes each character is itself."
            ),
            (
                f"Labels are those of the configuration, and {listed(LABELS)}"
                " (`watchdeck help rules labels`)."
            ),
        ),
        tuple(Entry(sign, (means,), sign) for sign, means in SIGNS.items()),
    )
