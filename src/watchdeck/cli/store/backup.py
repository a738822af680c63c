"""`watchdeck backup`: a copy of the whole store that can be used as a store."""

from __future__ import annotations

from pathlib import Path

import click

from watchdeck.cli.options import Context, now, operator


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_context
def command(ctx: click.Context, target: Path) -> None:
    """Copy the store to TARGET, consistent and checked; the collector goes on meanwhile.

    An existing directory gets a new one inside, and nothing is ever overwritten.
    """
    from watchdeck.actions.store import back_up

    context: Context = ctx.obj
    done = back_up(context.directory(), target, operator(), now())
    total = sum(done.sizes.values())
    click.echo(f"backed up {len(done.sizes)} files, {total:,} bytes, to {done.path}")
    if done.audit.first_bad is not None:
        click.echo(f"its audit is broken: {done.audit.why}", err=True)
