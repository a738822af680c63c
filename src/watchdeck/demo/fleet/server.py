"""The server process of the fleet: eight HTTP servers on loopback."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Mapping
from multiprocessing.connection import Connection
from random import Random

from msgspec import Struct

from watchdeck.demo.fleet.endpoints import ENDPOINTS, DemoEndpoint
from watchdeck.demo.fleet.metrics_pages import render_page
from watchdeck.demo.fleet.traffic import Counts, SimulatedServer, zero_counts
from watchdeck.demo.scenario import FaultKind, active_faults, slowness
from watchdeck.net.request import RequestHead
from watchdeck.net.server import HttpServer, Response

_MAX_BODY = 64 << 10
"""Bytes of a request's body, which is dropped."""


class InitialCounters(Struct, frozen=True):
    """The counts with which servers start, by endpoint, as of `moment` (s UTC).

    A server that is not listed starts with all counts at 0.
    """

    moment: float
    counts: Mapping[str, Counts[int]]


def serve(seed: int, initial: InitialCounters, parent: Connection) -> None:
    """Serve all endpoints until the parent process closes its end of the pipe.

    Sends the parent the port of each endpoint first.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent alone decides when it is over
    asyncio.run(_serve(seed, initial, parent))


async def _serve(seed: int, initial: InitialCounters, parent: Connection) -> None:
    started_at = time.time()
    ports = {}
    listeners = []
    for endpoint in ENDPOINTS:
        counts = initial.counts.get(endpoint.name) or zero_counts()
        random = Random(f"{seed} {endpoint.name}")
        simulated = SimulatedServer(endpoint.load, random, initial.moment, counts)
        server = _EndpointServer(endpoint, simulated, started_at)
        listener = HttpServer(_admit_all, server.respond, limit=_MAX_BODY)
        listeners.append(listener)
        ports[endpoint.name] = await listener.listen("127.0.0.1", 0)
    parent.send(ports)
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), closed.set)
    await closed.wait()
    os._exit(0)  # connections that hang on purpose would keep the loop


def _admit_all(_head: RequestHead) -> None:
    """Check nothing: the fleet is on loopback, and its pages are made up."""


class _EndpointServer(Struct):
    endpoint: DemoEndpoint
    server: SimulatedServer
    started_at: float

    async def respond(self, head: RequestHead, _body: bytes) -> Response:
        """Respond to a request, by the faults of this second of the scenario."""
        second = time.time() - self.started_at
        faults = active_faults(self.endpoint.name, second)
        if FaultKind.HANGS in faults:
            await _hang()
        self.server.advance(time.time(), slowness(self.endpoint.name, second))
        body = self._body(head.path, unloaded=FaultKind.UNLOADED in faults)
        return Response(404) if body is None else Response(200, body)

    def _body(self, path: str, *, unloaded: bool) -> str | None:
        if path == "/metrics":
            return render_page(self.endpoint.page(self.endpoint.name, self.server.counts))
        if path in self.endpoint.model_paths:
            return None if unloaded else self.endpoint.model_paths[path]
        return self.endpoint.paths.get(path)


def _hang() -> Awaitable[None]:
    """Wait for a day; a bare future would be garbage-collected, with a warning."""
    return asyncio.sleep(86_400)
