"""`watchdeck collect`: the collector in the foreground, for systemd, containers and tmux."""

from __future__ import annotations

import click

from watchdeck.cli.options import Context, now, operator


@click.command()
@click.pass_context
def command(ctx: click.Context) -> None:
    """Run the collector in the foreground, until SIGTERM or SIGINT."""
    from watchdeck.service.collector import collect

    context: Context = ctx.obj
    settings, directory = context.settings(), context.directory()

    def started() -> None:
        count = len(settings.endpoint)
        click.echo(f"watchdeck: collecting from {count} endpoints into {directory.path}", err=True)

    collect(settings, directory, operator(), clock=now, started=started)
