"""Where an endpoint is: what its probes are asked below, and where its page may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.net.address import Url, parse_url


class EndpointUrls(Struct, frozen=True):
    """An endpoint's serving address, and its page when the configuration names one."""

    root: Url
    page: Url | None = None

    def here(self, kinds: Sequence[Kind]) -> tuple[Url, ...]:
        """Where these kinds may have their page on the serving port, or where it is said to be."""
        if self.page is not None:
            return (self.page,)
        return self._places(kinds, elsewhere=False)

    def elsewhere(self, kinds: Sequence[Kind]) -> tuple[Url, ...]:
        """Where these kinds may have their page on a port of its own."""
        return () if self.page is not None else self._places(kinds, elsewhere=True)

    def called(self, where: Url) -> str:
        """A short name of an address: its path, with what sets it apart from the serving one."""
        if where.origin == self.root.origin:
            return where.path
        if where.origin.host == self.root.origin.host:
            return f":{where.origin.port}{where.path}"
        return f"{where.origin.authority}{where.path}"

    def _places(self, kinds: Sequence[Kind], *, elsewhere: bool) -> tuple[Url, ...]:
        found = (
            self.root.at(place.path, place.port)
            for kind in kinds
            for place in kind.places
            if (place.port is not None) is elsewhere
        )
        return tuple(dict.fromkeys(found))


def endpoint_urls(endpoint: Endpoint, kinds: Sequence[Kind]) -> EndpointUrls:
    """Read an endpoint's addresses. Raises Failed when one of them is none.

    A url that ends in a kind's own place of a page (`http://host/metrics`) names the page, and the
    server is what stands before it.
    """
    given = parse_url(endpoint.url)
    if endpoint.metrics_url is not None:
        return EndpointUrls(given, parse_url(endpoint.metrics_url))
    asked = given.path.rstrip("/")
    for path in _page_paths(kinds):
        if asked.endswith(path):
            return EndpointUrls(replace(given, target=asked.removesuffix(path) or "/"), given)
    return EndpointUrls(given)


def _page_paths(kinds: Sequence[Kind]) -> Iterator[str]:
    paths = {place.path.rstrip("/") for kind in kinds for place in kind.places}
    yield from sorted(filter(None, paths), key=len, reverse=True)
