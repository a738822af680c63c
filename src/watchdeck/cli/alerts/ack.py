"""`watchdeck ack`: take alerts, as the key does."""

from __future__ import annotations

import click

from watchdeck.cli.alerts.selection import AlertSelector, episodes, print_result
from watchdeck.cli.options import Context, DurationParam, now, operator
from watchdeck.domain.values.matcher import Matcher


@click.command()
@click.argument("which", nargs=-1, required=True, type=AlertSelector())
@click.option("--for", "length", type=DurationParam(), help="For how long; else as is usual.")
@click.option("--note", default="", help="What you know already.")
@click.option("--take-over", is_flag=True, help="Take it from who has it.")
@click.pass_context
def command(
    ctx: click.Context,
    which: tuple[int | Matcher, ...],
    length: int | None,
    note: str,
    *,
    take_over: bool,
) -> None:
    """Take the alerts WHICH: numbers of episodes, or labels such as model=fraud."""
    from watchdeck.actions.alerts.acknowledge import acknowledge
    from watchdeck.actions.alerts.acknowledge import take_over as take

    context: Context = ctx.obj
    directory, who, moment = context.directory(), operator(), now()
    numbers, routing = episodes(directory, which), context.routing()
    if take_over:
        print_result(take(directory, numbers, who, moment, note=note, routing=routing))
        return
    until = None if length is None else moment + length
    print_result(
        acknowledge(directory, numbers, who, moment, expires_at=until, note=note, routing=routing)
    )
