"""`watchdeck resolve`: end alerts by hand, as the key does."""

from __future__ import annotations

import click

from watchdeck.cli.alerts.selection import AlertSelector, episodes, print_result
from watchdeck.cli.options import Context, now, operator
from watchdeck.domain.values.matcher import Matcher


@click.command()
@click.argument("which", nargs=-1, required=True, type=AlertSelector())
@click.option("--note", required=True, help="Why it is over.")
@click.pass_context
def command(ctx: click.Context, which: tuple[int | Matcher, ...], note: str) -> None:
    """End the alerts WHICH by hand; what is still true a while later fires anew."""
    from watchdeck.actions.alerts.resolve import resolve

    context: Context = ctx.obj
    directory = context.directory()
    numbers, routing = episodes(directory, which), context.routing()
    print_result(resolve(directory, numbers, operator(), now(), note=note, routing=routing))
