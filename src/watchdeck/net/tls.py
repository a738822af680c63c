"""TLS: a shared context for equal settings, and the expiry dates of certificates."""

import ssl
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from hashlib import sha256

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.secret import Tls
from watchdeck.net.failure import RequestError
from watchdeck.net.stream import connect

DAY = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def context(tls: Tls) -> ssl.SSLContext:
    """The SSL context for these settings; it takes 1 MB, so equal settings share one.

    Raises RequestError when one of its files cannot be used; the next call tries again.
    """
    try:
        return _context(tls)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no certificate or key"
        raise RequestError(Outcome.TLS, f"the tls files cannot be used: {why}") from error


@cache
def _context(tls: Tls) -> ssl.SSLContext:
    ssl_context = ssl.create_default_context(cafile=tls.ca or _fallback_store())
    if tls.certificate:
        ssl_context.load_cert_chain(tls.certificate, tls.key)
    if tls.insecure:
        ssl_context.check_hostname = False
        ssl_context.verify_mode = ssl.CERT_NONE
    return ssl_context


def _fallback_store() -> str | None:
    """The path of certifi's certificates; None when the system has its own, as most do."""
    system = ssl.get_default_verify_paths()
    if system.cafile or system.capath:
        return None
    import certifi

    return certifi.where()


async def peer_certificate(peer: str, port: int, host: str) -> bytes | None:
    """The certificate (DER) of an untrusted server, read on a new connection that sends no data.

    Raises OSError when that connection fails.
    """
    stream = await connect([peer], port)
    try:
        await stream.secure(_unverified_context(), host)
    finally:
        stream.abort()
    return stream.certificate


@cache
def _unverified_context() -> ssl.SSLContext:
    ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ssl_context.check_hostname = False
    ssl_context.verify_mode = ssl.CERT_NONE
    return ssl_context


@lru_cache(maxsize=1_024)
def expiry(certificate: bytes) -> int | None:
    """When a DER certificate expires (ms UTC); None when it cannot be read.

    Python decodes only certificates that it verified, and the date matters most for the others.
    """
    try:
        outer = _content_start(certificate, 0)
        position = _content_start(certificate, outer)
        if certificate[position] == 0xA0:  # the oldest certificates have no version
            position = _element_end(certificate, position)
        for _ in ("serial number", "algorithm", "issuer"):
            position = _element_end(certificate, position)
        end = _element_end(certificate, _content_start(certificate, position))
        return _read_time(
            certificate[end],
            certificate[_content_start(certificate, end) : _element_end(certificate, end)],
        )
    except (IndexError, ValueError):
        return None


def _content_start(data: bytes, position: int) -> int:
    """Where the content of the DER element at `position` begins."""
    size = data[position + 1]
    return position + 2 + (size & 0x7F if size & 0x80 else 0)


def _element_end(data: bytes, position: int) -> int:
    """Where the DER element at `position` ends."""
    start, size = _content_start(data, position), data[position + 1]
    if size & 0x80:
        size = int.from_bytes(data[position + 2 : start], "big")
    return start + size


def _read_time(tag: int, text: bytes) -> int:
    """A DER time in ms UTC: UTCTime (0x17) has two digits for 1950 to 2049, the other type four."""
    digits = text.decode("ascii").removesuffix("Z")
    if tag == 0x17:
        digits = f"{'19' if digits >= '50' else '20'}{digits}"
    moment = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000


@lru_cache(maxsize=1_024)
def describe(certificate: bytes) -> str:
    """The first 16 hexadecimal digits of a certificate's SHA-256, and the day of its end (UTC)."""
    fingerprint, expires = sha256(certificate).hexdigest()[:16], expiry(certificate)
    if expires is None:
        return fingerprint
    day = (_EPOCH + timedelta(milliseconds=expires)).date().isoformat()
    return f"{fingerprint}, valid until {day}"


def days_left(expires: int, at: int) -> float:
    """Days from `at` until a certificate expires (both ms UTC); negative after that."""
    return (expires - at) / DAY
