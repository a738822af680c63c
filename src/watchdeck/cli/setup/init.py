"""`watchdeck init`: write a configuration for probed servers, or print a systemd unit."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdeck.cli.options import Context, now, operator
from watchdeck.domain.values.text import clean

if TYPE_CHECKING:
    from watchdeck.collector.scrape.detection import DetectionResult

AT_ONCE = 20
"""Limit of servers that are probed at the same time."""


class UrlParam(click.ParamType[str]):
    """A URL argument; `host:port` alone means http."""

    name = "URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The URL with its scheme. Raises click.BadParameter."""
        from watchdeck.config.checks.fields import url_problem

        url = value if "://" in value else f"http://{value}"
        problem = url_problem(url)
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
        _check_absent(output)
    _write(output, _render_config(tuple(dict.fromkeys(urls))))
    click.echo(f"Wrote {clean(str(output))}. `watchdeck check` tries all of it.")


def _render_config(urls: Sequence[str]) -> str:
    from watchdeck.config.generate.config_file import render

    detections = asyncio.run(_detect_all(urls)) if urls else []
    for url, result, asked in detections:
        click.echo(_detection_text(url, result, asked))
    return render([(url, result) for url, result, _ in detections], now())


async def _detect_all(urls: Sequence[str]) -> list[tuple[str, DetectionResult, tuple[str, ...]]]:
    """Probe all servers, AT_ONCE of them at a time; one without a response delays no other.

    Returns each URL with the result and with what was asked.
    """
    from watchdeck.cli.setup.request_log import RequestLog
    from watchdeck.collector.scrape.detection import discover
    from watchdeck.config.reading.kinds import load_kinds
    from watchdeck.domain.settings.endpoint import Endpoint

    kinds, limit = load_kinds(), asyncio.Semaphore(AT_ONCE)

    async def detect(url: str) -> tuple[str, DetectionResult, tuple[str, ...]]:
        endpoint, log = Endpoint("init", url), RequestLog()
        async with limit:
            result = await discover(endpoint, kinds, log.client(endpoint))
        return url, result, log.texts(endpoint)

    return await asyncio.gather(*map(detect, urls))


def _detection_text(url: str, result: DetectionResult, asked: Sequence[str]) -> str:
    """What a server is, and below it what it was asked."""
    from watchdeck.config.generate.config_file import host, is_sure

    kind = result.kind.title if result.kind else "no known kind of server"
    if result.kind is not None and not is_sure(result.kind):
        kind = "a metrics page of no known kind of server; kind is not written"
    models = f", models {', '.join(result.models[:5])}" if result.models else ""
    more = f" and {len(result.models) - 5} more" if len(result.models) > 5 else ""
    detail = f" ({result.detail})" if result.detail else ""
    lines = [f"{host(url)}: {kind}{models}{more}{detail}"]
    if asked:
        lines.append(f"  asked: {', '.join(asked)}")
    return "\n".join(lines)


def _check_absent(path: Path) -> None:
    if os.path.lexists(path):
        raise click.ClickException(
            f"{clean(str(path))} is there already. --force overwrites it, --output FILE writes"
            " another."
        )


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all, readable only by its owner: URLs may hold passwords."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=".watchdeck-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)
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
