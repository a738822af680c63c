"""The models that each rule applies to, and why not to the others; as text and as JSON."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from watchdeck.cli.output import count_noun, table_lines, to_json
from watchdeck.cli.rules.notes import note_on
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.domain.board.board import Model
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.rules.rule import Rule, RuleFamily, Unsupported
from watchdeck.domain.settings.endpoint import Endpoint, EndpointFacts, public_facts
from watchdeck.domain.values.text import clean
from watchdeck.engine.rules.applicability import (
    NOT_MATCHED,
    measurable_signals,
    measured_signals,
    reason_not_applicable,
)

_NOTE_INDENT = " " * 7


class RuleTarget(Struct, frozen=True):
    """A model to which rules may apply; `signals` is None before its first scrape."""

    facts: EndpointFacts
    kind: str | None
    signals: Collection[str] | None


class RuleCoverage(Struct, frozen=True):
    """A rule, the models it applies to, and the names of the others by the reason why not."""

    rule: Rule
    targets: tuple[RuleTarget, ...]
    excluded: Mapping[str, tuple[str, ...]]

    @property
    def state(self) -> str:
        """The state in words: `switched off`, `waiting for SIGNALS` or `on 3 models`."""
        if not self.rule.enabled:
            return "switched off"
        if isinstance(self.rule.test, Unsupported):
            return f"waiting for {', '.join(self.rule.test.signals)}"
        return f"on {count_noun(len(self.targets), 'model')}"

    @property
    def note(self) -> str:
        """What the rule's condition asks for beyond its words, and why; empty for most rules."""
        return note_on(self.rule, (target.facts.slo for target in self.targets))


def targets_of_board(models: Iterable[Model]) -> tuple[RuleTarget, ...]:
    """The models of a board, as targets of rules."""
    kinds = {kind.name: kind for kind in load_kinds()}
    return tuple(_target_of_model(model, kinds) for model in models)


def _target_of_model(model: Model, kinds: Mapping[str, Kind]) -> RuleTarget:
    latest = model.latest
    if latest is None:
        return RuleTarget(model.facts, None, None)
    signals = measured_signals(latest, kinds.get(latest.kind or ""))
    return RuleTarget(model.facts, latest.kind, signals)


def targets_of_config(endpoints: Iterable[Endpoint]) -> tuple[RuleTarget, ...]:
    """The endpoints of a configuration, as targets of rules before a store exists."""
    kinds = {kind.name: kind for kind in load_kinds()}
    return tuple(
        _target_of_facts(public_facts(endpoint), kinds.get(endpoint.kind)) for endpoint in endpoints
    )


def _target_of_facts(facts: EndpointFacts, kind: Kind | None) -> RuleTarget:
    signals = measurable_signals(facts, kind) if kind else None
    return RuleTarget(facts, kind.name if kind else None, signals)


def coverage_of(rule: Rule, targets: Sequence[RuleTarget]) -> RuleCoverage:
    """Sort targets by whether a rule applies; a rule that waits for signals applies to none."""
    covered: list[RuleTarget] = []
    excluded: dict[str, list[str]] = {}
    for target in targets:
        why = reason_not_applicable(rule, target.facts, target.kind, target.signals)
        if why:
            excluded.setdefault(why, []).append(target.facts.name)
        elif not isinstance(rule.test, Unsupported):
            covered.append(target)
    names = {why: tuple(names) for why, names in excluded.items()}
    return RuleCoverage(rule, tuple(covered), names)


def coverage_text(coverages: Sequence[RuleCoverage]) -> str:
    """A line for each rule, and its note: by family, then those that wait, then those off."""
    groups: dict[str, list[RuleCoverage]] = {family: [] for family in RuleFamily}
    groups |= {"waiting for signals": [], "switched off": []}
    for coverage in coverages:
        groups[_group_name(coverage)].append(coverage)
    ordered = [
        one for group in groups.values() for one in sorted(group, key=lambda one: one.rule.severity)
    ]
    rows = iter(table_lines(map(_coverage_row, ordered)))
    lines: list[str] = []
    for title, group in groups.items():
        lines += ["", title] if group else []
        for one in sorted(group, key=lambda one: one.rule.severity):
            lines.append(f"  {next(rows)}")
            lines += [f"{_NOTE_INDENT}{one.note}"] if one.note else []
    return "\n".join(line.rstrip() for line in lines[1:]) or "no rules"


def _coverage_row(one: RuleCoverage) -> tuple[str, ...]:
    rule = one.rule
    return f"{rule.severity:d}", clean(rule.name), clean(rule.when), _coverage_words(one)


def _group_name(one: RuleCoverage) -> str:
    if not one.rule.enabled:
        return "switched off"
    return "waiting for signals" if isinstance(one.rule.test, Unsupported) else one.rule.family


def _coverage_words(one: RuleCoverage) -> str:
    """The state of a rule in words; when it applies to no model, with the reasons."""
    if one.targets or not one.rule.enabled or isinstance(one.rule.test, Unsupported):
        return one.state
    reasons = {why: len(names) for why, names in one.excluded.items() if why != NOT_MATCHED}
    words = ", ".join(f"{count_noun(count, 'model')} {why}" for why, count in reasons.items())
    return f"on no model: {words or 'none is meant'}"


class RuleDocument(Struct, frozen=True):
    """One rule, and the models it applies to."""

    name: str
    """Name of the rule."""
    when: str
    """Condition, with its `for`, as written."""
    severity: int
    """1 to 4, 1 the worst; 1 and 2 page somebody."""
    family: RuleFamily
    """Kind of trouble that the rule looks for."""
    enabled: bool
    """False when `alerts.disable` or the rule itself switches it off."""
    origin: str
    """Path of the file that defines the rule."""
    state: str
    """State in words: `switched off`, `waiting for SIGNALS` or `on 3 models`."""
    note: str
    """What the condition asks for beyond its words, and why; empty for most rules."""
    models: list[str]
    """Names of the endpoints that the rule applies to."""
    held_back: Mapping[str, tuple[str, ...]]
    """Names of the other endpoints, by the reason why the rule does not apply to them."""


def coverage_json(coverages: Iterable[RuleCoverage]) -> str:
    """The rules and their models as JSON."""
    return to_json([_rule_document(one) for one in coverages])


def _rule_document(one: RuleCoverage) -> RuleDocument:
    return RuleDocument(
        name=one.rule.name,
        when=one.rule.when,
        severity=int(one.rule.severity),
        family=one.rule.family,
        enabled=one.rule.enabled,
        origin=one.rule.origin,
        state=one.state,
        note=one.note,
        models=[model.facts.name for model in one.targets],
        held_back=one.excluded,
    )
