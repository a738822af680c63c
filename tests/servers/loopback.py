"""A small HTTP server on loopback: what it says to each request is the caller's."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

TLS_HELLO = b"\x16"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Respond = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


@contextlib.asynccontextmanager
async def listening(respond: Respond, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on a free port of loopback, which is given, until the block ends."""
    talking: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            await _talk(reader, writer, respond)
        except (OSError, ValueError, EOFError, asyncio.CancelledError):
            pass  # who cuts a line that misbehaves has done right
        finally:
            talking.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, respond: Respond
) -> None:
    while not writer.is_closing():
        begin = await reader.readexactly(1)
        if begin == TLS_HELLO:
            writer.write(answer(b"speak plainly", status="400 Bad Request"))
            return
        await respond(await _request(begin, reader), writer)


async def _request(begin: bytes, reader: asyncio.StreamReader) -> Asked:
    rest = await reader.readuntil(b"\r\n\r\n")
    head = (begin + rest).decode("latin-1").splitlines()
    method, target, _ = head[0].split(" ")
    pairs = (line.partition(": ") for line in head[1:] if line)
    headers = {name.lower(): value for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, target, headers, body)
