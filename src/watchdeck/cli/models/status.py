"""`watchdeck status`: one board as text or JSON; with --follow, a plain line for each change.

The followed lines suit screen readers: no colour, no cursor, and nothing is ever overwritten.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Protocol

import click
from msgspec import Struct
from msgspec.structs import replace

from watchdeck.cli.options import (
    CodedCommand,
    Context,
    PastTimeParam,
    iso,
    now,
    read_named_filter,
)
from watchdeck.domain.board.board import Board, Change, Health, Model
from watchdeck.domain.board.filter import Filter
from watchdeck.domain.board.filter_fields import filter_models
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreError

POLL_INTERVAL = 0.5
"""Seconds between two checks for a change of the store."""

MAX_AGE = 5_000
"""Milliseconds after which an unchanged store is read again: data that stops is a change too."""


@click.command(cls=CodedCommand)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.option("--at", type=PastTimeParam(), help="The board of a moment in the past.")
@click.option(
    "--filter", "named", metavar="NAME", help="Only models of a saved filter, or of a filter."
)
@click.option("--follow", is_flag=True, help="Then print a plain line for each change.")
@click.pass_context
def command(
    ctx: click.Context, at: int | None, named: str | None, *, as_json: bool, follow: bool
) -> None:
    """Print one board as text or JSON; with --follow, a line for each change until interrupted.

    --filter takes a name of [console] filters, or a filter such as owner=risk; only the models that
    match, and their alerts, are printed and count for the exit code.

    The exit code is the worst model's: down or critical 2, else unknown 3, else warning 1, else 0;
    without a model 3. Any failure of the command itself is 3.
    """
    from watchdeck.cli.models import board_output
    from watchdeck.domain.board.filter import EVERYTHING, MODELS
    from watchdeck.store.reader import Reader

    context: Context = ctx.obj
    if follow and (as_json or at is not None or named is not None):
        raise click.UsageError(
            "--follow tells what changes from now on, of all models and in text: leave out --json,"
            " --at and --filter."
        )
    wanted = EVERYTHING if named is None else read_named_filter(context, named, MODELS)
    with closing(Reader(context.directory())) as reader:
        if follow:
            with suppress(KeyboardInterrupt):
                follow_board(reader, now, time.sleep, click.echo)
        everything = reader.board(now(), at)
    board = filter_board(everything, wanted)
    if not follow:
        total = len(everything.models)
        click.echo(board_output.as_json(board) if as_json else board_output.as_text(board, total))
    ctx.exit(board_output.exit_code(board))


def filter_board(board: Board, wanted: Filter) -> Board:
    """The board with the models that match a filter alone, and with their alerts."""
    models = filter_models(board.models, wanted)
    if len(models) == len(board.models):
        return board
    names = {model.facts.name for model in models}
    alerts = tuple(one for one in board.alerts if one.alert.model in names)
    return replace(board, models=models, alerts=alerts)


class BoardReader(Protocol):
    """The part of a store reader that `status --follow` needs."""

    def has_changed(self) -> bool:
        """Whether anything was written since the last call."""
        ...

    def board(self, now: int, at: int | None = None) -> Board:
        """The live board at `now` (ms UTC); with `at`, the board of that past time."""
        ...


class FollowState(Struct):
    """The last board and the last problem that were printed, and when the store was last read."""

    board: Board | None = None
    problem: str = ""
    read_at: int = 0


def follow_board(
    source: BoardReader,
    clock: Callable[[], int],
    pause: Callable[[float], object],
    write: Callable[[str], object],
) -> None:
    """Write a line for each change of the board; only an exception (KeyboardInterrupt) ends it."""
    state = FollowState()
    while True:
        for line in new_lines(source, state, clock()):
            write(line)
        pause(POLL_INTERVAL)


def new_lines(source: BoardReader, state: FollowState, now: int) -> Iterator[str]:
    """Yield the lines to print at `now` (ms UTC), none if nothing changed; updates `state`."""
    try:
        if not source.has_changed() and now - state.read_at < MAX_AGE:
            return
        state.read_at = now
        board = source.board(now)
    except StoreError as error:
        state.read_at = now
        if str(error) != state.problem:
            state.problem = str(error)
            yield f"{iso(now)} {clean(state.problem)}"
        return
    if state.problem:
        state.problem = ""
        yield f"{iso(now)} the store is read again"
    before, state.board = state.board, board
    yield from (f"{iso(board.at)} {line}" for line in differences(before, board))


def differences(before: Board | None, after: Board) -> Iterator[str]:
    """A line for each difference of two boards: collector, health of models, change markers."""
    old_state = before.collector.state if before else None
    if old_state is not after.collector.state:
        yield f"collector: {_arrow_from(old_state)}{after.collector.state}"
    yield from _collector_warnings(before, after)
    known = {model.facts.name: model for model in before.models} if before else {}
    for model in after.models:
        yield from _health_change(known.pop(model.facts.name, None), model)
    yield from (f"{clean(name)}: no longer watched" for name in known)
    if before is not None:
        known_changes = {change.id for change in before.changes}
        yield from (_change_line(one) for one in after.changes if one.id not in known_changes)


def _collector_warnings(before: Board | None, after: Board) -> Iterator[str]:
    old, new = before and before.collector.heartbeat, after.collector.heartbeat
    for name in ("blind", "storing", "outside"):
        warning = (new and getattr(new, name)) or ""
        if ((old and getattr(old, name)) or "") != warning:
            yield f"collector: {name}: {clean(warning) or 'no more'}"


def _health_change(before: Model | None, after: Model) -> Iterator[str]:
    if before is None or before.health is not after.health:
        arrow = _arrow_from(before.health if before else None)
        yield f"{clean(after.facts.name)}: {arrow}{after.health}, {clean(after.why)}"


def _arrow_from(old: Health | str | None) -> str:
    return "" if old is None else f"{old} -> "


def _change_line(change: Change) -> str:
    return f"{clean(change.endpoint)}: change: {change.what} {clean(change.text)}".rstrip()
