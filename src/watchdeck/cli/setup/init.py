"""`watchdeck init`: a commented configuration for servers that were looked at, or a unit."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdeck.cli.options import Context, operator
from watchdeck.domain.values.text import clean

if TYPE_CHECKING:
    from watchdeck.collector.scrape.discover import DetectionResult

AT_ONCE = 20
"""Servers that are looked at side by side."""


class UrlParam(click.ParamType[str]):
    """The address of a server; `host:port` alone is taken as http."""

    name = "URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address with its scheme."""
        from watchdeck.config.checks.text import wrong_url

        url = value if "://" in value else f"http://{value}"
        problem = wrong_url(url)
        if problem or clean(url, 2_048) != url:
            text, hint = problem or ("has a character that no screen shows", "")
            self.fail(f"the address {text}. {hint}", param, ctx)
        return url


@click.command()
@click.argument("urls", nargs=-1, type=UrlParam(), metavar="[URL]...")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    default="watchdeck.toml",
    help="Where to write the configuration (watchdeck.toml).",
)
@click.option("--force", is_flag=True, help="Overwrite a configuration that is there.")
@click.option(
    "--systemd", is_flag=True, help="Print a unit that runs the collector; write nothing."
)
@click.pass_context
def command(
    ctx: click.Context, urls: tuple[str, ...], output: Path, *, force: bool, systemd: bool
) -> None:
    """Write a commented watchdeck.toml, probing URLs to recognise their kind.

    Without a URL it holds an example to fill in.
    """
    if systemd:
        if urls:
            raise click.UsageError("--systemd prints a unit for a configuration; it takes no URL.")
        click.echo(_unit(ctx.obj), nl=False)
        return
    if not force:
        _refuse_existing(output)
    _write(output, _rendered(tuple(dict.fromkeys(urls))))
    click.echo(f"Wrote {clean(str(output))}. `watchdeck check` tries all of it.")


def _rendered(urls: Sequence[str]) -> str:
    from watchdeck.config.generate.config_file import render

    found = list(zip(urls, asyncio.run(_look(urls)), strict=True)) if urls else []
    for url, one in found:
        click.echo(_said(url, one))
    return render(found)


async def _look(urls: Sequence[str]) -> list[DetectionResult]:
    """Look at all servers, some at a time; one that does not answer holds none of the others up."""
    from watchdeck.collector.scrape.discover import discover
    from watchdeck.config.reading.kinds import load_kinds
    from watchdeck.domain.settings.endpoint import Endpoint

    kinds, turn = load_kinds(), asyncio.Semaphore(AT_ONCE)

    async def look(url: str) -> DetectionResult:
        async with turn:
            return await discover(Endpoint("init", url), kinds)

    return await asyncio.gather(*map(look, urls))


def _said(url: str, found: DetectionResult) -> str:
    from watchdeck.config.generate.config_file import host

    kind = found.kind.title if found.kind else "no known kind of server"
    models = f", models {', '.join(found.models[:5])}" if found.models else ""
    more = f" and {len(found.models) - 5} more" if len(found.models) > 5 else ""
    detail = f" ({found.detail})" if found.detail else ""
    return f"{host(url)}: {kind}{models}{more}{detail}"


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise click.ClickException(
            f"{clean(str(path))} is there already. --force overwrites it, --output FILE writes"
            " another."
        )


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all, for its owner alone: addresses may hold passwords."""
    try:
        handle, made = tempfile.mkstemp(prefix=".watchdeck-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(made).replace(path)
        finally:
            Path(made).unlink(missing_ok=True)
    except OSError as error:
        raise click.ClickException(
            f"{clean(str(path))} cannot be written: {error.strerror}. --output FILE writes another."
        ) from error


def _unit(context: Context) -> str:
    from watchdeck.config.generate.systemd import UnitSpec, unit
    from watchdeck.config.load import load, store_path

    path = context.path()
    settings = load(path)
    user = operator().user
    if user == "root":
        if settings.store is None:
            raise click.ClickException(
                f"{clean(str(path))} names no store. A service needs one of its own: write"
                ' store = "/var/lib/watchdeck", or run this as the user who opens the console.'
            )
        user = "watchdeck"
    return unit(
        UnitSpec(
            program=(sys.executable, "-m", "watchdeck"),
            config=path.absolute(),
            store=store_path(settings, os.environ),
            user=user,
            store_by_default=settings.store is None,
        )
    )
