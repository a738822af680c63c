"""Host names to addresses, where a name server that hangs holds up nobody else."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.host_address import is_ip_address, is_link_local
from watchdeck.net.failure import RequestError

AT_ONCE = 32
"""Look-ups under way at one time; the rest wait in line."""

LookUp = Callable[[str], list[str]]


def system_look_up(host: str) -> list[str]:
    """The addresses of a host in the order the system prefers; blocks. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class Resolver:
    """Looks names up on threads of its own, one for each name under way.

    The event loop's pool has few threads: six names that hang would stop all others, and a process
    cannot end before they return. Threads of our own die with the process.
    """

    def __init__(self, look_up: LookUp = system_look_up) -> None:
        self._look_up = look_up
        self._under_way: dict[str, asyncio.Task[list[str]]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    async def addresses(self, host: str) -> list[str]:
        """The addresses that may be connected to. Raises OSError, UnicodeError or Failed.

        A host that is an address already is what the owner wrote down, and always allowed. A name
        must not lead to a link-local address or a metadata service, whatever its server answers.
        """
        if is_ip_address(host):
            return [host]
        allowed = [ip for ip in await self._shared(host) if not is_link_local(ip)]
        if not allowed:
            raise RequestError(
                Outcome.UNREACHABLE, "the host name leads to a link-local or metadata address"
            )
        return allowed

    async def _shared(self, host: str) -> list[str]:
        task = self._under_way.get(host)
        if task is None:
            task = self._under_way[host] = asyncio.create_task(self._on_a_thread(host))
            task.add_done_callback(lambda done: self._ended(host, done))
        return await asyncio.shield(task)

    def _ended(self, host: str, task: asyncio.Task[list[str]]) -> None:
        del self._under_way[host]
        if not task.cancelled():
            task.exception()  # marks it as seen: all who waited may have given up

    async def _on_a_thread(self, host: str) -> list[str]:
        async with self._places:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[list[str]] = loop.create_future()
            arguments = (self._look_up, host, loop, answer)
            threading.Thread(target=_work, args=arguments, daemon=True, name="resolve").start()
            return await answer


def _work(
    look_up: LookUp,
    host: str,
    loop: asyncio.AbstractEventLoop,
    answer: asyncio.Future[list[str]],
) -> None:
    try:
        found = look_up(host)
    except (OSError, UnicodeError) as error:
        _tell(loop, answer, error)
    else:
        _tell(loop, answer, found)


def _tell(
    loop: asyncio.AbstractEventLoop,
    answer: asyncio.Future[list[str]],
    said: list[str] | OSError | UnicodeError,
) -> None:
    def settle() -> None:
        if answer.done():
            return
        if isinstance(said, list):
            answer.set_result(said)
        else:
            answer.set_exception(said)

    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(settle)
