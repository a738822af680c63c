"""The simulated fleet: eight real HTTP servers on loopback, in one process."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from multiprocessing.connection import Connection
from random import Random

from msgspec import Struct

from watchdeck.demo.fleet.endpoints import CAST, DemoEndpoint
from watchdeck.demo.fleet.metrics_pages import text
from watchdeck.demo.fleet.scenario import FaultKind, slowness, troubles
from watchdeck.demo.fleet.traffic import Counts, SimulatedServer, nothing


class InitialCounters(Struct, frozen=True):
    """What the servers have counted at a moment (seconds UTC) before the demo; else nothing."""

    moment: float
    counts: Mapping[str, Counts[int]]


def serve(seed: int, opening: InitialCounters, parent: Connection) -> None:
    """Serve until the parent lets go of its end of the pipe, which first gets the ports."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent alone decides when it is over
    asyncio.run(_serve(seed, opening, parent))


async def _serve(seed: int, opening: InitialCounters, parent: Connection) -> None:
    began = time.time()
    ports = {}
    servers = []
    for part in CAST:
        counts = opening.counts.get(part.name) or nothing()
        random = Random(f"{seed} {part.name}")
        server = _Talker(part, SimulatedServer(part.load, random, opening.moment, counts), began)
        listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
        servers.append(listening)
        ports[part.name] = listening.sockets[0].getsockname()[1]
    parent.send(ports)
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), gone.set)
    await gone.wait()
    os._exit(0)  # connections that hang on purpose would keep the loop


class _Talker(Struct):
    part: DemoEndpoint
    server: SimulatedServer
    began: float

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection until the client leaves."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self._answer(head.split(b" ", 2)[1].decode("latin-1"), writer.write)
                await writer.drain()
        except (OSError, EOFError, IndexError, asyncio.LimitOverrunError):
            writer.close()

    async def _answer(self, path: str, write: Callable[[bytes], None]) -> None:
        second = time.time() - self.began
        wrong = troubles(self.part.name, second)
        if FaultKind.HANGS in wrong:
            await _for_ever()
        self.server.advance(time.time(), slowness(self.part.name, second))
        body = self._body(path, unloaded=FaultKind.UNLOADED in wrong)
        status = b"404 Not Found" if body is None else b"200 OK"
        data = (body or "").encode()
        length = str(len(data)).encode()
        write(b"HTTP/1.1 " + status + b"\r\nContent-Length: " + length + b"\r\n\r\n" + data)

    def _body(self, path: str, *, unloaded: bool) -> str | None:
        if path == "/metrics":
            return text(self.part.page(self.part.name, self.server.counts))
        if path in self.part.model_paths:
            return None if unloaded else self.part.model_paths[path]
        return self.part.paths.get(path)


def _for_ever() -> Awaitable[None]:
    """A wait that the loop knows of: one that nobody refers to is collected, with a complaint."""
    return asyncio.sleep(_A_DAY)


_A_DAY = 86_400
