"""`watchdeck` and `watchdeck console`: the console on the configured store."""

from __future__ import annotations

import click
from msgspec.structs import replace

from watchdeck.cli.options import Context, now, operator, with_options

_UNSEEN = "read-only: nothing is changed, and others on this store do not see this console"


@click.command()
@with_options
@click.pass_context
def command(ctx: click.Context, at: int | None, *, read_only: bool, slow_link: bool) -> None:
    """Open the console on the configured store; a collector is started if none runs."""
    from watchdeck.console.run import refuse_here, run
    from watchdeck.console.state.alert_verbs import Operations
    from watchdeck.service.spawn import ensure_collector

    context: Context = ctx.obj
    directory = context.directory()
    refuse_here()  # before a collector is started for a console that cannot be
    notice = _UNSEEN if read_only else ensure_collector(directory, context.path())
    view = context.settings().console
    view = replace(view, slow_link=True) if slow_link else view
    ctx.exit(
        run(
            directory,
            clock=now,
            hands=None if read_only else Operations(directory, operator(), context.routing()),
            view=view,
            at=at,
            notice=notice,
            config=context.path(),
        )
    )
