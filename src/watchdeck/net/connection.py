"""The door to one origin: what a reader needs of a connection, whoever carries it."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from watchdeck.net.address import Url

HEAD = 128 << 10
"""Bytes that the head of an answer may have, interim answers included."""

PIECES = 16_384
"""Parts that a body may come in: each costs its 20 µs whatever its size, and a hostile server
sends a megabyte in parts of one byte."""


class Request(Struct, frozen=True):
    """One HTTP request; the body of its answer may have `limit` bytes as sent.

    Headers hold secrets, and are left out where a question is printed.
    """

    address: Url
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    body: bytes = b""
    limit: int = 1 << 20

    def __repr__(self) -> str:
        return f"Request({self.method} {self.address}, limit={self.limit})"


class RawResponse(Struct, frozen=True):
    """One answer as it was sent, encoded if it was; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection(Protocol):
    """One kept connection to one origin; it asks one question at a time."""

    @property
    def certificate(self) -> bytes | None:
        """The DER of what the server showed last, also when it was refused."""
        ...

    @property
    def peer(self) -> str:
        """The address last connected to, or empty."""
        ...

    @property
    def kept(self) -> bool:
        """Whether the last question went over a connection that had carried others."""
        ...

    async def exchange(self, question: Request) -> RawResponse:
        """Ask and read the whole answer; raises Failed, and nothing else."""
        ...

    async def close(self) -> None:
        """Let go at once."""
        ...
