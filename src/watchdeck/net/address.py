"""Addresses: where a question goes, split into origin and target, without user and password."""

from __future__ import annotations

from urllib.parse import quote, unquote, urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.failure import RequestError

_PORTS = {"http": 80, "https": 443}
_SAFE = "/:@!$&'()*+,;=~-._%?"


class Origin(Struct, frozen=True):
    """Scheme, host and port: what one connection is made to, and what a redirect may not leave."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL and in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


class Url(Struct, frozen=True):
    """An origin and what is asked of it; `target` is ASCII, and nothing in it ends a line."""

    origin: Origin
    target: str

    def __str__(self) -> str:
        return f"{self.origin.scheme}://{self.origin.authority}{self.target}"

    @property
    def path(self) -> str:
        """The target without its query, which may hold a key."""
        return self.target.partition("?")[0]

    def at(self, path: str, port: int | None = None) -> Url:
        """A path below this address's own, on its origin or on another port of its host.

        The path `/` is the address itself.
        """
        if port is None:
            if path == "/":
                return self
            return Url(self.origin, _target(self.path.rstrip("/") + path))
        return Url(replace(self.origin, port=port), _target(path))

    def moved(self, location: str) -> Url:
        """Where a redirect leads. Raises Failed when it leaves the origin or cannot be read."""
        there = self._joined(location)
        for part in ("scheme", "host", "port"):
            if getattr(there.origin, part) != getattr(self.origin, part):
                raise RequestError(
                    Outcome.REDIRECTED,
                    f"redirected to another {part} ({there.origin.scheme}://"
                    f"{there.origin.authority}), which is not followed",
                )
        return there

    def _joined(self, location: str) -> Url:
        try:
            return parse_url(urljoin(str(self), location))
        except (RequestError, ValueError) as error:
            raise RequestError(Outcome.REDIRECTED, "the redirect leads nowhere") from error


def parse_url(url: str) -> Url:
    """Split a URL. Raises Failed when it is not http or https with a host."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError as error:
        raise RequestError(Outcome.UNREACHABLE, "the url cannot be read") from error
    if parts.scheme not in _PORTS or not host:
        raise RequestError(Outcome.UNREACHABLE, "only http and https urls with a host can be asked")
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return Url(Origin(parts.scheme, host, port or _PORTS[parts.scheme]), _target(target))


def userinfo(url: str) -> tuple[str, str] | None:
    """The user and password of a URL; None when it names no user."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not parts.username:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def _target(text: str) -> str:
    return quote(text, safe=_SAFE)
