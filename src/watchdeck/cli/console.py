"""`watchdeck` and `watchdeck console`: the console on the configured store."""

from __future__ import annotations

import click

from watchdeck.cli.common import Context, now


@click.command()
@click.pass_context
def command(ctx: click.Context) -> None:
    """Open the console on the configured store; a collector is started if none runs."""
    from watchdeck.console.run import refuse_here, run
    from watchdeck.service.start import ensure_collector

    context: Context = ctx.obj
    directory = context.directory()
    refuse_here()  # before a collector is started for a console that cannot be
    notice = ensure_collector(directory, context.path())
    ctx.exit(run(directory, clock=now, notice=notice))
