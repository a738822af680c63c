"""`watchdeck status`: one board as text or JSON, for people and for scripts."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

import click

from watchdeck.cli.options import CodedCommand, Context, PastTimeParam, now

if TYPE_CHECKING:
    from watchdeck.store.reader import Reader


@click.command(cls=CodedCommand)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.option("--at", type=PastTimeParam(), help="The board of a moment in the past.")
@click.option("--follow", is_flag=True, help="Then print a plain line for each change.")
@click.pass_context
def command(ctx: click.Context, at: int | None, *, as_json: bool, follow: bool) -> None:
    """Print one board as text or JSON; with --follow, a line for each change until interrupted.

    The exit code is the worst model's: down or critical 2, else unknown 3, else warning 1, else 0.
    Any failure of the command itself is 3.
    """
    from watchdeck.cli.models import board_output as words
    from watchdeck.store.reader import Reader

    context: Context = ctx.obj
    if follow and (as_json or at is not None):
        raise click.UsageError(
            "--follow tells what changes from now on, in text: leave out --json and --at."
        )
    with closing(Reader(context.directory())) as reader:
        if follow:
            _follow(reader)
        board = reader.board(now(), at)
        if follow:
            ctx.exit(words.exit_code(board))
    click.echo(words.as_json(board) if as_json else words.as_text(board))
    ctx.exit(words.exit_code(board))


def _follow(reader: Reader) -> None:
    """Until the person interrupts, or whoever reads the lines goes away."""
    import time

    from watchdeck.cli.models.follow import follow

    with suppress(KeyboardInterrupt, BrokenPipeError):
        follow(reader, now, time.sleep, click.echo)
