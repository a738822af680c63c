"""Child processes of the demo: each ends with the demo, however the demo ends."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from msgspec import Struct

from watchdeck.errors import WatchdeckError

_EXIT_TIMEOUT = 3
"""Seconds that a process has to end by itself."""

_STDERR = 2


class WorkerFailure(Struct, frozen=True):
    """The message of a child process that cannot do its work, with the reason."""

    why: str


@contextmanager
def child_process(name: str, target: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    """Run `target` in a process of its own until the block ends; yields one end of a pipe.

    `target` gets the arguments, and the other end of the pipe as the last one.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    arguments = (target, *arguments, theirs)
    child = spawn.Process(target=_run_silently, args=arguments, name=name, daemon=True)
    child.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        _end(child)


def _run_silently(target: Callable[..., None], *arguments: Any) -> None:
    """Run `target` without standard error: the console draws on that terminal."""
    if os.isatty(_STDERR):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, _STDERR)
        os.close(null)
    try:
        target(*arguments)
    except WatchdeckError as error:
        pipe: Connection = arguments[-1]
        with suppress(OSError):
            pipe.send(WorkerFailure(str(error)))


def _end(child: BaseProcess) -> None:
    child.terminate()
    child.join(_EXIT_TIMEOUT)
    if child.is_alive():
        child.kill()
        child.join()


def receive_first(pipe: Connection, who: str, timeout: float) -> Any:
    """The first message of the child process `who`.

    Raises WatchdeckError when the process fails, or sends nothing for `timeout` seconds.
    """
    message: Any = None
    with suppress(EOFError, OSError):
        message = pipe.recv() if pipe.poll(timeout) else None
    if isinstance(message, WorkerFailure):
        raise WatchdeckError(f"{who} of the demo did not start: {message.why}")
    if message is None:
        raise WatchdeckError(f"{who} of the demo did not start. Run `watchdeck demo` again.")
    return message
