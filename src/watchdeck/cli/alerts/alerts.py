"""`watchdeck alerts`: the open alerts, and the silences in force."""

from contextlib import closing

import click

from watchdeck.cli.alerts.output import as_json, as_text
from watchdeck.cli.options import Context, PastTimeParam, now, read_filter, read_named_filter


@click.command()
@click.argument("wanted", nargs=-1)
@click.option("--filter", "named", metavar="NAME", help="Those of a saved filter, or of a filter.")
@click.option("--json", "in_json", is_flag=True, help="As JSON, for scripts.")
@click.option("--at", type=PastTimeParam(), help="As it was then.")
@click.pass_context
def command(
    ctx: click.Context, wanted: tuple[str, ...], named: str | None, at: int | None, *, in_json: bool
) -> None:
    """List the alerts, or those that a filter WANTED matches: sev<=2 owner=risk unacked.

    WANTED may be a filter saved in [console] filters: @NAME. An alert must match --filter, too.
    """
    from watchdeck.domain.board.filter import SAVED, All
    from watchdeck.domain.board.filter_fields import ALERTS, filter_alerts
    from watchdeck.store.reader import Reader

    context: Context = ctx.obj
    words = " ".join(one for one in wanted if not one.startswith(SAVED))
    texts = [words, *(one for one in wanted if one.startswith(SAVED))]
    filters = [read_filter(context, text, ALERTS) for text in texts]
    if named is not None:
        filters.append(read_named_filter(context, named, ALERTS))
    with closing(Reader(context.directory())) as reader:
        board = reader.board(now(), at)
    found = filter_alerts(board.alerts, All(tuple(filters)), board.models, board.at)
    if in_json:
        click.echo(as_json(found, board.silences))
    else:
        click.echo(as_text(found, board.silences, board.at, board.alerts))
