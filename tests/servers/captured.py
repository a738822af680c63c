"""Real servers' captured answers, replayed on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from servers.loopback import Asked, answer, listening

PAGES = Path(__file__).parents[1] / "pages"
_LEFT_OUT = ("content-length", "transfer-encoding", "connection", "date")


@dataclass(slots=True)
class Replayed:
    """One captured port; `phase` is before, after or unloaded, and may be changed at any time."""

    folder: Path
    of_port: int
    phase: str
    port: int = 0
    asked: list[str] = field(default_factory=list)

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def answer(self, path: str) -> bytes:
        stem = f"{self.of_port}{path.replace('/', '_')}"
        for phase in (self.phase, "after"):
            head = self.folder / f"{phase}-{stem}.headers"
            if head.exists():
                return self._sent(head.read_text(), head.with_suffix(".body").read_bytes())
        return answer(b'{"detail":"Not Found"}', status="404 Not Found")

    def _sent(self, head: str, body: bytes) -> bytes:
        """As it was sent, with this port in place of the captured one."""
        first, *lines = head.replace(f":{self.of_port}/", f":{self.port}/").splitlines()
        kept = [line for line in lines if line and not line.lower().startswith(_LEFT_OUT)]
        return answer(body, *kept, status=first.partition(" ")[2])


@contextlib.asynccontextmanager
async def captured(folder: str, of_port: int, phase: str = "after") -> AsyncIterator[Replayed]:
    """Serve what one port of a captured server sent, on a free port of loopback."""
    served = Replayed(PAGES / folder, of_port, phase)

    async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
        served.asked.append(asked.target)
        writer.write(served.answer(asked.target))

    async with listening(respond) as served.port:
        yield served


@dataclass(slots=True)
class Said:
    """A server that says one thing, whatever it is asked."""

    body: bytes
    port: int = 0
    asked: list[str] = field(default_factory=list)

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextlib.asynccontextmanager
async def saying(body: bytes, status: str = "200 OK") -> AsyncIterator[Said]:
    """Serve one body under every path, with one status; the body may be changed at any time."""
    served = Said(body)

    async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
        served.asked.append(asked.target)
        writer.write(answer(served.body, status=status))

    async with listening(respond) as served.port:
        yield served
