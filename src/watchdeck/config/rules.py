"""The rules in force: the pack, as a configuration changes it, and the configuration's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from watchdeck.config.checks.fleet import AUTO
from watchdeck.config.checks.rule import compile_rule, matchers, merge_rule, wrong_rule
from watchdeck.config.reading.problems import Problem, did_you_mean
from watchdeck.config.rule_files import load_pack, read_folder, read_rules, with_origin
from watchdeck.domain.rules.labels import labels_of
from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.settings.endpoint import Endpoint, Settings
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.domain.settings.rules import RuleText
from watchdeck.domain.values.matcher import Matcher, matches

_MOST_RULES = 1_000


def with_rule_files(
    settings: Settings, path: Path, folder: Path, problems: list[Problem]
) -> Settings:
    """The settings of a file with the rules of a folder too; what is wrong there is appended."""
    own = with_origin(settings.rule, path)
    return replace(settings, rule=own + read_folder(folder, problems))


def rules_in_force(settings: Settings) -> tuple[Rule, ...]:
    """The rules of settings that were loaded without problems, those of the pack first.

    A rule that is switched off is among them, with `enabled` false: it is listed, not judged.
    """
    off = set(settings.alerts.disable)
    texts = {text.name: text for text in _pack(settings)}
    for text in settings.rule:
        texts[text.name] = _meant(text, texts)
    rules = map(compile_rule, texts.values())
    return tuple(replace(rule, enabled=False) if rule.name in off else rule for rule in rules)


def wrong_rules(settings: Settings) -> Iterator[Problem]:
    """Every problem of the configuration's own rules, each with its file and key."""
    pack = {text.name: text for text in _pack(settings)}
    for text in settings.rule:
        for problem in _wrong_text(text, pack):
            key = f"{text.place}.{problem.key}".rstrip(".")
            yield replace(problem, key=key, file=text.origin)
    yield from _same_names(settings.rule)
    if len(settings.rule) > _MOST_RULES:
        yield Problem("rule", f"has {len(settings.rule)} entries; at most {_MOST_RULES} are taken")
    names = [*pack, *(text.name for text in settings.rule)]
    for number, name in enumerate(settings.alerts.disable):
        if name not in names:
            hint = did_you_mean(name, names, "`watchdeck rules list` names all.")
            yield Problem(f"alerts.disable[{number}]", "names no rule", hint)


def with_files(settings: Settings, files: Iterable[Path], problems: list[Problem]) -> Settings:
    """The settings as if these files of rules lay beside them; what is wrong there is appended."""
    known = {Path(text.origin).resolve() for text in settings.rule}
    more = [file for file in files if file.resolve() not in known]
    texts = tuple(text for file in more for text in read_rules(file, problems))
    return replace(settings, rule=settings.rule + texts)


def problems_of_files(settings: Settings, files: Iterable[Path]) -> list[Problem]:
    """What would be wrong if these files of rules lay beside the configuration.

    Where nothing is, rules that mean no model are told, wherever they stand.
    """
    found: list[Problem] = []
    more = with_files(settings, files, found)
    wrong = list(wrong_rules(more))
    own = {text.origin for text in settings.rule}
    found += (problem for problem in wrong if problem.file and problem.file not in own)
    return found if found or wrong else list(rules_without_target(more))


def rules_without_target(settings: Settings) -> Iterator[Problem]:
    """Rules of a configuration whose matchers mean no model that is watched.

    The kind of an endpoint that is `auto` is not known: any may be meant.
    """
    fleet = [_labels(endpoint) for endpoint in settings.endpoint]
    for text in settings.rule:
        wanted = matchers(text)
        if fleet and wanted and not any(_may_match(wanted, labels) for labels in fleet):
            said = f"means no model that is watched ({', '.join(map(str, wanted))})"
            yield Problem(f"{text.place}.match", said, "", text.origin)


def rules_matching_everything(settings: Settings) -> Iterator[Problem]:
    """Rules of a configuration that mean every model by a pattern, which may be a mistake."""
    for text in settings.rule:
        for number, matcher in enumerate(matchers(text)):
            if matcher.everything:
                key, hint = f"{text.place}.match[{number}]", "Without it, it is the same."
                yield Problem(key, f"{matcher} means every model", hint, text.origin)


def _labels(endpoint: Endpoint) -> dict[str, str]:
    facts = EndpointFacts(
        endpoint.name,
        "",
        endpoint.every,
        owner=endpoint.owner,
        tier=endpoint.tier,
        labels=endpoint.labels,
    )
    return labels_of(facts, None if endpoint.kind == AUTO else endpoint.kind)


def _may_match(wanted: Iterable[Matcher], labels: dict[str, str]) -> bool:
    asked = (one for one in wanted if one.label != "kind" or "kind" in labels)
    return matches(asked, labels)


def _pack(settings: Settings) -> tuple[RuleText, ...]:
    return load_pack() if settings.alerts.pack else ()


def _meant(text: RuleText, pack: dict[str, RuleText]) -> RuleText:
    return merge_rule(pack[text.name], text) if text.name in pack else text


def _wrong_text(text: RuleText, pack: dict[str, RuleText]) -> Iterator[Problem]:
    if text.when is None and text.name not in pack:
        hint = did_you_mean(text.name, pack, 'Write when = "latency_p95 > 200ms for 5m".')
        yield Problem("", "has no 'when', and no rule of the pack has its name", hint)
    else:
        yield from wrong_rule(_meant(text, pack))


def _same_names(texts: Iterable[RuleText]) -> Iterator[Problem]:
    first: dict[str, RuleText] = {}
    for text in texts:
        other = first.setdefault(text.name, text)
        if other is not text:
            where = "" if other.origin == text.origin else f" of {other.origin}"
            said = f"is the name of {other.place}{where} too"
            yield Problem(f"{text.place}.name", said, "Every rule has its own.", text.origin)
