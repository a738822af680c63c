"""Commands on the store: export, backup, audit, doctor."""

import io
import sys
from contextlib import closing
from pathlib import Path
from typing import TextIO

import click

from watchdeck.cli.options import Context, TimeParam, now, operator

_DAY = 86_400_000


@click.command()
@click.argument("target", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "jsonl", "sqlite"]),
    default="csv",
    show_default=True,
    help="The format to write.",
)
@click.option(
    "--stream",
    type=click.Choice(["signals", "series"]),
    default="signals",
    show_default=True,
    help="The derived signals, or the stored series of the metrics pages.",
)
@click.option("--endpoint", "endpoints", multiple=True, metavar="NAME", help="Only this one.")
@click.option("--since", type=TimeParam(), help="From this time on; a day ago if not given.")
@click.option("--until", type=TimeParam(), help="Before this time; now if not given.")
@click.pass_context
def export(
    ctx: click.Context,
    target: Path,
    file_format: str,
    stream: str,
    endpoints: tuple[str, ...],
    since: int | None,
    until: int | None,
) -> None:
    """Write a window of the store to TARGET (- is the standard output).

    An absent value is empty or null, never 0. No file is ever overwritten.
    """
    from watchdeck.store import export as exporter
    from watchdeck.store.metrics.frames import Stream
    from watchdeck.store.reader import Reader

    context: Context = ctx.obj
    end = now() if until is None else until
    start = end - _DAY if since is None else since
    output = _data_stream() if str(target) == "-" else target
    form, source = exporter.ExportFormat(file_format), Stream[stream.upper()]
    with closing(Reader(context.directory())) as reader:
        rows = exporter.export(reader, output, form, endpoints, start, end, source)
    sys.stdout.flush()  # nothing was written before that succeeds
    click.echo(f"wrote {rows} rows", err=True)


def _data_stream() -> TextIO:
    """The standard output for data, which are UTF-8 as in a file, whatever the locale is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_context
def backup(ctx: click.Context, target: Path) -> None:
    """Copy the store to TARGET, consistent and checked, while the collector goes on.

    In an existing directory the copy is a new directory; nothing is ever overwritten.
    """
    from watchdeck.actions.store import back_up

    context: Context = ctx.obj
    result = back_up(context.directory(), target, operator(), now())
    total = sum(result.sizes.values())
    click.echo(f"backed up {len(result.sizes)} files, {total:,} bytes, to {result.path}")
    if result.audit.first_bad is not None:
        click.echo(f"its audit is broken: {result.audit.why}", err=True)


@click.command()
@click.argument("backup", type=click.Path(path_type=Path))
@click.pass_context
def restore(ctx: click.Context, backup: Path) -> None:
    """Check BACKUP, a directory that `backup` made, and put it in the place of the store.

    The collector must not run. The files of before are moved into a folder of the store's
    directory, and deleted by nobody.
    """
    from watchdeck.actions.store import restore_store

    context: Context = ctx.obj
    directory = context.directory()
    result = restore_store(directory, backup, operator(), now())
    total = sum(result.sizes.values())
    click.echo(f"restored {len(result.sizes)} files, {total:,} bytes, to {directory.path}")
    if result.old_files is not None:
        click.echo(f"the files of before are in {result.old_files}")
    click.echo("`watchdeck doctor` examines it, `watchdeck collect` goes on with it")


@click.group()
def audit() -> None:
    """Verify the audit chain."""


@audit.command()
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Read the whole audit chain and name the first bad row; exit code 1 when there is one."""
    from watchdeck.store.files.connection import corruption_as_error, open_readonly
    from watchdeck.store.state.audit import verify

    context: Context = ctx.obj
    path = context.directory().state
    with closing(open_readonly(path)) as db, corruption_as_error(path):
        result = verify(db)
    if result.first_bad is None:
        click.echo(f"the audit is sound: {result.rows} rows, head {result.head}")
        return
    click.echo(f"row {result.first_bad} is the first bad one: {result.why}")
    ctx.exit(1)


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Examine the store and the collector; exit code 1 when a check fails."""
    from watchdeck.store.doctor import CheckStatus, examine

    context: Context = ctx.obj
    results = examine(context.directory(), now(), context.settings().retention.budget)
    width = max(len(result.name) for result in results)
    for result in results:
        click.echo(f"{result.state:<7}  {result.name:<{width}}  {result.text}")
    ctx.exit(1 if any(result.state is CheckStatus.FAIL for result in results) else 0)
