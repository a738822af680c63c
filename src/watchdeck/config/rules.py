"""The rules in force: the packaged rules with a configuration's changes, and its own rules."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from watchdeck.config.checks.endpoint import AUTO
from watchdeck.config.checks.rule import compile_rule, matchers_of, merge_rule, rule_problems
from watchdeck.config.reading.files import parse, read_file
from watchdeck.config.reading.problems import ConfigProblems, Problem, did_you_mean
from watchdeck.config.reading.typed_reader import read
from watchdeck.domain.rules.rule import Rule, labels_of
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Endpoint, EndpointFacts
from watchdeck.domain.settings.rules import RuleFile, RuleText
from watchdeck.domain.values.matcher import Matcher, matches

PACKAGED = Path(__file__).parents[1] / "rules"
_MOST_RULES = 1_000


def add_rule_folder(
    settings: Settings, path: Path, folder: Path, problems: list[Problem]
) -> Settings:
    """The settings of the file `path` with the rules in `folder` added.

    The problems of the rule files are appended to `problems`.
    """
    own = add_origin(settings.rule, path)
    return replace(settings, rule=own + read_folder(folder, problems))


def rules_in_force(settings: Settings) -> tuple[Rule, ...]:
    """Compile the rules of settings that have no problems, the packaged rules first.

    A disabled rule is included with `enabled` false: it is listed, and not evaluated.
    """
    disabled = set(settings.alerts.disable)
    texts = {text.name: text for text in _pack(settings)}
    for text in settings.rule:
        texts[text.name] = _merged_text(text, texts)
    rules = map(compile_rule, texts.values())
    return tuple(replace(rule, enabled=False) if rule.name in disabled else rule for rule in rules)


def all_rule_problems(settings: Settings) -> Iterator[Problem]:
    """Every problem of the configured rules, each with its file, and of `alerts.disable`.

    Packaged rules that the configuration does not change are not checked.
    """
    pack = {text.name: text for text in _pack(settings)}
    for text in settings.rule:
        for problem in _text_problems(text, pack):
            key = f"{text.place}.{problem.key}".rstrip(".")
            yield replace(problem, key=key, file=text.origin)
    yield from _duplicate_problems(settings.rule)
    if len(settings.rule) > _MOST_RULES:
        yield Problem("rule", f"has {len(settings.rule)} entries; at most {_MOST_RULES} are taken")
    names = dict.fromkeys((*pack, *(text.name for text in settings.rule)))
    for number, name in enumerate(settings.alerts.disable):
        if name not in names:
            hint = did_you_mean(name, names, "`watchdeck rules list` names all.")
            yield Problem(f"alerts.disable[{number}]", "names no rule", hint)


def add_rule_files(settings: Settings, files: Iterable[Path], problems: list[Problem]) -> Settings:
    """The settings with the rules of more files added; appends the problems of the files.

    A file whose rules the settings have already is skipped.
    """
    known = {Path(text.origin).resolve() for text in settings.rule}
    more = [file for file in files if file.resolve() not in known]
    texts = tuple(text for file in more for text in read_rules(file, problems))
    return replace(settings, rule=settings.rule + texts)


def rule_file_problems(settings: Settings, files: Iterable[Path]) -> list[Problem]:
    """The problems of rule files, checked as if they were added to the configuration.

    When no rule has a problem, the rules that match no configured model are listed instead.
    """
    problems: list[Problem] = []
    extended = add_rule_files(settings, files, problems)
    all_problems = list(all_rule_problems(extended))
    own = {text.origin for text in settings.rule}
    problems += (one for one in all_problems if one.file and one.file not in own)
    return problems if problems or all_problems else list(rules_without_target(extended))


def rules_without_target(settings: Settings) -> Iterator[Problem]:
    """Problems of rules whose matchers match no configured endpoint.

    The kind of an `auto` endpoint is unknown, so any kind matches it.
    """
    fleet = [endpoint_labels(endpoint) for endpoint in settings.endpoint]
    for text in settings.rule:
        rule_matchers = matchers_of(text)
        if not fleet or not rule_matchers:
            continue
        if not any(_may_match(rule_matchers, labels) for labels in fleet):
            listed = ", ".join(map(str, rule_matchers))
            reason = f"means no model that is watched ({listed})"
            yield Problem(f"{text.place}.match", reason, "", text.origin)


def rules_matching_everything(settings: Settings) -> Iterator[Problem]:
    """A problem for each matcher of a rule that matches every model: it has no effect."""
    for text in settings.rule:
        for number, matcher in enumerate(matchers_of(text)):
            if matcher.matches_everything:
                key, hint = f"{text.place}.match[{number}]", "Leave it out."
                yield Problem(key, f"{matcher} means every model", hint, text.origin)


def endpoint_labels(endpoint: Endpoint) -> dict[str, str]:
    """The labels of a configured endpoint; the kind of an `auto` endpoint is not known yet."""
    facts = EndpointFacts(
        endpoint.name,
        "",
        endpoint.every,
        owner=endpoint.owner,
        tier=endpoint.tier,
        labels=endpoint.labels,
    )
    return labels_of(facts, None if endpoint.kind == AUTO else endpoint.kind)


def _may_match(matchers: Iterable[Matcher], labels: dict[str, str]) -> bool:
    known = (one for one in matchers if one.label != "kind" or "kind" in labels)
    return matches(known, labels)


def _pack(settings: Settings) -> tuple[RuleText, ...]:
    return load_pack() if settings.alerts.pack else ()


def _merged_text(text: RuleText, pack: dict[str, RuleText]) -> RuleText:
    return merge_rule(pack[text.name], text) if text.name in pack else text


def _text_problems(text: RuleText, pack: dict[str, RuleText]) -> Iterator[Problem]:
    if text.when is None and text.name not in pack:
        hint = did_you_mean(text.name, pack, 'Write when = "latency_p95 > 200ms for 5m".')
        yield Problem("", "has no 'when', and no rule of the pack has its name", hint)
    else:
        yield from rule_problems(_merged_text(text, pack))


def _duplicate_problems(texts: Iterable[RuleText]) -> Iterator[Problem]:
    first: dict[str, RuleText] = {}
    for text in texts:
        other = first.setdefault(text.name, text)
        if other is not text:
            where = "" if other.origin == text.origin else f" of {other.origin}"
            reason = f"is the name of {other.place}{where} too"
            yield Problem(f"{text.place}.name", reason, "Every rule has its own.", text.origin)


@cache
def load_pack(folder: Path = PACKAGED) -> tuple[RuleText, ...]:
    """The packaged rules, sorted by file name, in the order of each file.

    Raises ConfigProblems with every problem of its files.
    """
    problems: list[Problem] = []
    rules = read_folder(folder, problems)
    if problems:
        raise ConfigProblems(str(folder), problems)
    return rules


def read_folder(folder: Path, problems: list[Problem]) -> tuple[RuleText, ...]:
    """The readable rules of all files in a folder; appends all problems. None if it is missing."""
    paths = sorted(folder.glob("*.toml"))
    return tuple(rule for path in paths for rule in read_rules(path, problems))


def read_rules(path: Path, problems: list[Problem]) -> tuple[RuleText, ...]:
    """The readable rules of one file; appends all problems of the file."""
    found: list[Problem] = []
    try:
        raw = parse(str(path), read_file(path).text)
        rules = add_origin(read(raw, RuleFile, "", found).rule, path)
    except ConfigProblems as error:
        found, rules = list(error.problems), ()
    problems += (replace(problem, file=str(path)) for problem in found)
    return rules


def add_origin(rules: tuple[object, ...], path: Path) -> tuple[RuleText, ...]:
    """The rules, each with `path` as its file and with its position there.

    Rules that could not be read are left out.
    """
    return tuple(
        replace(rule, origin=str(path), place=f"rule[{number}]")
        for number, rule in enumerate(rules)
        if isinstance(rule, RuleText)
    )
