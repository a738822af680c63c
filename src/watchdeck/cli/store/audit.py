"""`watchdeck audit verify`: whether the audit is what was written."""

from __future__ import annotations

from contextlib import closing

import click

from watchdeck.cli.options import Context


@click.group()
def command() -> None:
    """Verify the audit chain."""


@command.command()
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Read the whole audit chain and name the first bad row; exit code 1 when there is one."""
    from watchdeck.store.files.connection import corruption_as_error, reading
    from watchdeck.store.state import audit

    context: Context = ctx.obj
    path = context.directory().state
    with closing(reading(path)) as db, corruption_as_error(path):
        found = audit.verify(db)
    if found.first_bad is None:
        click.echo(f"the audit is sound: {found.rows} rows, head {found.head}")
        return
    click.echo(f"row {found.first_bad} is the first bad one: {found.why}")
    ctx.exit(1)
