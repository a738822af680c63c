"""The URLs of an endpoint: the serving address, and where its page may be."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.net.address import Url, parse_url


class EndpointUrls(Struct, frozen=True):
    """An endpoint's serving address, and the URL of its page (None if not configured)."""

    root: Url
    page: Url | None = None

    def on_serving_port(self, kinds: Sequence[Kind]) -> tuple[Url, ...]:
        """URLs on the serving port where these kinds have pages; only the configured one if set."""
        return (self.page,) if self.page else self._page_urls(kinds, other_port=False)

    def on_other_ports(self, kinds: Sequence[Kind]) -> tuple[Url, ...]:
        """URLs on other ports where these kinds have pages; none when the page is configured."""
        return () if self.page else self._page_urls(kinds, other_port=True)

    def short_name(self, url: Url) -> str:
        """The path of a URL, with the port or host where these differ from the serving address."""
        if url.origin == self.root.origin:
            return url.path
        if url.origin.host == self.root.origin.host:
            return f":{url.origin.port}{url.path}"
        return f"{url.origin.authority}{url.path}"

    def _page_urls(self, kinds: Sequence[Kind], *, other_port: bool) -> tuple[Url, ...]:
        urls = (
            self.root.at(place.path, place.port)
            for kind in kinds
            for place in kind.places
            if (place.port is not None) is other_port
        )
        return tuple(dict.fromkeys(urls))


def endpoint_urls(endpoint: Endpoint, kinds: Sequence[Kind]) -> EndpointUrls:
    """Parse an endpoint's addresses. Raises RequestError when one of them is not a URL.

    A url that ends in the page path of a kind (`http://host/metrics`) names the page, and the
    server is the part before it.
    """
    url = parse_url(endpoint.url)
    if endpoint.metrics_url is not None:
        return EndpointUrls(url, parse_url(endpoint.metrics_url))
    path = url.path.rstrip("/")
    for page_path in _page_paths(kinds):
        if path.endswith(page_path):
            return EndpointUrls(replace(url, target=path.removesuffix(page_path) or "/"), url)
    return EndpointUrls(url)


def _page_paths(kinds: Sequence[Kind]) -> Iterator[str]:
    paths = {place.path.rstrip("/") for kind in kinds for place in kind.places}
    yield from sorted(filter(None, paths), key=len, reverse=True)
