"""`watchdeck change add`: a deploy, retrain or configuration marked on every chart."""

import click

from watchdeck.cli.options import Context, TimeParam, iso, now, operator
from watchdeck.domain.board.change import REPORTED_KINDS, ChangeKind


@click.group()
def command() -> None:
    """Mark deploys, retrains and changes of configuration."""


@command.command()
@click.argument("model")
@click.argument("text")
@click.option(
    "--what",
    type=click.Choice(REPORTED_KINDS),
    default=ChangeKind.NOTE.value,
    show_default=True,
    help="What kind of change it was.",
)
@click.option("--at", type=TimeParam(), help="When it happened; now when not given.")
@click.pass_context
def add(ctx: click.Context, model: str, text: str, what: str, at: int | None) -> None:
    """Mark on the charts of MODEL that TEXT happened."""
    from watchdeck.actions.actor import Actor
    from watchdeck.actions.requests import ChangeRequest
    from watchdeck.actions.table import perform

    context: Context = ctx.obj
    moment = now()
    when = moment if at is None else at
    request = ChangeRequest(model, ChangeKind(what), text, when)
    done = perform(Actor(context.directory(), operator()), request, moment)
    click.echo(f"{done.words} at {iso(when)}")
