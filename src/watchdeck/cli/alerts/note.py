"""`watchdeck note`: write on alerts, and say what they were worth."""

from __future__ import annotations

import click

from watchdeck.cli.alerts.selection import AlertSelector, episodes, print_result
from watchdeck.cli.options import Context, now, operator
from watchdeck.domain.alerts.alert import Feedback
from watchdeck.domain.values.matcher import Matcher


@click.command()
@click.argument("which", type=AlertSelector())
@click.argument("text", default="")
@click.option(
    "--opinion",
    type=click.Choice([one.value for one in Feedback]),
    help="What an alert that is over was worth.",
)
@click.pass_context
def command(ctx: click.Context, which: int | Matcher, text: str, opinion: str | None) -> None:
    """Write TEXT on the alert WHICH, open or over."""
    from watchdeck.actions.alerts.resolve import give_feedback, note

    context: Context = ctx.obj
    directory, who = context.directory(), operator()
    numbers = episodes(directory, [which])
    if text or opinion is None:
        print_result(note(directory, numbers, who, now(), text=text))
    if opinion is not None:
        print_result(give_feedback(directory, numbers, who, now(), opinion=Feedback(opinion)))
