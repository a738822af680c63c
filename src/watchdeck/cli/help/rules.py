"""The reference of alerting rules, generated from the tables of their parser."""

from collections.abc import Iterator

from watchdeck.cli.help.config import examples, table_entries
from watchdeck.cli.help.docstrings import field_docstrings
from watchdeck.cli.help.layout import Entry, Reference, Section
from watchdeck.cli.help.type_words import listed, number_text
from watchdeck.config.rules import load_pack
from watchdeck.domain.metrics.signal import ALIASES, AWAITED, SIGNALS
from watchdeck.domain.rules.condition import (
    FORMS,
    LONGEST,
    PROMISED,
    SPEEDS,
    WORDS,
    format_pairs,
)
from watchdeck.domain.rules.rule import LABELS, RESERVED_LABELS, Aggregate, Anomaly
from watchdeck.domain.rules.tokens import SCALES
from watchdeck.domain.settings.rules import RuleText
from watchdeck.domain.values.units import Unit


def reference() -> Reference:
    """The reference of alerting rules."""
    return Reference(
        "watchdeck help rules: alerting rules",
        (
            (
                "Rules are [[rule]] tables of watchdeck.toml and of the files rules/*.toml beside"
                " it. `watchdeck rules check FILE` reports every problem, and `watchdeck rules"
                " test NAME --when CONDITION` replays a condition on stored history before it"
                " pages anybody."
            ),
        ),
        (
            _rule_section(),
            _forms_section(),
            _words_section(),
            _aggregates_section(),
            _limits_section(),
            _signals_section(),
            _awaited_section(),
            _slo_section(),
            Section(("keys",), "Keys of a rule", (), table_entries(RuleText, "rule")),
            _labels_section(),
            _pack_section(),
        ),
    )


def _rule_section() -> Section:
    keys = ("name", "when", "for", "severity", "match", "message")
    lines = (f"{key} = {examples()['rule'][key]}" for key in keys)
    return Section(
        ("rule",),
        "A rule",
        ("The alert fires while the condition is true, for each model that matches:",),
        sample="\n".join(("[[rule]]", *lines)),
    )


def _forms_section() -> Section:
    return Section(
        ("when",),
        "Conditions: the key when",
        (
            (
                "Words in capitals stand for something, [ ] may be left out, | separates choices."
                f" A condition has at most {LONGEST} characters."
            ),
        ),
        tuple(
            Entry(form.syntax, (form.means, *form.examples), form.word or "signal")
            for form in FORMS
        ),
    )


def _words_section() -> Section:
    return Section(
        ("words",),
        "Words of a condition",
        (),
        tuple(Entry(word, (_word_text(word, means),), word) for word, means in WORDS.items()),
    )


def _word_text(word: str, means: str) -> str:
    """The meaning of a word, with the figures that the word stands for."""
    if word in SPEEDS:
        return f"{means} The same as {format_pairs(SPEEDS[word])}."
    if word == "beyond":
        default = Anomaly("")
        return f"{means} When not written, {default.high:g} and {default.low:g}."
    return means


def _aggregates_section() -> Section:
    docstrings = field_docstrings(Aggregate)
    return Section(
        ("aggregates",),
        "Aggregates of a signal",
        ("They take the window of `over`: avg(latency_p95) > 200ms over 10m.",),
        tuple(Entry(f"{one}(SIGNAL)", (docstrings[one.name],), one.value) for one in Aggregate),
    )


def _limits_section() -> Section:
    return Section(
        ("limits",),
        "Limits, by the unit of the signal",
        (),
        tuple(Entry(unit.value, (_scale_text(unit),), unit.value) for unit in SCALES),
    )


def _scale_text(unit: Unit) -> str:
    scale = SCALES[unit]
    suffixes = listed(filter(None, scale.suffixes))
    units = f" Units: {suffixes}." if suffixes else ""
    return f"{scale.noun.capitalize()}, such as {scale.example}.{units}"


def _signals_section() -> Section:
    return Section(
        ("signals",),
        "Signals",
        (
            (
                "The name, the unit, and the meaning. A signal that a server does not expose is not"
                " measurable: never 0. A rule on it leaves that model out."
            ),
        ),
        tuple(
            Entry(one.name, (number_text(one.unit, one.means, one.name, ALIASES),), one.name)
            for one in SIGNALS.values()
        ),
    )


def _awaited_section() -> Section:
    return Section(
        ("awaited",),
        "Signals that are not measured yet",
        ("A rule on one of them is listed as waiting, and never fires.",),
        tuple(
            Entry(name, (f"{group.capitalize()}; unit: {unit or 'money, or a multiple'}.",), name)
            for name, (group, unit) in AWAITED.items()
        ),
    )


def _slo_section() -> Section:
    return Section(
        ("slo",),
        "Service level objectives",
        (
            (
                "`slo` in a condition is the objective of the model, from [endpoint.slo]; `2x slo`"
                " is twice that, and for availability twice its error budget."
            ),
        ),
        tuple(
            Entry(name, (f"{name} {'>' if above else '<'} slo: worse than promised.",), name)
            for name, above in PROMISED.items()
        ),
    )


def _labels_section() -> Section:
    return Section(
        ("labels",),
        "Labels of models and alerts",
        (
            (
                "Besides these, an alert has the labels of its model and of its rule. `match`"
                " selects models by their labels; routes, silences and maintenance select alerts."
                f" A rule cannot set {listed(RESERVED_LABELS)}."
            ),
        ),
        tuple(Entry(name, (means,), name) for name, means in LABELS.items()),
    )


def _pack_section() -> Section:
    return Section(
        ("pack",),
        "Built-in rules",
        (
            (
                "They apply without a line of configuration, unless alerts.pack is false. A"
                " [[rule]] of the same name changes the keys that it writes; alerts.disable"
                " switches one off."
            ),
        ),
        tuple(Entry(text.name, tuple(_rule_lines(text)), text.name) for text in load_pack()),
    )


def _rule_lines(text: RuleText) -> Iterator[str]:
    hold = f" for {text.for_}" if text.for_ else ""
    models = f"; {listed(text.match)}" if text.match else ""
    yield f"{text.when}{hold}; severity {text.severity}{models}"
    if text.message:
        yield text.message
