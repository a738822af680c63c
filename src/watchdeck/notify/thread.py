"""Work that blocks, on a thread of its own, so that the event loop goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


async def to_thread(work: Callable[[], Result]) -> Result:
    """What `work` returns or raises; whoever is cancelled meanwhile leaves the thread to itself.

    The event loop's own threads are few, and the process waits for them when it ends: a name server
    or a receiver that hangs would hold it. These die with the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Result] = loop.create_future()

    def settle(done: Callable[[], None]) -> None:
        if not answer.done():
            done()

    def run() -> None:
        try:
            found = work()
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            tell = _failing(answer, error)
        else:
            tell = _succeeding(answer, found)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, tell)

    threading.Thread(target=run, daemon=True, name="aside").start()
    return await answer


def _failing(answer: asyncio.Future[Result], error: Exception) -> Callable[[], None]:
    return lambda: answer.set_exception(error)


def _succeeding(answer: asyncio.Future[Result], found: Result) -> Callable[[], None]:
    return lambda: answer.set_result(found)
