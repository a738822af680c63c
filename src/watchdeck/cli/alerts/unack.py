"""`watchdeck unack`: give alerts back, as the key does."""

from __future__ import annotations

import click

from watchdeck.cli.alerts.selection import AlertSelector, episodes, print_result
from watchdeck.cli.options import Context, now, operator
from watchdeck.domain.values.matcher import Matcher


@click.command()
@click.argument("which", nargs=-1, required=True, type=AlertSelector())
@click.pass_context
def command(ctx: click.Context, which: tuple[int | Matcher, ...]) -> None:
    """Give the alerts WHICH back: they are nobody's."""
    from watchdeck.actions.alerts.acknowledge import unacknowledge

    context: Context = ctx.obj
    directory = context.directory()
    numbers = episodes(directory, which)
    print_result(unacknowledge(directory, numbers, operator(), now(), routing=context.routing()))
