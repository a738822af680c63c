"""TLS: one shared context for each way of checking, and the dates of what a server showed."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from functools import cache, lru_cache

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Tls
from watchdeck.net.failure import RequestError
from watchdeck.net.stream import connect

DAY = 86_400_000


def context(tls: Tls) -> ssl.SSLContext:
    """The context that checks as `tls` says, shared by all who say the same (1 MB each).

    Raises Failed when one of its files cannot be used; the next call tries again.
    """
    try:
        return _context(tls)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no certificate or key"
        raise RequestError(Outcome.TLS, f"the tls files cannot be used: {why}") from error


@cache
def _context(tls: Tls) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=tls.ca or _fallback())
    if tls.certificate:
        made.load_cert_chain(tls.certificate, tls.key)
    if tls.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def _fallback() -> str | None:
    """A container without a certificate store gets the one that comes with httpx."""
    system = ssl.get_default_verify_paths()
    if system.cafile or system.capath:
        return None
    import certifi

    return certifi.where()


async def peer_certificate(peer: str, port: int, host: str) -> bytes | None:
    """The DER certificate of a server that we do not trust; nothing is sent to it.

    Raises OSError when the server does not let itself be asked twice.
    """
    wire = await connect([peer], port)
    try:
        await wire.secure(_unverified(), host)
    finally:
        wire.abort()
    return wire.certificate


@cache
def _unverified() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


@lru_cache(maxsize=1_024)
def expiry(certificate: bytes) -> int | None:
    """When a DER certificate expires, in milliseconds UTC; None when it cannot be read.

    Python decodes only certificates that it verified, and the date matters most for the others.
    """
    try:
        outer = _inside(certificate, 0)
        position = _inside(certificate, outer)
        if certificate[position] == 0xA0:  # the version is left out by the oldest certificates
            position = _after(certificate, position)
        for _ in ("serial number", "algorithm", "issuer"):
            position = _after(certificate, position)
        end = _after(certificate, _inside(certificate, position))
        return _time(
            certificate[end], certificate[_inside(certificate, end) : _after(certificate, end)]
        )
    except (IndexError, ValueError):
        return None


def _inside(data: bytes, position: int) -> int:
    """Where the content of the DER element at `position` begins."""
    size = data[position + 1]
    return position + 2 + (size & 0x7F if size & 0x80 else 0)


def _after(data: bytes, position: int) -> int:
    """Where the DER element at `position` ends."""
    start, size = _inside(data, position), data[position + 1]
    if size & 0x80:
        size = int.from_bytes(data[position + 2 : start], "big")
    return start + size


def _time(tag: int, text: bytes) -> int:
    """UTCTime (0x17) has a year of two digits, of 1950 to 2049; GeneralizedTime has four."""
    digits = text.decode("ascii").removesuffix("Z")
    if tag == 0x17:
        digits = f"{'19' if digits >= '50' else '20'}{digits}"
    moment = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000


def days_left(expires: int, at: int) -> float:
    """Days until a certificate expires; negative since it has."""
    return (expires - at) / DAY
