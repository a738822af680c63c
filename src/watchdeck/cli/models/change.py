"""`watchdeck change add`: a deploy, retrain or configuration marked on every chart."""

from __future__ import annotations

import click

from watchdeck.cli.options import Context, TimeParam, iso, now, operator
from watchdeck.domain.board.change import SAID, ChangeKind, Marker


@click.group()
def command() -> None:
    """Mark deploys, retrains and changes of configuration."""


@command.command()
@click.argument("model")
@click.argument("text")
@click.option(
    "--what",
    type=click.Choice(SAID),
    default=ChangeKind.NOTE.value,
    show_default=True,
    help="What kind of change it was.",
)
@click.option("--at", type=TimeParam(), help="When it happened; now when not given.")
@click.pass_context
def add(ctx: click.Context, model: str, text: str, what: str, at: int | None) -> None:
    """Mark on the charts of MODEL that TEXT happened."""
    from watchdeck.actions.change import add_change

    context: Context = ctx.obj
    moment = now()
    when = moment if at is None else at
    marker = Marker(ChangeKind(what), text)
    number = add_change(context.directory(), model, marker, when, operator(), moment)
    click.echo(f"change {number} of {model} marked at {iso(when)}")
