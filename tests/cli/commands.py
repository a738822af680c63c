"""Commands run as a shell runs them, beside the servers that they talk to."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
from click.testing import CliRunner

from watchdeck.cli.options import Context
from watchdeck.errors import WatchdeckError


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def run(
    command: click.Command,
    *args: str | Path,
    config: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Ran:
    """Run a command; an error that it raises is told on stderr, as `main` does."""
    context = Context(None if config is None else str(config))
    ran = CliRunner().invoke(command, [os.fspath(arg) for arg in args], obj=context, env=env)
    if isinstance(ran.exception, WatchdeckError):
        return Ran(ran.exception.exit_code, ran.stdout, str(ran.exception))
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return Ran(ran.exit_code, ran.stdout, ran.stderr)


async def run_beside(command: click.Command, *args: str | Path, config: Path | None = None) -> Ran:
    """The same, while servers of this test answer."""
    return await asyncio.to_thread(run, command, *args, config=config)
