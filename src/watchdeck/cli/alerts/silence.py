"""`watchdeck silence`: have nobody told of some alerts for a while."""

from __future__ import annotations

import click

from watchdeck.cli.alerts.selection import AlertSelector, print_result
from watchdeck.cli.options import Context, DurationParam, now, operator
from watchdeck.domain.values.matcher import Matcher


@click.command()
@click.argument("which", nargs=-1, required=True, type=AlertSelector())
@click.option(
    "--for", "length", type=DurationParam(), required=True, help="For how long: 2h, a week."
)
@click.option("--reason", required=True, help="Why: whoever is on call next reads it.")
@click.option("--until-resolved", is_flag=True, help="End it when what it hides is over.")
@click.pass_context
def command(
    ctx: click.Context,
    which: tuple[int | Matcher, ...],
    length: int,
    reason: str,
    *,
    until_resolved: bool,
) -> None:
    """Have nobody told of alerts with the labels WHICH: model=fraud, rule=~latency-.* and so on."""
    from watchdeck.actions.alerts.silence import silence

    matchers = [one for one in which if isinstance(one, Matcher)]
    if len(matchers) != len(which):
        raise click.UsageError("a silence is about labels: write model=NAME or rule=NAME")
    context: Context = ctx.obj
    moment = now()
    print_result(
        silence(
            context.directory(),
            matchers,
            operator(),
            moment,
            reason=reason,
            ends_at=moment + length,
            until_resolved=until_resolved,
        )
    )
