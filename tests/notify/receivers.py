"""Receivers on loopback that take what they are told in one way or another."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from servers.loopback import Asked, answer, listening


@dataclass(slots=True)
class Receiver:
    """What a receiver was told, and what it says next; the last answer stays."""

    port: int
    answers: list[bytes]
    asked: list[Asked] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def told(self) -> list[Any]:
        return [json.loads(one.body) for one in self.asked]

    def ids(self) -> list[str]:
        return [one.headers["idempotency-key"] for one in self.asked]


HANG = b"hang"
DIE = b"die"
OK = answer(status="202 Accepted")
BUSY = answer(status="503 Service Unavailable")


@asynccontextmanager
async def receiving(*answers: bytes) -> AsyncIterator[Receiver]:
    """One that gives these answers in their order, and then the last one for ever."""
    here: list[Receiver] = []

    async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
        receiver = here[0]
        receiver.asked.append(asked)
        receiver.came.set()
        said = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
        if said == HANG:
            await asyncio.Event().wait()
        if said == DIE:
            writer.close()
            return
        writer.write(said)

    async with listening(respond) as port:
        here.append(Receiver(port, list(answers) or [OK]))
        yield here[0]


async def longest_gap(work: Callable[[], Awaitable[object]]) -> float:
    """The longest time (s) for which the event loop did nothing else while `work` was done."""
    loop = asyncio.get_running_loop()
    worst, last, ended = 0.0, loop.time(), False

    def beat() -> None:
        nonlocal worst, last
        worst, last = max(worst, loop.time() - last - 0.005), loop.time()
        if not ended:
            loop.call_later(0.005, beat)

    loop.call_soon(beat)
    await work()
    ended = True
    return worst
