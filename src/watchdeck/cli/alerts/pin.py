"""`watchdeck pin`: a known issue, first line of the alerts of a model or a rule."""

from __future__ import annotations

import click

from watchdeck.cli.alerts.selection import print_result
from watchdeck.cli.options import Context, DurationParam, now, operator


@click.command()
@click.argument("text", default="")
@click.option("--model", default="", help="The model that it is about.")
@click.option("--rule", default="", help="The rule that it is about.")
@click.option("--for", "length", type=DurationParam(), help="For how long it is shown.")
@click.option("--end", type=click.IntRange(min=1), help="Take the known issue NUMBER away.")
@click.pass_context
def command(
    ctx: click.Context, text: str, model: str, rule: str, length: int | None, end: int | None
) -> None:
    """Pin TEXT, which is known, on a model or a rule until it expires."""
    from watchdeck.actions.alerts.silence import pin, unpin

    context: Context = ctx.obj
    directory, who, moment = context.directory(), operator(), now()
    if end is not None:
        print_result(unpin(directory, end, who, moment))
        return
    if length is None:
        raise click.UsageError("a known issue needs an end: --for 1d")
    expires_at = moment + length
    print_result(pin(directory, (model, rule), who, moment, text=text, expires_at=expires_at))
