"""Blocking calls, each on a thread of its own, so that the event loop goes on."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

Result = TypeVar("Result")


async def to_thread(function: Callable[[], Result]) -> Result:
    """Run a function on a new daemon thread; returns its result, or raises its exception.

    Cancelling the caller does not stop the function. The threads of the event loop would not do:
    they are few, and a hanging name server or receiver would keep the process from ending.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(set_outcome: Callable[[Any], None], outcome: object) -> None:
        if not future.done():
            set_outcome(outcome)

    def run() -> None:
        try:
            settled: tuple[Callable[[Any], None], object] = (future.set_result, function())
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            settled = (future.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, *settled)

    threading.Thread(target=run, daemon=True, name="blocking-call").start()
    return await future
