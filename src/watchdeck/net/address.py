"""URLs split into origin and target, without user and password."""

from __future__ import annotations

from urllib.parse import quote, unquote, urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.failure import RequestError

_PORTS = {"http": 80, "https": 443}
_SAFE = "/:@!$&'()*+,;=~-._%?"

_LONGEST_HOST = 253
"""Characters of a host name, the limit of DNS."""


class Origin(Struct, frozen=True):
    """Scheme, host and port of one connection; a redirect must not leave them."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL and in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


class Url(Struct, frozen=True):
    """An origin and the target of a request: ASCII, without line breaks."""

    origin: Origin
    target: str

    def __str__(self) -> str:
        return f"{self.origin.scheme}://{self.origin.authority}{self.target}"

    @property
    def path(self) -> str:
        """The target without its query, which may hold a key."""
        return self.target.partition("?")[0]

    def at(self, path: str, port: int | None = None) -> Url:
        """The URL of a path below this one, on its origin or on another port of its host.

        The path `/` is this URL itself.
        """
        if port is None:
            if path == "/":
                return self
            return Url(self.origin, _quote_target(self.path.rstrip("/") + path))
        return Url(replace(self.origin, port=port), _quote_target(path))

    def redirect(self, location: str) -> Url:
        """The target of a redirect. Raises RequestError when it is no URL or has another origin."""
        target = self._join(location)
        for part in ("scheme", "host", "port"):
            if getattr(target.origin, part) != getattr(self.origin, part):
                raise RequestError(
                    Outcome.REDIRECTED,
                    f"redirected to another {part} ({target.origin.scheme}://"
                    f"{target.origin.authority}), which is not followed",
                )
        return target

    def _join(self, location: str) -> Url:
        try:
            return parse_url(urljoin(str(self), location))
        except (RequestError, ValueError) as error:
            raise RequestError(Outcome.REDIRECTED, "the redirect leads nowhere") from error


def parse_url(url: str) -> Url:
    """Split a URL. Raises RequestError when it is not http or https with a host."""
    try:
        parts = urlsplit(url)
        host, port = _ascii_host(parts.hostname or ""), parts.port
    except ValueError as error:
        raise RequestError(Outcome.UNREACHABLE, "the url cannot be read") from error
    if parts.scheme not in _PORTS or not host:
        raise RequestError(Outcome.UNREACHABLE, "only http and https urls with a host can be asked")
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return Url(Origin(parts.scheme, host, port or _PORTS[parts.scheme]), _quote_target(target))


def _ascii_host(host: str) -> str:
    """The name of a host as DNS has it. Raises ValueError, which UnicodeError is."""
    if len(host) > _LONGEST_HOST:  # to encode 16 kB takes 60 ms
        raise ValueError("the host is too long")
    return host.encode("idna").decode("ascii")


def userinfo(url: str) -> tuple[str, str] | None:
    """The user and password of a URL; None when it names no user."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not parts.username:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def _quote_target(text: str) -> str:
    return quote(text, safe=_SAFE)
