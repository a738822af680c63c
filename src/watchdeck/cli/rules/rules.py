"""`watchdeck rules`: what is worth an alert, tried on the past before it wakes anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from watchdeck.cli.options import Context, TimeParam, now
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreMissing, WatchdeckError

if TYPE_CHECKING:
    from watchdeck.cli.rules.list_output import RuleTarget
    from watchdeck.domain.rules.parser import ConditionError
    from watchdeck.domain.rules.rule import Rule
    from watchdeck.domain.settings.endpoint import Settings
    from watchdeck.engine.backtest.replay import Replay
    from watchdeck.engine.backtest.rule_stats import Fired, LimitTrial, RuleQuality
    from watchdeck.store.reader import Reader

_MONTH = 30 * 86_400_000


class RuleError(WatchdeckError):
    """Something that was asked of rules and is not possible; the text says what is."""

    exit_code = 2


@click.group()
def command() -> None:
    """List the rules, check them, try them on stored history, and see what they were worth."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_context
def list_(ctx: click.Context, *, as_json: bool) -> None:
    """List every rule: whom it reaches, what it waits for, what is switched off."""
    from watchdeck.cli.rules import list_output as ruling
    from watchdeck.config.rules import rules_in_force

    context: Context = ctx.obj
    models = _models(context)
    reaches = [ruling.coverage(rule, models) for rule in rules_in_force(context.settings())]
    click.echo(ruling.list_json(reaches) if as_json else ruling.list_text(reaches))


@command.command()
@click.argument(
    "files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True)
)
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Tell all problems of the rules at once, also those of FILES, as if they were in force.

    The exit code is 2 when there are any. A rule that means no model is one; a pattern that means
    every model is worth a hint.
    """
    from watchdeck.config.load import load
    from watchdeck.config.reading.problems import ConfigProblems
    from watchdeck.config.rules import (
        problems_of_files,
        rules_in_force,
        rules_matching_everything,
        with_files,
    )

    context: Context = ctx.obj
    try:
        settings = load(context.path(), lambda settings: problems_of_files(settings, files))
    except ConfigProblems as problems:
        raise RuleError(str(problems)) from None
    settings = with_files(settings, files, [])
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

    It is judged by the code that judges it live; what other rules, silences and planned work would
    have muted is not played.
    """
    from watchdeck.cli.rules import list_output as ruling
    from watchdeck.cli.rules import replay_output as trial

    context: Context = ctx.obj
    meant = replace(_meant(context.settings(), rule, words), enabled=True)
    end = now() if until is None else until
    start = end - _MONTH if since is None else since
    if start >= end:
        raise click.UsageError("--since is not before --until.")
    models = _chosen(_models(context), names)
    reach = ruling.coverage(meant, models)
    with closing(_reader(context)) as reader:
        replays = list(_replays(reader, meant, reach.on, start, end))
    tried = trial.ReplayReport(reach, tuple(replays), start, end)
    click.echo(trial.for_scripts(tried) if as_json else trial.as_text(tried))


@command.command()
@click.option("--since", type=TimeParam(), help="From this time on; 30 days ago if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_context
def stats(ctx: click.Context, since: int | None, *, as_json: bool) -> None:
    """Tell what each rule was worth: pages, those at night, and what people said of its alerts.

    For a rule that some called noise, other limits are tried on the same time.
    """
    from watchdeck.cli.rules import stats_output as worth
    from watchdeck.engine.backtest.rule_stats import rule_quality

    context: Context = ctx.obj
    end = now()
    start = end - _MONTH if since is None else since
    with closing(_reader(context)) as reader:
        fired = reader.fired(start)
        found = rule_quality(fired, _local_hour)
        others = {one.rule: _others(context, reader, one, fired, start, end) for one in found}
    shown = worth.RuleStatsReport(found, others, start, end)
    click.echo(worth.for_scripts(shown) if as_json else worth.as_text(shown))


def _local_hour(at: int) -> int:
    return datetime.fromtimestamp(at / 1_000).astimezone().hour


def _reader(context: Context) -> Reader:
    from watchdeck.store.reader import Reader

    return Reader(context.directory())


def _models(context: Context) -> tuple[RuleTarget, ...]:
    """The models of the store and what they tell; without a store those of the configuration."""
    from watchdeck.cli.rules import list_output as ruling

    try:
        with closing(_reader(context)) as reader:
            return ruling.targets_of_board(reader.board(now()).models)
    except StoreMissing:
        return ruling.targets_of_config(context.settings().endpoint)


def _chosen(models: tuple[RuleTarget, ...], names: tuple[str, ...]) -> tuple[RuleTarget, ...]:
    from watchdeck.config.reading.problems import did_you_mean

    known = [one.facts.name for one in models]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, "`watchdeck status` names them.")
            raise RuleError(f"no model is called {name!r}. {hint}")
    return tuple(one for one in models if not names or one.facts.name in names)


def _meant(settings: Settings, name: str, words: str | None) -> Rule:
    """The rule of a name, with another `when` where that is given."""
    from watchdeck.config.reading.problems import did_you_mean
    from watchdeck.config.rules import rules_in_force
    from watchdeck.domain.rules.parser import ConditionError, read_when
    from watchdeck.domain.rules.rule import Rule

    rules = {rule.name: rule for rule in rules_in_force(settings)}
    if words is None:
        if name not in rules:
            hint = did_you_mean(name, rules, "`watchdeck rules list` names them.")
            raise RuleError(f"no rule is called {name!r}. {hint} With --when it need not exist.")
        return rules[name]
    try:
        when = read_when(words)
    except ConditionError as error:
        raise RuleError(_pointed(words, error)) from None
    known = rules.get(name, Rule(name, words, when.test))
    return replace(known, when=words, test=when.test, hold=when.hold)


def _pointed(words: str, error: ConditionError) -> str:
    """The sentence with a mark below the place that is wrong."""
    said = f"{error.text}. {error.hint}".strip()
    shown = clean(words[: error.position], 400)
    return f"{said}\n  {shown}{clean(words[error.position :], 200)}\n  {' ' * len(shown)}^"


def _replays(
    reader: Reader, rule: Rule, models: Sequence[RuleTarget], start: int, end: int
) -> Iterator[Replay]:
    from watchdeck.engine.backtest.replay import lookback, replay
    from watchdeck.store.metrics.frames import Stream

    for model in models:
        name, begin = model.facts.name, start - lookback(rule)
        blocks = reader.blocks(name, Stream.SIGNALS, begin, end)
        yield replay(rule, model.facts, model.kind, blocks, start)


def _others(
    context: Context,
    reader: Reader,
    worth: RuleQuality,
    fired: Sequence[Fired],
    start: int,
    end: int,
) -> tuple[LimitTrial, ...]:
    """What other limits would have done, of a rule with one that somebody called noise."""
    from watchdeck.cli.rules import list_output as ruling
    from watchdeck.config.rules import rules_in_force
    from watchdeck.engine.backtest.rule_stats import other_limits, try_limit

    rules = {rule.name: replace(rule, enabled=True) for rule in rules_in_force(context.settings())}
    if not worth.noise or worth.rule not in rules:
        return ()
    own = [one for one in fired if one[1].rule == worth.rule]
    models = ruling.coverage(
        rules[worth.rule], ruling.targets_of_board(reader.board(now()).models)
    ).on
    others = {
        other.when: list(_replays(reader, other, models, start, end))
        for other in other_limits(rules[worth.rule])
    }
    return tuple(
        try_limit(words, [firing for replay in replays for firing in replay.firings], own)
        for words, replays in others.items()
    )
