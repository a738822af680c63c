"""`watchdeck unsilence`: end a silence before its time."""

from __future__ import annotations

import click

from watchdeck.cli.alerts.selection import print_result
from watchdeck.cli.options import Context, now, operator


@click.command()
@click.argument("number", type=click.IntRange(min=1))
@click.pass_context
def command(ctx: click.Context, number: int) -> None:
    """End the silence NUMBER; `watchdeck alerts` lists those in force."""
    from watchdeck.actions.alerts.silence import unsilence

    context: Context = ctx.obj
    print_result(unsilence(context.directory(), number, operator(), now()))
