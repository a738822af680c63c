"""The protocol of a connection to one origin, and its requests and responses."""

from typing import Protocol

from msgspec import Struct

from watchdeck.net.address import Url

MAX_HEAD = 128 << 10
"""Bytes of the head of a response, interim responses included."""

MAX_PIECES = 16_384
"""Parts of a body: each costs 20 µs whatever its size, and a hostile server sends a megabyte in
parts of one byte."""


class Request(Struct, frozen=True):
    """One HTTP request; the body of its response may have `limit` bytes as sent.

    Headers hold secrets, so `repr` leaves them out.
    """

    address: Url
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    body: bytes = b""
    limit: int = 1 << 20

    def __repr__(self) -> str:
        return f"Request({self.method} {self.address}, limit={self.limit})"


class RawResponse(Struct, frozen=True):
    """One response with its body as sent, maybe compressed; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection(Protocol):
    """One persistent connection to one origin; it sends one request at a time."""

    @property
    def certificate(self) -> bytes | None:
        """The server's latest certificate (DER), also when it was refused."""
        ...

    @property
    def peer(self) -> str:
        """The IP address of the latest connection, or empty."""
        ...

    @property
    def reused(self) -> bool:
        """Whether the latest request used a connection that had carried others."""
        ...

    async def exchange(self, request: Request) -> RawResponse:
        """Send a request and read the whole response. Raises RequestError, and nothing else."""
        ...

    async def close(self) -> None:
        """Close at once."""
        ...
