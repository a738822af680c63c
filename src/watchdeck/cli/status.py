"""`watchdeck status`: one board as text or JSON, for people and for scripts."""

from __future__ import annotations

from contextlib import closing

import click

from watchdeck.cli.common import CodedCommand, Context, Moment, now


@click.command(cls=CodedCommand)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.option("--at", type=Moment(), help="The board of a moment in the past.")
@click.pass_context
def command(ctx: click.Context, at: int | None, *, as_json: bool) -> None:
    """Print one board as text or JSON.

    The exit code is the worst model's: down or critical 2, else unknown 3, else warning 1, else 0.
    Any failure of the command itself is 3.
    """
    from watchdeck.cli import board as words
    from watchdeck.store.reader import Reader

    context: Context = ctx.obj
    with closing(Reader(context.directory())) as reader:
        board = reader.board(now(), at)
    click.echo(words.as_json(board) if as_json else words.as_text(board))
    ctx.exit(words.exit_code(board))
