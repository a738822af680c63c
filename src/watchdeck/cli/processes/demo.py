"""`watchdeck demo`: a simulated fleet of real HTTP servers, watched for real."""

from __future__ import annotations

import signal
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdeck.cli.options import now, operator

if TYPE_CHECKING:
    from watchdeck.demo.run import Demo
    from watchdeck.domain.board.board import Board

_PATIENCE = 20.0
"""Seconds that `--once` waits until every model was judged."""


@click.command()
@click.option("--once", is_flag=True, help="Print one board and exit.")
@click.option("--json", "as_json", is_flag=True, help="Print the board as JSON (with --once).")
@click.option("--dir", "place", type=click.Path(path_type=Path), help="Keep the store here.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other noise.")
@click.option("--serve-only", is_flag=True, help="Run fleet and collector without a console.")
def command(place: Path | None, seed: int, *, once: bool, as_json: bool, serve_only: bool) -> None:
    """Show a simulated fleet of eight real HTTP servers on loopback, and its live story.

    Needs nothing and leaves nothing, unless --dir keeps the store.
    """
    from watchdeck.demo.run import run_demo

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    with run_demo(place, seed, operator(), now) as made:
        if once:
            _print(made, as_json=as_json)
        elif serve_only:
            _serve(made)
        else:
            from watchdeck.config.routing import routing_of
            from watchdeck.console.run import run
            from watchdeck.console.state.alert_verbs import Operations

            notice = "A simulated fleet: its story takes 5 minutes."
            hands = Operations(made.directory, operator(), routing_of(made.settings))
            run(made.directory, clock=now, hands=hands, notice=notice)


def _leave(number: int, frame: object) -> None:  # noqa: ARG001 - signal's signature
    """End as a person would end it, so that nothing is left behind."""
    raise KeyboardInterrupt


def _print(made: Demo, *, as_json: bool) -> None:
    from watchdeck.cli.models import board_output as words

    board = _judged(made)
    click.echo(words.as_json(board) if as_json else words.as_text(board))


def _judged(made: Demo) -> Board:
    """The first board on which every model was judged, or the last one that patience sees."""
    from watchdeck.store.reader import Reader

    until, began = time.monotonic() + _PATIENCE, now()
    with closing(Reader(made.directory)) as reader:
        while not _all_judged(board := reader.board(now()), began) and time.monotonic() < until:
            time.sleep(0.2)
    return board


def _all_judged(board: Board, began: int) -> bool:
    """Whether every model was judged anew, and all but the one without requests have a rate.

    The board of a store that was kept from an earlier demo is not waited for, but what follows.
    """
    fresh = [model.latest for model in board.models if model.latest and model.latest.at >= began]
    rated = [latest for latest in fresh if "request_rate" in latest.signals]
    judged = all(model.since is not None for model in board.models)
    return judged and len(fresh) == len(board.models) and len(rated) >= len(fresh) - 1


def _serve(made: Demo) -> None:
    click.echo(f"the store is {made.directory.path}; ctrl+c ends the demo")
    for endpoint in made.settings.endpoint:
        click.echo(f"{endpoint.url}  {endpoint.name}")
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo("ended")
