"""What it costs to poll, parse, derive and store a fleet of real HTTP endpoints on loopback.

`python tests/benchmarks/poll.py [ENDPOINTS] [EVERY_S] [SECONDS]` prints a table: processor time of
the collecting process alone, over http and https, without the store and with it. The pages have
equal labels, as replicas have; in the last row every endpoint has labels of its own.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers.certificates import Certificates
from watchdeck.collector.scrape.manager import ScrapeManager, raise_open_files_limit
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.domain.metrics.scrape import Outcome, Scrape
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import Endpoint, Keep
from watchdeck.domain.values.secret import Tls
from watchdeck.domain.values.units import Bytes, Milliseconds

HISTOGRAMS, BUCKETS, COUNTERS, GAUGES = 24, 22, 14, 10
"""24 x (22 + 2) + 14 + 10 = 600 lines."""

VERSIONS = 32
"""Different pages that are served in turn, each a little further than the one before."""

LOOPS = ("asyncio", "uvloop") if find_spec("uvloop") else ("asyncio",)
SETTLE = 4.0
"""Seconds after the first beat that are not counted."""

REACH = "http 11.7 % (once httpx: 17.3 %), https 1.3 times http, 150 MB"
"""For 1,000 endpoints of 600 lines every 10 s, the store included."""


def pages() -> list[bytes]:
    """Pages of 600 lines whose counters go up."""
    dice = random.Random(7)
    counts = [[0] * BUCKETS for _ in range(HISTOGRAMS)]
    totals = [0] * COUNTERS
    return [_page(dice, counts, totals) for _ in range(VERSIONS)]


def _page(dice: random.Random, counts: list[list[int]], totals: list[int]) -> bytes:
    lines: list[str] = []
    for number, buckets in enumerate(counts):
        hit = dice.randrange(BUCKETS)
        buckets[hit:] = [count + dice.randrange(1, 4) for count in buckets[hit:]]
        name, labels = (
            "bench:request_stage_seconds",
            f'engine="0",model_name="organisation/Model-8B-Instruct-{number:02d}",',
        )
        lines += [f"# TYPE {name} histogram"] if number == 0 else []
        edges = [f"{0.001 * 2**edge:g}" for edge in range(BUCKETS - 1)] + ["+Inf"]
        rising = sorted(buckets)
        lines += [
            f'{name}_bucket{{{labels}le="{edge}"}} {count}'
            for edge, count in zip(edges, rising, strict=True)
        ]
        lines += [f"{name}_sum{{{labels[:-1]}}} {rising[-1] * 0.0123:.6f}"]
        lines += [f"{name}_count{{{labels[:-1]}}} {rising[-1]}"]
    lines.append("# TYPE bench_requests_total counter")
    for number in range(COUNTERS):
        totals[number] += dice.randrange(100)
        lines.append(f'bench_requests_total{{engine="0",code="{200 + number}"}} {totals[number]}')
    lines.append("# TYPE bench_level gauge")
    lines += [f'bench_level{{n="{n}"}} {dice.random():.6f}' for n in range(GAUGES)]
    return ("\n".join(lines) + "\n").encode()


class Server(asyncio.Protocol):
    """Answers whatever is asked with the next page; as little Python as can be.

    Under /own/NUMBER/ the labels hold the number.
    """

    answers: tuple[bytes, ...] = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write: Callable[[bytes], None] = transport.write  # type: ignore[attr-defined]
        self._turn = 0

    def data_received(self, data: bytes) -> None:
        self._turn += 1
        answer = self.answers[self._turn % VERSIONS]
        if data.startswith(b"GET /own/"):
            answer = answer.replace(b"Model-8B", b"M-%06d" % int(data.split(b"/")[2]))
        self._write(answer)


def identity() -> tuple[ssl.SSLContext, str]:
    """What the secured server proves itself with, and the certificate of its authority."""
    with tempfile.TemporaryDirectory() as folder:
        certificates = Certificates(Path(folder))
        return certificates.good(), Path(certificates.ca).read_text()


async def serve() -> None:
    raise_open_files_limit(10_000)
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\r\n"
    )
    Server.answers = tuple(head.format(len(page)).encode() + page for page in pages())
    loop = asyncio.get_running_loop()
    context, authority = identity()
    plain = await loop.create_server(Server, "127.0.0.1", 0)
    secured = await loop.create_server(Server, "127.0.0.1", 0, ssl=context)
    ports = {
        "http": plain.sockets[0].getsockname()[1],
        "https": secured.sockets[0].getsockname()[1],
    }
    print(json.dumps({"ports": ports, "authority": authority}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


@dataclass(frozen=True, slots=True)
class Served:
    """The ports of the server by scheme, and the file of its certificate authority."""

    ports: dict[str, int]
    authority: str


@contextmanager
def serving() -> Iterator[Served]:
    """The server, in a process of its own."""
    with (
        subprocess.Popen(
            [sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as server,
        tempfile.NamedTemporaryFile("w", suffix=".pem") as authority,
    ):
        assert server.stdout is not None
        served = json.loads(server.stdout.readline())
        authority.write(served["authority"])
        authority.flush()
        yield Served(served["ports"], authority.name)
        server.communicate(b"")


def fleet(run: Run) -> list[Endpoint]:
    root = f"{run.scheme}://127.0.0.1:{run.port}{'/own' if run.own else ''}"
    mapped = {"requests": "bench_requests_total", "latency": "bench:request_stage_seconds"}
    return [
        Endpoint(
            name=f"model-{number}",
            url=f"{root}/{number}",
            metrics_url=f"{root}/{number}/metrics",
            kind="prometheus",
            every=Milliseconds(int(run.every * 1_000)),
            tls=Tls(ca=run.authority),
            keep=Keep.ALL,
            map=mapped,
        )
        for number in range(run.endpoints)
    ]


@asynccontextmanager
async def storing(
    endpoints: list[Endpoint], *, stored: bool
) -> AsyncIterator[Callable[[Scrape], None]]:
    """Where scrapes go: into a real store, or nowhere."""
    if not stored:
        yield lambda _scrape: None
        return
    from watchdeck.domain.settings.endpoint import public_facts
    from watchdeck.store.files.directory import StoreDirectory
    from watchdeck.store.metrics.writer import MetricsWriter
    from watchdeck.store.migrations import prepare

    with tempfile.TemporaryDirectory() as folder:
        directory = StoreDirectory(Path(folder) / "store")
        directory.create()
        prepare(directory)
        writer = MetricsWriter(directory, Retention(budget=Bytes(1 << 36)), clock=now)
        writer.start()
        writer.register([public_facts(endpoint) for endpoint in endpoints])
        yield writer.submit
        writer.close()


def now() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement; it travels as JSON to a process of its own."""

    port: int
    endpoints: int
    every: float
    seconds: float
    scheme: str
    authority: str
    loop: str
    stored: bool
    own: bool = False


async def measured(run: Run) -> list[float]:
    endpoints = fleet(run)
    bad: list[Scrape] = []
    async with storing(endpoints, stored=run.stored) as keep:

        def submit(scrape: Scrape) -> None:
            if scrape.outcome is not Outcome.OK:
                bad.append(scrape)
            keep(scrape)

        polling = ScrapeManager(endpoints, load_kinds(), submit, now)
        task = asyncio.create_task(polling.run())
        await asyncio.sleep(run.every * 1.5 + SETTLE)
        scrapes, used, began = polling.statistics().scrapes, time.process_time(), time.monotonic()
        await asyncio.sleep(run.seconds)
        used, took = time.process_time() - used, time.monotonic() - began
        done = polling.statistics().scrapes - scrapes
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    return [done / took, used / took * 100, used / done * 1e6, peak, len(bad)]


def child(run: Run) -> list[float]:
    """One measurement; on uvloop where it is installed."""
    if run.loop == "uvloop":
        import uvloop

        found: list[float] = uvloop.run(measured(run))
        return found
    return asyncio.run(measured(run))


def row(run: Run) -> str:
    """Measure in a process of its own, and say what came out."""
    done = subprocess.run(
        [sys.executable, __file__, "child", json.dumps(asdict(run))],
        stdout=subprocess.PIPE,
        check=True,
    )
    rate, core, each, peak, bad = json.loads(done.stdout)
    failed = f"  {bad:.0f} failed" if bad else ""
    stored = "store" if run.stored else "-"
    labels = "own" if run.own else "equal"
    return (
        f"{run.scheme:7}{run.loop:9}{stored:7}{labels:7}{rate:9.0f}{core:7.1f} %"
        f"{each:6.0f} µs{peak:6.0f} MB{failed}"
    )


def report(endpoints: int, every: float, seconds: float) -> None:
    size = sum(map(len, pages())) / VERSIONS / 1_000
    print(f"{endpoints} endpoints x 600 lines ({size:.0f} kB) every {every:g} s, for {seconds:g} s")
    print(
        f"{'over':7}{'loop':9}{'store':7}{'labels':7}{'scrapes/s':>9}"
        f"{'core':>9}{'each':>9}{'RSS':>9}"
    )
    with serving() as served:
        for scheme, loop, stored in product(("http", "https"), LOOPS, (False, True)):
            port = served.ports[scheme]
            run = Run(port, endpoints, every, seconds, scheme, served.authority, loop, stored)
            print(row(run), flush=True)
        print(row(replace(run, port=served.ports["http"], scheme="http", loop=LOOPS[0], own=True)))
    print(f"to reach for 1,000 endpoints every 10 s, stored: {REACH}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve())
    elif sys.argv[1:2] == ["child"]:
        print(json.dumps(child(Run(**json.loads(sys.argv[2])))))
    else:
        given = [float(text) for text in sys.argv[1:]]
        endpoints, every, seconds = [*given, *(1_000.0, 10.0, 30.0)[len(given) :]]
        report(int(endpoints), every, seconds)
