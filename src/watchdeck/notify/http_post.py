"""HTTP requests to receivers: limited in time and size, certificates verified, no redirects."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import TYPE_CHECKING

from msgspec import Struct, field

from watchdeck import __version__
from watchdeck.domain.values.secret import Tls
from watchdeck.errors import WatchdeckError
from watchdeck.net.address import parse_url
from watchdeck.net.failure import RequestError
from watchdeck.net.resolver import LookUp, Resolver, system_look_up
from watchdeck.net.tls import context
from watchdeck.notify.result import HOLD_STATUSES, LONGEST_WAIT, ReceiverResponse
from watchdeck.notify.thread import to_thread

if TYPE_CHECKING:
    import httpx

_MAX_BODY = 64 << 10
"""Bytes of a response that are read."""

_LONGEST_RETRY_AFTER = 60
"""Characters of a Retry-After header that are read."""


class ReceiverUnreachable(WatchdeckError):
    """A receiver that did not respond; the text never holds its address."""


class ReceiverRequest(Struct, frozen=True):
    """One request to a receiver; its address and its headers may hold secrets."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


class HttpSender:
    """Sends requests to receivers, each on a new connection and within one total `timeout` (s)."""

    def __init__(
        self, timeout: float, ca: str | None = None, look_up: LookUp = system_look_up
    ) -> None:
        self._timeout = timeout
        self._tls = Tls(ca=ca)
        self._resolver = Resolver(look_up)

    async def send(self, request: ReceiverRequest) -> ReceiverResponse:
        """Send one request, and return the response. Raises ReceiverUnreachable."""
        httpx = await to_thread(_load_httpx)
        try:
            parse_url(request.url)
            await to_thread(lambda: context(self._tls))
            return await self._send(request)
        except RequestError as error:
            failure = error.failure.detail
        except httpx.TransportError as error:
            failure = str(error)  # the text is our transport's, which repeats no address
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            failure = "the request cannot be sent"
        # outside the handler: an error of a library may hold an address with its key
        raise ReceiverUnreachable(failure)

    async def _send(self, request: ReceiverRequest) -> ReceiverResponse:
        import httpx

        from watchdeck.net.transport import Transport

        headers = {
            "user-agent": f"watchdeck/{__version__}",
            "accept-encoding": "identity",
            **request.headers,
        }
        transport = Transport(self._resolver, self._tls, timeout=self._timeout, limit=_MAX_BODY)
        async with (
            httpx.AsyncClient(transport=transport, trust_env=False) as client,
            client.stream(
                request.method, request.url, headers=headers, content=request.content or None
            ) as response,
        ):
            status, asked = response.status_code, response.headers.get("retry-after", "")
            wait = read_retry_after(status, asked, time.time())
            return ReceiverResponse(status, wait, await _body(response))


def _load_httpx() -> ModuleType:
    """The module httpx; its first import takes 0.1 s: call this on another thread."""
    import httpx

    import watchdeck.net.transport  # noqa: F401 - its import is part of the 0.1 s

    return httpx


async def _body(response: httpx.Response) -> bytes:
    """The beginning of a response body; empty when it cannot be decompressed."""
    import httpx

    try:
        return await response.aread()
    except httpx.DecodingError:
        return b""


def read_retry_after(status: int, text: str, now: float) -> int | None:
    """The wait (ms) that a response asks for, at most LONGEST_WAIT; None when it asks for none.

    Retry-After is read only of the statuses for which it tells when to try again. It has seconds,
    or a date, which is in UTC even without a zone, as all dates of HTTP; `now` is in seconds UTC.
    """
    if status not in HOLD_STATUSES:
        return None
    text = text.strip()[:_LONGEST_RETRY_AFTER]
    if text.isascii() and text.isdecimal():
        return min(int(text) * 1_000, LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
        left = until.replace(tzinfo=until.tzinfo or UTC).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0, int(left * 1_000)), LONGEST_WAIT)
