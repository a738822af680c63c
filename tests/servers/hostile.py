"""A real HTTP server on loopback that misbehaves in one way a path.

`python hostile.py` serves until its standard input closes, and prints its port first.
"""

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache

from servers.loopback import Asked, answer, listening

PAGE = (
    b"# TYPE requests_total counter\n"
    b'requests_total{model="iris"} 7\n'
    b"# TYPE in_flight gauge\n"
    b"in_flight 1\n"
)
MIB = 1 << 20
HUGE = 300
"""MiB of the bodies that are too large."""


@dataclass(slots=True)
class Hostile:
    """The server, and what it was asked so far."""

    port: int
    scheme: str = "http"
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def times(self, path: str) -> int:
        return sum(asked.target == path for asked in self.asked)


@dataclass(frozen=True, slots=True)
class Turn:
    """One request, and the way to answer it or not."""

    asked: Asked
    server: Hostile
    writer: asyncio.StreamWriter


Talk = Callable[[Turn], Awaitable[None]]


def fixed(sent: bytes) -> Talk:
    async def talk(turn: Turn) -> None:
        turn.writer.write(sent)

    return talk


def cut(sent: bytes) -> Talk:
    """Send so much, and close."""

    async def talk(turn: Turn) -> None:
        turn.writer.write(sent)
        await turn.writer.drain()
        turn.writer.close()

    return talk


def redirect(to: str, status: str = "302 Found") -> Talk:
    async def talk(turn: Turn) -> None:
        own = turn.server.scheme
        place = to.format(
            scheme=own,
            other_scheme="http" if own == "https" else "https",
            port=turn.server.port,
            other=turn.server.port + 1,
        )
        turn.writer.write(answer(b"", f"Location: {place}", status=status))

    return talk


def drip(head: bytes, byte: bytes) -> Talk:
    """Send the head at once, then one byte each half second, for ever."""

    async def talk(turn: Turn) -> None:
        turn.writer.write(head)
        while True:
            turn.writer.write(byte)
            await turn.writer.drain()
            await asyncio.sleep(0.5)

    return talk


def flood(head: bytes, piece: bytes, times: int) -> Talk:
    async def talk(turn: Turn) -> None:
        turn.writer.write(head)
        for _ in range(times):
            turn.writer.write(piece)
            await turn.writer.drain()
        turn.writer.close()

    return talk


async def hang(turn: Turn) -> None:
    assert turn.asked.method
    await asyncio.Event().wait()


async def reset(turn: Turn) -> None:
    """End with RST instead of FIN."""
    sock: socket.socket = turn.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    turn.writer.transport.abort()


async def reset_in_the_body(turn: Turn) -> None:
    turn.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    await turn.writer.drain()
    await reset(turn)


async def login(turn: Turn) -> None:
    """401 until the right token comes."""
    good = turn.asked.headers.get("authorization") == "Bearer renewed"
    turn.writer.write(answer(PAGE) if good else answer(b"who?", status="401 Unauthorized"))


async def once_then_reset(turn: Turn) -> None:
    """Answer the first, third, ... request and reset the others: kept connections that died."""
    if turn.server.times(turn.asked.target) % 2:
        turn.writer.write(answer(PAGE))
    else:
        await reset(turn)


async def echo(turn: Turn) -> None:
    turn.writer.write(answer(turn.asked.body, "Content-Type: application/json"))


@cache
def bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    parts = [packer.compress(bytes(MIB)) for _ in range(mebibytes)]
    return b"".join((*parts, packer.flush()))


def bombs(encoding: str, layers: int) -> Talk:
    async def talk(turn: Turn) -> None:
        body = bomb(HUGE)
        for _ in range(layers - 1):
            body = gzip.compress(body)
        turn.writer.write(answer(body, f"Content-Encoding: {encoding}"))

    return talk


ESCAPES = (
    "\x1b]52;c;ZXZpbA==\x07 \x1b]0;owned\x07 \x1b[2J \x9b31m [red]markup[/red] [/nope]"
    " [@click=app.quit]x[/] \u202egnp \u200b"
)
TRAPS = (
    f'# HELP trap {ESCAPES}\n# TYPE trap gauge\ntrap{{text="{ESCAPES}"}} 1\n'.encode()
    + b'trap{text="plain"} 2\n'
)
NUMBERS = b"a NaN\nb +Inf\nc -Inf\nd 1e999\ne 1_0\nf 0x10\ng 12345678901234567890123\n"
JSON = b'{"a": [1, NaN, 1e999], "b": {"c": "x"}}'
HTML = b"<!doctype html><html><body>It works!</body></html>"
_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_TRAILER = b"\r\n0\r\nX-Trailer: 1\r\n\r\n"
_IN_CHUNKS = b"40;x=1\r\n" + PAGE[:64] + b"\r\n20\r\n" + PAGE[64:] + _TRAILER
_BIG_HEADER = b"X-Filler: " + b"a" * 1_000 + b"\r\n"
_GZIPPED = gzip.compress(PAGE)

TALKS: dict[str, Talk] = {
    "/metrics": fixed(answer(PAGE, "Content-Type: text/plain; version=0.0.4")),
    "/chunked": fixed(_CHUNKED + _IN_CHUNKS),
    "/extra": fixed(answer(PAGE) + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"),
    "/http10": cut(b"HTTP/1.0 200 OK\r\n\r\n" + PAGE),
    "/early": fixed(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(PAGE)),
    "/bare": fixed(answer(PAGE).replace(b"\r\n", b"\n")),
    "/health": fixed(answer(b"ok")),
    "/cookies": fixed(answer(b"ok", "Set-Cookie: a=b", "Set-Cookie: c=d")),
    "/empty": fixed(answer()),
    "/echo": echo,
    "/login": login,
    "/once-then-reset": once_then_reset,
    "/hang": hang,
    "/drip-head": drip(_OK + b"X-Slow: ", b"a"),
    "/drip-body": drip(_OK + b"Content-Length: 1000\r\n\r\n", b"a"),
    "/huge": flood(_OK + b"\r\n", bytes(MIB), HUGE),
    "/huge-declared": flood(_OK + b"Content-Length: 314572800\r\n\r\n", bytes(MIB), HUGE),
    "/huge-chunked": flood(_CHUNKED, b"100000\r\n" + bytes(MIB) + b"\r\n", HUGE),
    "/crumbs": flood(_CHUNKED, b"1\r\na\r\n" * 4096, 1_000),
    "/interim": flood(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1024, 1_000),
    "/headers": flood(_OK, _BIG_HEADER, 3_000),
    "/gzip": fixed(answer(_GZIPPED, "Content-Encoding: gzip")),
    "/deflate": fixed(answer(zlib.compress(PAGE), "Content-Encoding: deflate")),
    "/headless-deflate": fixed(answer(zlib.compress(PAGE)[2:-4], "Content-Encoding: deflate")),
    "/bomb": bombs("gzip", 1),
    "/stacked": bombs("gzip, gzip", 2),
    "/stacked-hidden": bombs("gzip\r\nContent-Encoding: gzip", 2),
    "/brotli": fixed(answer(b"\x0b", "Content-Encoding: br")),
    "/bad-gzip": fixed(answer(b"not gzip at all", "Content-Encoding: gzip")),
    "/short-gzip": fixed(answer(_GZIPPED[:-12], "Content-Encoding: gzip")),
    "/two-gzips": fixed(answer(_GZIPPED * 2, "Content-Encoding: gzip")),
    "/loop": redirect("/loop"),
    "/slash": redirect("/metrics", "307 Temporary Redirect"),
    "/to-host": redirect("{scheme}://user:pass@evil.example:{port}/metrics"),
    "/to-address": redirect("{scheme}://169.254.169.254/latest/meta-data"),
    "/to-port": redirect("{scheme}://127.0.0.1:{other}/metrics"),
    "/to-scheme": redirect("{other_scheme}://127.0.0.1:{port}/metrics"),
    "/to-file": redirect("file:///etc/passwd"),
    "/to-nowhere": redirect("http://[::1"),
    "/to-escapes": redirect("http://\x1b]0;owned\x07.example/"),
    "/reset": reset,
    "/reset-in-body": reset_in_the_body,
    "/closed": cut(b""),
    "/short": cut(_OK + b"Content-Length: 100\r\n\r\nabc"),
    "/bad-chunk": cut(_CHUNKED + b"ZZ\r\nabc"),
    "/two-lengths": cut(_OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "/garbage": cut(b"\x00\xff\xfe\x1b]0;owned\x07" * 40 + b"\r\n\r\n"),
    "/http09": cut(PAGE),
    "/503": fixed(answer(b"down for repair", status="503 Service Unavailable")),
    "/299": fixed(answer(PAGE, status="299 \x1b]0;owned\x07")),
    "/html": fixed(answer(HTML, "Content-Type: text/html")),
    "/json": fixed(answer(JSON, "Content-Type: application/json")),
    "/utf8": fixed(answer(b'broken{text="\xff\xfe\xc3("} 1\nfine 2\n')),
    "/numbers": fixed(answer(NUMBERS)),
    "/duplicates": fixed(answer(b"twice 1\ntwice 2\nonce 3\n")),
    "/escapes": fixed(answer(TRAPS, "X-Note: \x1b]0;owned\x07")),
    "/many": fixed(answer(b"".join(b"m%d 1\n" % n for n in range(9_000)))),
}


@contextlib.asynccontextmanager
async def hostile(context: ssl.SSLContext | None = None) -> AsyncIterator[Hostile]:
    """Serve on a free port of loopback until the block ends."""
    served = Hostile(0, "https" if context else "http")

    async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
        served.asked.append(asked)
        talk = TALKS.get(asked.target, fixed(answer(b"no such page", status="404 Not Found")))
        await talk(Turn(asked, served, writer))

    async with listening(respond, context) as served.port:
        yield served


async def main() -> None:
    async with hostile() as server:
        print(server.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
