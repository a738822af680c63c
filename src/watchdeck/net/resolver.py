"""DNS resolver; a name server that hangs delays no other look-up."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.host_address import is_ip_address, is_link_local_or_metadata
from watchdeck.net.failure import RequestError

MAX_LOOK_UPS = 32
"""Most look-ups at one time; others wait."""

LookUp = Callable[[str], list[str]]


def system_look_up(host: str) -> list[str]:
    """The addresses of a host in the system's order; blocks. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class Resolver:
    """Looks names up, each on a daemon thread.

    The event loop's pool has few threads: six names that hang would block all others, and a process
    cannot end before they return. Daemon threads end with the process.
    """

    def __init__(self, look_up: LookUp = system_look_up) -> None:
        self._look_up = look_up
        self._pending: dict[str, asyncio.Task[list[str]]] = {}
        self._slots = asyncio.Semaphore(MAX_LOOK_UPS)

    async def addresses(self, host: str) -> list[str]:
        """The allowed addresses of a host. Raises OSError, UnicodeError or RequestError.

        An IP address is always allowed: the owner configured it. A name must not resolve to a
        link-local address or a metadata service, whatever its name server answers.
        """
        if is_ip_address(host):
            return [host]
        addresses = await self._look_up_shared(host)
        allowed = [ip for ip in addresses if not is_link_local_or_metadata(ip)]
        if not allowed:
            raise RequestError(
                Outcome.UNREACHABLE, "the host name leads to a link-local or metadata address"
            )
        return allowed

    async def _look_up_shared(self, host: str) -> list[str]:
        task = self._pending.get(host)
        if task is None:
            task = self._pending[host] = asyncio.create_task(self._look_up_on_thread(host))
            task.add_done_callback(lambda done: self._finish(host, done))
        return await asyncio.shield(task)

    def _finish(self, host: str, task: asyncio.Task[list[str]]) -> None:
        del self._pending[host]
        if not task.cancelled():
            task.exception()  # marks it as seen: all who waited may have given up

    async def _look_up_on_thread(self, host: str) -> list[str]:
        async with self._slots:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[list[str]] = loop.create_future()
            work = partial(_run_look_up, self._look_up, host, loop, future)
            threading.Thread(target=work, daemon=True, name="resolve").start()
            return await future


def _run_look_up(
    look_up: LookUp, host: str, loop: asyncio.AbstractEventLoop, future: asyncio.Future[list[str]]
) -> None:
    try:
        found = look_up(host)
    except (OSError, UnicodeError) as error:
        _set_result(loop, future, error)
    else:
        _set_result(loop, future, found)


def _set_result(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[list[str]],
    result: list[str] | OSError | UnicodeError,
) -> None:
    def set_result() -> None:
        if future.done():
            return
        if isinstance(result, list):
            future.set_result(result)
        else:
            future.set_exception(result)

    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(set_result)
