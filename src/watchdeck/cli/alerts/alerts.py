"""`watchdeck alerts`: the open alerts, and the silences in force."""

from contextlib import closing

import click

from watchdeck.cli.alerts.output import as_json, as_text
from watchdeck.cli.options import Context, PastTimeParam, now
from watchdeck.domain.board.filter import FilterError, matches, parse


@click.command()
@click.argument("wanted", nargs=-1)
@click.option("--json", "in_json", is_flag=True, help="As JSON, for scripts.")
@click.option("--at", type=PastTimeParam(), help="As it was then.")
@click.pass_context
def command(ctx: click.Context, wanted: tuple[str, ...], at: int | None, *, in_json: bool) -> None:
    """List the alerts, or those that a filter WANTED matches: sev<=2 owner=risk unacked."""
    from watchdeck.domain.board.filter_fields import ALERTS, FilteredAlert
    from watchdeck.store.reader import Reader

    context: Context = ctx.obj
    try:
        filtered = parse(" ".join(wanted), ALERTS)
    except FilterError as error:
        raise click.UsageError(f"{error} (at character {error.position + 1})") from None
    with closing(Reader(context.directory())) as reader:
        board = reader.board(now(), at)
    found = [one for one in board.alerts if matches(filtered, FilteredAlert(one, board.at))]
    if in_json:
        click.echo(as_json(found, board.silences))
    else:
        click.echo(as_text(found, board.silences, board.at))
