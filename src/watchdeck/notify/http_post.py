"""Questions to receivers over HTTP: bounded, verified, never redirected, every failure in words."""

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
from watchdeck.domain.values.host_address import is_ip_address, is_link_local
from watchdeck.errors import WatchdeckError
from watchdeck.net.resolver import LookUp, system_look_up
from watchdeck.notify.result import ReceiverResponse
from watchdeck.notify.thread import to_thread

if TYPE_CHECKING:
    import httpx

_MOST = 64 << 10
"""Bytes of an answer that are read; nobody needs more of it."""

_CONNECT = 3.0
"""Seconds for one address of a host; the next one may answer."""

_MOST_WAIT = 3_600_000
"""Milliseconds that a receiver may ask us to wait."""

_CHAIN = 12


class ReceiverUnreachable(WatchdeckError):
    """A receiver that could not be asked, or did not answer; the text names no address."""


class _Elsewhere(ReceiverUnreachable):
    """An address of a host to which no connection could be made."""


class ReceiverRequest(Struct, frozen=True):
    """What is asked of a receiver; the address and the headers may hold secrets."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


class HttpSender:
    """Asks receivers; each question is a connection of its own, and has one total deadline (s)."""

    def __init__(
        self, timeout: float, ca: str | None = None, look_up: LookUp = system_look_up
    ) -> None:
        self._timeout = timeout
        self._ca = ca
        self._look_up = look_up
        self._context: ssl.SSLContext | None = None

    async def ask(self, question: ReceiverRequest) -> ReceiverResponse:
        """The answer to one question. Raises Unheard."""
        context = await to_thread(self._prepared)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._asked(question, context)
        except TimeoutError:
            failure = "no answer in time"
        except ReceiverUnreachable as error:
            failure = str(error)
        # outside the handler: what a library raises may hold an address with its key
        raise ReceiverUnreachable(failure)

    async def _asked(self, question: ReceiverRequest, context: ssl.SSLContext) -> ReceiverResponse:
        parts = _parts(question.url)
        failure = "the host has no address"
        for address in await self._addresses(parts.hostname or ""):
            try:
                return await _once(question, parts, address, context)
            except _Elsewhere as error:
                failure = str(error)
        raise ReceiverUnreachable(failure)

    async def _addresses(self, host: str) -> list[str]:
        """The addresses that may be connected to; what the owner wrote as one is always allowed."""
        if is_ip_address(host):
            return [host]
        try:
            found = await to_thread(lambda: self._look_up(host))
        except (OSError, UnicodeError):
            raise ReceiverUnreachable("the host name cannot be looked up") from None
        allowed = [address for address in found if not is_link_local(address)]
        if not allowed:
            raise ReceiverUnreachable("the host name leads to a link-local or metadata address")
        return allowed

    def _prepared(self) -> ssl.SSLContext:
        """How certificates are checked; on another thread, where httpx is loaded with all it needs.

        That costs 0.3 s once; half of it is what httpx and anyio load only when a first loop runs.
        """
        if self._context is None:
            import anyio
            import httpcore  # noqa: F401
            import httpx  # noqa: F401

            anyio.run(anyio.sleep, 0)
            try:
                self._context = ssl.create_default_context(cafile=self._ca or _fallback())
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


def _fallback() -> str | None:
    """A container without a certificate store gets the one that comes with httpx."""
    system = ssl.get_default_verify_paths()
    if system.cafile or system.capath:
        return None
    import certifi

    return certifi.where()


async def _once(
    question: ReceiverRequest, parts: SplitResult, address: str, context: ssl.SSLContext
) -> ReceiverResponse:
    """Ask at one address of the host: looked up once, it cannot lead elsewhere when connected."""
    import httpx

    headers = {
        "user-agent": f"watchdeck/{__version__}",
        "accept-encoding": "identity",
        **question.headers,
        "host": parts.netloc.rpartition("@")[2],
    }
    try:
        limits = httpx.Timeout(None, connect=_CONNECT)
        async with (
            httpx.AsyncClient(verify=context, timeout=limits, trust_env=False) as client,
            client.stream(
                question.method,
                httpx.URL(question.url).copy_with(host=address),
                headers=headers,
                content=question.content or None,
                extensions={"sni_hostname": parts.hostname},
            ) as response,
        ):
            wait = None if response.is_success else _wait(response)
            return ReceiverResponse(response.status_code, wait, await _body(response))
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        failure: type[ReceiverUnreachable] = _Elsewhere
        words = _words(error)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
        failure, words = ReceiverUnreachable, _words(error)
    raise failure(words)


async def _body(response: httpx.Response) -> bytes:
    """The beginning of an answer's body; of a compressed one nothing."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return b""
    body = b""
    async for piece in response.aiter_raw():
        body += piece
        if len(body) >= _MOST:
            break
    return body[:_MOST]


def _wait(response: httpx.Response) -> int | None:
    """What Retry-After asks for, in milliseconds: seconds, or a date."""
    text = response.headers.get("retry-after", "")[:60]
    if text.isascii() and text.isdecimal():
        return min(int(text[:9]) * 1_000, _MOST_WAIT)
    try:
        until = parsedate_to_datetime(text)
        # a date without a zone is naive: HTTP's dates are all in UTC
        left = until.replace(tzinfo=until.tzinfo or UTC).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(0, int(left * 1_000)), _MOST_WAIT)


_CERTIFICATE = {
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    62: "the certificate is for another host name",
}
"""By OpenSSL's verification codes (x509_vfy.h)."""

_SAID: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "TLS failed"),
    (ConnectionRefusedError, "the connection was refused"),
    (ConnectionError, "the connection was reset"),
    (TimeoutError, "no connection in time"),
    (OSError, "no connection could be made"),
)


def _words(error: BaseException) -> str:
    """What went wrong, by the deepest cause that says it, in our own words."""
    found = "the connection was cut off"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _CERTIFICATE.get(cause.verify_code, "the certificate is not trusted")
        found = next((words for kind, words in _SAID if isinstance(cause, kind)), found)
    return found


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(_CHAIN):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
