"""Commands that run a process until it ends: the console, the collector, the demo."""

from __future__ import annotations

import logging
import signal
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from watchdeck.cli.options import Context, now, operator, with_options
from watchdeck.errors import ConfigError, WatchdeckError
from watchdeck.logs import LEVELS, configure, fields

if TYPE_CHECKING:
    from watchdeck.demo.run import Demo
    from watchdeck.domain.board.board import Board

_log = logging.getLogger(__name__)

_READ_ONLY = "read-only: nothing is changed, and others on this store do not see this console"

_ONCE_TIMEOUT = 20.0
"""Maximum seconds that `demo --once` waits until every model has a health."""


@click.command()
@with_options
@click.pass_context
def console(ctx: click.Context, at: int | None, *, read_only: bool, slow_link: bool) -> None:
    """Open the console on the configured store; a collector is started if none runs."""
    from watchdeck.actions.actor import Actor
    from watchdeck.console.run import refuse_here, run
    from watchdeck.service.spawn import ensure_collector

    context: Context = ctx.obj
    directory = context.directory()
    refuse_here()  # else a collector would start for a console that cannot open
    notice = _READ_ONLY if read_only else ensure_collector(directory, context.path())
    view = context.settings().console
    view = replace(view, slow_link=True) if slow_link else view
    ctx.exit(
        run(
            directory,
            clock=now,
            actor=None if read_only else Actor(directory, operator(), context.routing()),
            view=view,
            at=at,
            notice=notice,
            config=context.path(),
        )
    )


@click.command()
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="info",
    show_default=True,
    envvar="WATCHDECK_LOG_LEVEL",
    help="The lowest level that is logged to stderr.",
)
@click.pass_context
def collect(ctx: click.Context, log_level: str) -> None:
    """Run the collector in the foreground, until SIGTERM or SIGINT; it logs to stderr.

    It also runs without endpoints, for an intake, Alertmanagers or channels.
    """
    configure(log_level)
    try:
        _collect(ctx.obj)
    except WatchdeckError as error:
        _log_refusal(error)
        ctx.exit(error.exit_code)
    except Exception:
        _log.critical("collector failed", exc_info=True)
        raise


def _collect(context: Context) -> None:
    from watchdeck.config.load import idle_problems
    from watchdeck.config.reading.problems import ConfigProblems
    from watchdeck.service import collector

    settings, directory = context.settings(), context.directory()
    loaded = fields(file=context.path(), endpoints=len(settings.endpoint), rules=len(settings.rule))
    _log.info("configuration loaded", extra=loaded)
    if problems := list(idle_problems(settings)):
        raise ConfigProblems(str(context.path()), problems)
    collector.collect(settings, directory, operator(), clock=now)


def _log_refusal(error: WatchdeckError) -> None:
    """Log why the collector ends: each problem of a configuration on a line of its own."""
    from watchdeck.config.reading.problems import MAX_LISTED, ConfigProblems

    if not isinstance(error, ConfigProblems):
        message = "configuration refused" if isinstance(error, ConfigError) else "collector failed"
        _log.error(message, extra=fields(problem=error))
        return
    for one in error.problems[:MAX_LISTED]:
        found = fields(file=one.file or error.file, key=one.key, problem=one.text, hint=one.hint)
        _log.error("configuration refused", extra=found)


@click.command()
@click.option("--once", is_flag=True, help="Print one board and exit.")
@click.option("--json", "as_json", is_flag=True, help="Print the board as JSON (with --once).")
@click.option("--dir", "place", type=click.Path(path_type=Path), help="Keep the store here.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other noise.")
@click.option("--serve-only", is_flag=True, help="Run fleet and collector without a console.")
def demo(place: Path | None, seed: int, *, once: bool, as_json: bool, serve_only: bool) -> None:
    """Show a simulated fleet of eight real HTTP servers on loopback, with live incidents.

    Needs nothing and leaves nothing, unless --dir keeps the store.
    """
    from watchdeck.demo.run import run_demo

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    with run_demo(place, seed, operator(), now) as running:
        if once:
            _print_board(running, as_json=as_json)
        elif serve_only:
            _serve(running)
        else:
            from watchdeck.actions.actor import Actor
            from watchdeck.config.routing import routing_of
            from watchdeck.console.run import run

            notice = "A simulated fleet: its story takes 5 minutes."
            actor = Actor(running.directory, operator(), routing_of(running.settings))
            run(running.directory, clock=now, actor=actor, notice=notice)


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001 - signal's signature
    """End the demo as ctrl+c does, which removes all that it created."""
    raise KeyboardInterrupt


def _print_board(running: Demo, *, as_json: bool) -> None:
    from watchdeck.cli.models import board_output

    board = _first_full_board(running)
    click.echo(board_output.as_json(board) if as_json else board_output.as_text(board))


def _first_full_board(running: Demo) -> Board:
    """The first board on which every model has a health, or the last one before the timeout."""
    from watchdeck.store.reader import Reader

    deadline, start = time.monotonic() + _ONCE_TIMEOUT, now()
    with closing(Reader(running.directory)) as reader:
        while not _is_full(board := reader.board(now()), start) and time.monotonic() < deadline:
            time.sleep(0.2)
    return board


def _is_full(board: Board, start: int) -> bool:
    """Whether every model has a health and a scrape since `start`, and all but one have a rate.

    The nightly model has no requests by day. Scrapes of an earlier demo in the same store do not
    count.
    """
    fresh = [model.latest for model in board.models if model.latest and model.latest.at >= start]
    rated = [latest for latest in fresh if "request_rate" in latest.signals]
    has_health = all(model.since is not None for model in board.models)
    return has_health and len(fresh) == len(board.models) and len(rated) >= len(fresh) - 1


def _serve(running: Demo) -> None:
    click.echo(f"the store is {running.directory.path}; ctrl+c ends the demo")
    for endpoint in running.settings.endpoint:
        click.echo(f"{endpoint.url}  {endpoint.name}")
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo("ended")
