"""`watchdeck status --follow`: a plain line for each change, for screen readers.

No colour, no cursor, nothing is ever overwritten: what was said stays said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from msgspec import Struct

from watchdeck.cli.options import iso
from watchdeck.domain.board.board import Board, Change, Model
from watchdeck.domain.board.health import Health
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreError

EVERY = 0.5
"""Seconds between two questions whether anything changed."""

AT_LEAST = 5_000
"""Milliseconds after which an unchanged store is read again: silence is news too."""


class BoardReader(Protocol):
    """A store to follow."""

    def changed(self) -> bool:
        """Whether anything was written since the last time it was asked."""
        ...

    def board(self, now: int, at: int | None = None) -> Board:
        """The live board of `now`."""
        ...


class FollowState(Struct):
    """What was said last: the board, or why there is none."""

    board: Board | None = None
    trouble: str = ""
    looked: int = 0


def new_lines(source: BoardReader, last: FollowState, now: int) -> Iterator[str]:
    """The lines that there are to say at `now` (ms UTC), mostly none."""
    try:
        if not source.changed() and now - last.looked < AT_LEAST:
            return
        last.looked = now
        board = source.board(now)
    except StoreError as error:
        last.looked = now
        if str(error) != last.trouble:
            last.trouble = str(error)
            yield f"{iso(now)} {clean(last.trouble)}"
        return
    if last.trouble:
        last.trouble = ""
        yield f"{iso(now)} the store is read again"
    before, last.board = last.board, board
    yield from (f"{iso(board.at)} {line}" for line in differences(before, board))


def differences(before: Board | None, after: Board) -> Iterator[str]:
    """What is otherwise than it was: collector, models worst first, change markers."""
    was = before.collector.state if before else None
    if was is not after.collector.state:
        yield f"collector: {_from(was)}{after.collector.state}"
    yield from _warnings(before, after)
    known = {model.facts.name: model for model in before.models} if before else {}
    for model in after.models:
        yield from _model(known.pop(model.facts.name, None), model)
    yield from (f"{clean(name)}: no longer watched" for name in known)
    told = {change.id for change in before.changes} if before else set()
    if before is not None:
        yield from (_change(change) for change in after.changes if change.id not in told)


def _warnings(before: Board | None, after: Board) -> Iterator[str]:
    for name in ("blind", "storing", "outside"):
        was = before and before.collector.heartbeat and getattr(before.collector.heartbeat, name)
        is_now = after.collector.heartbeat and getattr(after.collector.heartbeat, name)
        if (was or "") != (is_now or ""):
            yield f"collector: {name}: {clean(is_now) if is_now else 'no more'}"


def _model(before: Model | None, after: Model) -> Iterator[str]:
    if before is None or before.health is not after.health:
        was = _from(before.health if before else None)
        yield f"{clean(after.facts.name)}: {was}{after.health}, {clean(after.why)}"


def _from(was: Health | str | None) -> str:
    return "" if was is None else f"{was} -> "


def _change(change: Change) -> str:
    return f"{clean(change.endpoint)}: change: {change.what} {clean(change.text)}".rstrip()


def follow(
    source: BoardReader,
    clock: Callable[[], int],
    pause: Callable[[float], object],
    say: Callable[[str], object],
) -> None:
    """Say what changes until something ends it: an interrupt, or a reader that went away."""
    last = FollowState()
    while True:
        for line in new_lines(source, last, clock()):
            say(line)
        pause(EVERY)
