"""`watchdeck rules`: list and check rules, and try them on the past before they page anybody."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import click
from msgspec.structs import replace

from watchdeck.cli.options import Context, TimeParam, now
from watchdeck.cli.rules.coverage import (
    RuleTarget,
    coverage_json,
    coverage_of,
    coverage_text,
    targets_of_board,
    targets_of_config,
)
from watchdeck.cli.rules.replay_output import ReplayReport, report_json, report_text
from watchdeck.cli.rules.stats_output import RuleStatsReport, stats_json, stats_text
from watchdeck.config.load import load
from watchdeck.config.reading.problems import ConfigProblems, did_you_mean
from watchdeck.config.rules import (
    add_rule_files,
    rule_file_problems,
    rules_in_force,
    rules_matching_everything,
)
from watchdeck.domain.rules.condition import ConditionError, read_condition
from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.values.cells import cell_width
from watchdeck.domain.values.text import clean
from watchdeck.engine.backtest import rule_stats
from watchdeck.engine.backtest.replay import Replay, lookback, replay
from watchdeck.errors import StoreMissing, WatchdeckError
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.reader import Reader

_MONTH = 30 * 86_400_000


class RuleError(WatchdeckError):
    """A `rules` command that is not possible; the text says what would work."""

    exit_code = 2


@click.group()
def command() -> None:
    """List the rules, check them, try them on stored history, and see what they were worth."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_context
def list_(ctx: click.Context, *, as_json: bool) -> None:
    """List every rule: the models it covers, the signals it waits for, what is switched off.

    A line below a rule says what it needs beyond its condition, such as the fewest failures of a
    burn rate, and why.
    """
    context: Context = ctx.obj
    targets = _targets(context)
    coverages = [coverage_of(rule, targets) for rule in rules_in_force(context.settings())]
    click.echo(coverage_json(coverages) if as_json else coverage_text(coverages))


@command.command()
@click.argument(
    "files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True)
)
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Report all problems at once, of the configured rules and of those in FILES.

    The exit code is 2 when there are any. A rule that matches no model is a problem; a pattern that
    matches every model gets a hint.
    """
    context: Context = ctx.obj
    try:
        settings = load(context.path(), lambda settings: rule_file_problems(settings, files))
    except ConfigProblems as problems:
        raise RuleError(str(problems)) from None
    settings = add_rule_files(settings, files, [])
    for hint in rules_matching_everything(settings):
        click.echo(f"{hint.file}: {hint}", err=True)
    click.echo(f"{len(rules_in_force(settings))} rules, no problems.")


@command.command()
@click.argument("rule")
@click.option("--since", type=TimeParam(), help="From this time on; 30 days ago if not given.")
@click.option("--until", type=TimeParam(), help="Before this time; now if not given.")
@click.option("--model", "names", multiple=True, metavar="NAME", help="Only this model.")
@click.option("--when", "words", help="Instead of what the rule says; the rule need not exist.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_context
def test(
    ctx: click.Context,
    rule: str,
    since: int | None,
    until: int | None,
    names: tuple[str, ...],
    words: str | None,
    *,
    as_json: bool,
) -> None:
    """Replay RULE over stored history: when it would have fired, how long, and how often.

    The code that evaluates rules live evaluates the replay. Muting by other rules, silences and
    maintenance is left out.
    """
    context: Context = ctx.obj
    enabled = replace(_find_rule(context.settings(), rule, words), enabled=True)
    end = now() if until is None else until
    start = end - _MONTH if since is None else since
    if start >= end:
        raise click.UsageError("--since is not before --until.")
    coverage = coverage_of(enabled, _select_targets(_targets(context), names))
    with closing(Reader(context.directory())) as reader:
        replays = tuple(_replay_all(reader, enabled, coverage.targets, start, end))
    report = ReplayReport(coverage, replays, start, end)
    click.echo(report_json(report) if as_json else report_text(report))


@command.command()
@click.option("--since", type=TimeParam(), help="From this time on; 30 days ago if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_context
def stats(ctx: click.Context, since: int | None, *, as_json: bool) -> None:
    """Show the quality of each rule: its pages, those at night, and the feedback on its alerts.

    For a rule with feedback "noise", other limits are tried over the same time.
    """
    context: Context = ctx.obj
    end = now()
    start = end - _MONTH if since is None else since
    with closing(Reader(context.directory())) as reader:
        fired = reader.fired_episodes(start)
        found = rule_stats.rule_quality(fired, _local_hour)
        trials = {one.rule: _try_limits(context, reader, one, fired, start, end) for one in found}
    report = RuleStatsReport(found, trials, start, end)
    click.echo(stats_json(report) if as_json else stats_text(report))


def _local_hour(at: int) -> int:
    return datetime.fromtimestamp(at / 1_000).astimezone().hour


def _targets(context: Context) -> tuple[RuleTarget, ...]:
    """The models of the store; those of the configuration when there is no store."""
    try:
        with closing(Reader(context.directory())) as reader:
            return targets_of_board(reader.board(now()).models)
    except StoreMissing:
        return targets_of_config(context.settings().endpoint)


def _select_targets(
    targets: tuple[RuleTarget, ...], names: tuple[str, ...]
) -> tuple[RuleTarget, ...]:
    known = [one.facts.name for one in targets]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, "`watchdeck status` names them.")
            raise RuleError(f"no model is called {name!r}. {hint}")
    return tuple(one for one in targets if not names or one.facts.name in names)


def _find_rule(settings: Settings, name: str, words: str | None) -> Rule:
    """The rule called `name`, with the condition `words` when given. Raises RuleError."""
    rules = {rule.name: rule for rule in rules_in_force(settings)}
    if words is None:
        if name not in rules:
            hint = did_you_mean(name, rules, "`watchdeck rules list` names them.")
            raise RuleError(f"no rule is called {name!r}. {hint} With --when it need not exist.")
        return rules[name]
    try:
        when = read_condition(words)
    except ConditionError as error:
        raise RuleError(_error_with_pointer(words, error)) from None
    known = rules.get(name, Rule(name, words, when.test))
    return replace(known, when=words, test=when.test, hold=when.hold)


def _error_with_pointer(words: str, error: ConditionError) -> str:
    """The text of an error, with the condition and a mark below the error's position."""
    sentence = f"{error.text}. {error.hint}".strip()
    before = clean(words[: error.position], 400)
    mark = " " * cell_width(before) + "^"
    return f"{sentence}\n  {before}{clean(words[error.position :], 200)}\n  {mark}"


def _replay_all(
    reader: Reader, rule: Rule, targets: Sequence[RuleTarget], start: int, end: int
) -> Iterator[Replay]:
    for target in targets:
        blocks = reader.blocks(target.facts.name, Stream.SIGNALS, start - lookback(rule), end)
        yield replay(rule, target.facts, target.kind, blocks, start)


def _try_limits(
    context: Context,
    reader: Reader,
    quality: rule_stats.RuleQuality,
    fired: Sequence[rule_stats.RatedEpisode],
    start: int,
    end: int,
) -> tuple[rule_stats.LimitTrial, ...]:
    """The trials of other limits for a rule; none when none of its alerts was rated noise."""
    rules = {rule.name: replace(rule, enabled=True) for rule in rules_in_force(context.settings())}
    if not quality.noise or quality.rule not in rules:
        return ()
    rule = rules[quality.rule]
    own = [one for one in fired if one[1].rule == rule.name]
    targets = coverage_of(rule, targets_of_board(reader.board(now()).models)).targets
    return tuple(
        rule_stats.try_limit(
            other.when,
            [
                firing
                for replayed in _replay_all(reader, other, targets, start, end)
                for firing in replayed.firings
            ],
            own,
        )
        for other in rule_stats.other_limits(rule)
    )
