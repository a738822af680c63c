"""Processes of the demo: each ends with the demo, whatever happens."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from msgspec import Struct

from watchdeck.errors import WatchdeckError

_PATIENCE = 3
"""Seconds that a process has to end by itself."""


@contextmanager
def process(name: str, target: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    """Run `target` with the arguments and a pipe; the other end of the pipe is given here."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    child = spawn.Process(
        target=_quietly, args=(target, *arguments, theirs), name=name, daemon=True
    )
    child.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        _end(child)


def _quietly(target: Callable[..., None], *arguments: Any) -> None:
    """Run with nothing to say on the terminal: that is the console's own, and drawn on."""
    if os.isatty(_STDERR):
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, _STDERR)
        os.close(silence)
    try:
        target(*arguments)
    except WatchdeckError as error:
        pipe: Connection = arguments[-1]
        with suppress(OSError):
            pipe.send(WorkerFailed(str(error)))


class WorkerFailed(Struct, frozen=True):
    """What a process says that could not do its part."""

    why: str


_STDERR = 2


def _end(child: BaseProcess) -> None:
    child.terminate()
    child.join(_PATIENCE)
    if child.is_alive():
        child.kill()
        child.join()


def first_message(pipe: Connection, who: str, within: float) -> Any:
    """What a process says first. Raises WatchdeckError when it does not, for so many seconds."""
    said: Any = None
    with suppress(EOFError, OSError):
        said = pipe.recv() if pipe.poll(within) else None
    if isinstance(said, WorkerFailed):
        raise WatchdeckError(f"{who} of the demo did not start: {said.why}")
    if said is None:
        raise WatchdeckError(f"{who} of the demo did not start. Run `watchdeck demo` again.")
    return said
