"""An intake on a free port of loopback, and those who send to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from store.stores import NOW, state_only
from watchdeck.collector.intake.handler import IntakeAuth, IntakeHandler
from watchdeck.config.reading.secrets import SecretError
from watchdeck.domain.external.change_report import ChangeReport
from watchdeck.domain.external.event import ExternalEvent
from watchdeck.domain.external.source import ExternalSource, SourceProtocol
from watchdeck.net.server import HttpServer
from watchdeck.store.alerts.external import pending_events, read_sources, register_sources
from watchdeck.store.files.connection import Connection, open_readonly, open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.worker import StoreWorker

TOKEN = "canary-token-41c7"
LIMIT = 64 << 10


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer: its status, its words, and whether the server closed after it."""

    status: int
    words: str
    closed: bool


@dataclass
class Place:
    """An intake that serves."""

    port: int
    store: StoreDirectory
    more: list[str] = field(default_factory=list)
    token: str | None = TOKEN

    def reveal(self) -> str:
        if self.token is None:
            raise SecretError("the file is gone")
        return self.token

    def events(self) -> tuple[ExternalEvent, ...]:
        with closing(open_readonly(self.store.state)) as db:
            return pending_events(db)

    def source(self, name: str) -> ExternalSource:
        with closing(open_readonly(self.store.state)) as db:
            return next(one for one in read_sources(db) if one.name == name)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, data: bytes) -> Heard:
        """Send bytes as they are, and read what comes back until the server is done."""
        reader, writer = await self.connect()
        try:
            writer.write(data)
            return await answer(reader)
        finally:
            writer.close()

    async def post(self, path: str, body: bytes, *headers: str, token: str = TOKEN) -> Heard:
        return await self.send(request(path, body, *headers, token=token))


def request(path: str, body: bytes, *headers: str, token: str = TOKEN) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: watchdeck",
        f"Authorization: Bearer {token}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def answer(reader: asyncio.StreamReader) -> Heard:
    async with asyncio.timeout(20):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(fields["content-length"]))
    return Heard(int(head[0].split()[1]), body.decode().strip(), fields["connection"] == "close")


@asynccontextmanager
async def serving(
    path: Path, *, patience: float = 10.0, names: dict[str, str] | None = None
) -> AsyncIterator[Place]:
    store = state_only(path / "store")
    with closing(open_writable(store.state)) as db:
        register_sources(db, (ExternalSource("alertmanager", SourceProtocol.WEBHOOK),), NOW)
    place = Place(0, store)

    def more(source: str) -> bool:
        place.more.append(source)
        return bool(names)

    desk = StoreWorker(store)
    callers = IntakeAuth(place.reveal, names or {}, "alertmanager")
    intake = IntakeHandler(callers, desk, lambda: NOW, more, no_change)
    server = HttpServer(
        intake.admit,
        intake.handle,
        limit=LIMIT,
        timeout=patience,
        log_rejection=intake.log_rejection,
    )
    place.port = await server.listen("127.0.0.1", 0)
    try:
        yield place
    finally:
        await server.close()
        await desk.close()


def no_change(_db: Connection, report: ChangeReport, _now: int) -> tuple[int, bool]:
    raise AssertionError(report)


def json_of(value: object) -> bytes:
    return json.dumps(value).encode()
