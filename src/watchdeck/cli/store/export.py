"""`watchdeck export`: what the store holds of any window, for other programs."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from watchdeck.cli.options import Context, TimeParam, now

_DAY = 86_400_000


@click.command()
@click.argument("target", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "sqlite"]),
    default="csv",
    show_default=True,
    help="How it is written.",
)
@click.option(
    "--stream",
    type=click.Choice(["signals", "series"]),
    default="signals",
    show_default=True,
    help="What was derived, or the series kept of the pages.",
)
@click.option("--endpoint", "endpoints", multiple=True, metavar="NAME", help="Only this one.")
@click.option("--since", type=TimeParam(), help="From this time on; a day ago if not given.")
@click.option("--until", type=TimeParam(), help="Before this time; now if not given.")
@click.pass_context
def command(
    ctx: click.Context,
    target: Path,
    form: str,
    stream: str,
    endpoints: tuple[str, ...],
    since: int | None,
    until: int | None,
) -> None:
    """Write a window of the store to TARGET (- is the standard output).

    An absent value is empty or null, never 0. No file is ever overwritten.
    """
    from watchdeck.store.export import export
    from watchdeck.store.export_formats import ExportFormat
    from watchdeck.store.metrics.frames import Stream
    from watchdeck.store.reader import Reader

    context: Context = ctx.obj
    end = now() if until is None else until
    start = end - _DAY if since is None else since
    place = sys.stdout if str(target) == "-" else target
    kept = Stream[stream.upper()]
    with closing(Reader(context.directory())) as reader:
        rows = export(reader, place, ExportFormat(form), endpoints, start, end, kept)
    click.echo(f"wrote {rows} rows", err=True)
