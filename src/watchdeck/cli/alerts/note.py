"""`watchdeck note`: write on alerts, and say what they were worth."""

from __future__ import annotations

import click

from watchdeck.cli.alerts.selection import Which, episodes, tell
from watchdeck.cli.options import Context, now, operator
from watchdeck.domain.alerts.alert import Opinion
from watchdeck.domain.values.matcher import Matcher


@click.command()
@click.argument("which", type=Which())
@click.argument("text", default="")
@click.option(
    "--opinion",
    type=click.Choice([one.value for one in Opinion]),
    help="What an alert that is over was worth.",
)
@click.pass_context
def command(ctx: click.Context, which: int | Matcher, text: str, opinion: str | None) -> None:
    """Write TEXT on the alert WHICH, open or over."""
    from watchdeck.actions.alerts.resolve import note, opine

    context: Context = ctx.obj
    directory, who = context.directory(), operator()
    numbers = episodes(directory, [which])
    if text or opinion is None:
        tell(note(directory, numbers, who, now(), text=text))
    if opinion is not None:
        tell(opine(directory, numbers, who, now(), opinion=Opinion(opinion)))
