"""`watchdeck unack`: give alerts back, as the key does."""

from __future__ import annotations

import click

from watchdeck.cli.alerts.selection import Which, episodes, tell
from watchdeck.cli.options import Context, now, operator
from watchdeck.domain.values.matcher import Matcher


@click.command()
@click.argument("which", nargs=-1, required=True, type=Which())
@click.pass_context
def command(ctx: click.Context, which: tuple[int | Matcher, ...]) -> None:
    """Give the alerts WHICH back: they are nobody's."""
    from watchdeck.actions.alerts.acknowledge import unacknowledge

    context: Context = ctx.obj
    directory = context.directory()
    numbers = episodes(directory, which)
    tell(unacknowledge(directory, numbers, operator(), now(), routing=context.routing()))
