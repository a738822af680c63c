"""HTTP requests to receivers: limited in time and size, certificates verified, no redirects."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct, field

from watchdeck import __version__
from watchdeck.domain.values.host_address import is_ip_address, is_link_local_or_metadata
from watchdeck.errors import WatchdeckError
from watchdeck.net.resolver import LookUp, system_look_up
from watchdeck.notify.result import ReceiverResponse
from watchdeck.notify.thread import to_thread

if TYPE_CHECKING:
    import httpx

_MAX_BODY = 64 << 10
"""Bytes of a response that are read."""

_CONNECT_TIMEOUT = 3.0
"""Seconds to connect to one address of a host, before the next is tried."""

_MAX_RETRY_AFTER = 3_600_000
"""Milliseconds: the longest wait that a receiver may ask for."""

_MAX_CAUSES = 12


class ReceiverUnreachable(WatchdeckError):
    """A receiver that did not respond; the text never holds its address."""


class _ConnectFailed(ReceiverUnreachable):
    """No connection to one of the addresses of a host."""


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
        self._ca = ca
        self._look_up = look_up
        self._context: ssl.SSLContext | None = None

    async def send(self, request: ReceiverRequest) -> ReceiverResponse:
        """Send one request, and return the response. Raises ReceiverUnreachable."""
        context = await to_thread(self._tls_context)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(request, context)
        except TimeoutError:
            failure = "no answer in time"
        except ReceiverUnreachable as error:
            failure = str(error)
        # outside the handler: an error of a library may hold an address with its key
        raise ReceiverUnreachable(failure)

    async def _send(self, request: ReceiverRequest, context: ssl.SSLContext) -> ReceiverResponse:
        parts = _parts(request.url)
        failure = "the host has no address"
        for address in await self._addresses(parts.hostname or ""):
            try:
                return await _request_address(request, parts, address, context)
            except _ConnectFailed as error:
                failure = str(error)
        raise ReceiverUnreachable(failure)

    async def _addresses(self, host: str) -> list[str]:
        """The addresses of a host; an IP address in the configuration is always allowed.

        Raises ReceiverUnreachable when no allowed address is found.
        """
        if is_ip_address(host):
            return [host]
        try:
            found = await to_thread(lambda: self._look_up(host))
        except (OSError, UnicodeError):
            raise ReceiverUnreachable("the host name cannot be looked up") from None
        allowed = [address for address in found if not is_link_local_or_metadata(address)]
        if not allowed:
            raise ReceiverUnreachable("the host name leads to a link-local or metadata address")
        return allowed

    def _tls_context(self) -> ssl.SSLContext:
        """The TLS context; also imports httpx, which is slow: call it on another thread.

        The first call takes 0.3 s; half of that are modules that anyio loads with its first loop.
        """
        if self._context is None:
            import anyio
            import httpcore  # noqa: F401
            import httpx  # noqa: F401

            anyio.run(anyio.sleep, 0)
            try:
                self._context = ssl.create_default_context(cafile=self._ca or _fallback_ca())
            except (OSError, ValueError):
                raise ReceiverUnreachable("the file of certificates (ca) cannot be used") from None
        return self._context


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ReceiverUnreachable("the address cannot be read") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ReceiverUnreachable("only http and https addresses with a host can be asked")
    return parts


def _fallback_ca() -> str | None:
    """The certificates of httpx for a system without any; None where the system has some."""
    system = ssl.get_default_verify_paths()
    if system.cafile or system.capath:
        return None
    import certifi

    return certifi.where()


async def _request_address(
    request: ReceiverRequest, parts: SplitResult, address: str, context: ssl.SSLContext
) -> ReceiverResponse:
    """Send to one address of the host; the name is not looked up again, so it cannot change."""
    import httpx

    headers = {
        "user-agent": f"watchdeck/{__version__}",
        "accept-encoding": "identity",
        **request.headers,
        "host": parts.netloc.rpartition("@")[2],
    }
    try:
        limits = httpx.Timeout(None, connect=_CONNECT_TIMEOUT)
        async with (
            httpx.AsyncClient(verify=context, timeout=limits, trust_env=False) as client,
            client.stream(
                request.method,
                httpx.URL(request.url).copy_with(host=address),
                headers=headers,
                content=request.content or None,
                extensions={"sni_hostname": parts.hostname},
            ) as response,
        ):
            wait = None if response.is_success else _retry_after(response)
            return ReceiverResponse(response.status_code, wait, await _body(response))
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        failure: type[ReceiverUnreachable] = _ConnectFailed
        words = _failure_text(error)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
        failure, words = ReceiverUnreachable, _failure_text(error)
    raise failure(words)


async def _body(response: httpx.Response) -> bytes:
    """The beginning of a response body; empty when it is compressed."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return b""
    body = b""
    async for piece in response.aiter_raw():
        body += piece
        if len(body) >= _MAX_BODY:
            break
    return body[:_MAX_BODY]


def _retry_after(response: httpx.Response) -> int | None:
    """The wait of a Retry-After header (seconds or a date) in ms; None when it has none."""
    text = response.headers.get("retry-after", "")[:60]
    if text.isascii() and text.isdecimal():
        return min(int(text[:9]) * 1_000, _MAX_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
        # a date without a zone is in UTC, as all dates of HTTP
        left = until.replace(tzinfo=until.tzinfo or UTC).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(0, int(left * 1_000)), _MAX_RETRY_AFTER)


_CERTIFICATE = {
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    62: "the certificate is for another host name",
}
"""Texts for OpenSSL's verification codes (x509_vfy.h)."""

_FAILURES: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "TLS failed"),
    (ConnectionRefusedError, "the connection was refused"),
    (ConnectionError, "the connection was reset"),
    (TimeoutError, "no connection in time"),
    (OSError, "no connection could be made"),
)


def _failure_text(error: BaseException) -> str:
    """The failure in words, by the deepest known cause; never the text of a library."""
    text = "the connection was cut off"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _CERTIFICATE.get(cause.verify_code, "the certificate is not trusted")
        text = next((words for kind, words in _FAILURES if isinstance(cause, kind)), text)
    return text


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
