"""The headers of an endpoint's requests; secrets go only to the origins that may have them."""

import base64

from watchdeck import __version__
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.secret import Secret, SecretResolver
from watchdeck.errors import WatchdeckError
from watchdeck.net import address
from watchdeck.net.address import Origin
from watchdeck.net.failure import RequestError
from watchdeck.redaction import remember_header

Headers = tuple[tuple[str, str], ...]

# No mention of OpenMetrics: prometheus_client prefers it at any weight, and its exemplars cost the
# positional parser its speed.
_ALWAYS = (
    ("user-agent", f"watchdeck/{__version__}"),
    ("accept", "text/plain;version=0.0.4, */*;q=0.5"),
)


class Credentials:
    """The request headers of one endpoint; secrets are resolved once, and again after 401 or 403.

    Secrets go only to the origins that the configuration names: another port of the same host,
    where a kind may have its page, may belong to somebody else.
    """

    def __init__(self, endpoint: Endpoint, resolve: SecretResolver) -> None:
        self._endpoint = endpoint
        self._resolve_secret = resolve
        self._ready: dict[tuple[Origin, bool], Headers] = {}

    def headers(self, origin: Origin, *, identity: bool) -> Headers:
        """The headers for one origin; `identity` asks for a body without compression.

        Raises RequestError when a secret cannot be resolved.
        """
        key = (origin, identity)
        if key not in self._ready:
            self._ready[key] = self._build(origin, identity=identity)
        return self._ready[key]

    def reset(self) -> None:
        """Resolve the secrets again before the next request: they may have been renewed."""
        self._ready.clear()

    def _build(self, origin: Origin, *, identity: bool) -> Headers:
        headers = dict(_ALWAYS)
        headers["accept-encoding"] = "identity" if identity else "gzip"
        headers.update(self._configured_headers(origin))
        return tuple(headers.items())

    def _configured_headers(self, origin: Origin) -> dict[str, str]:
        urls = [url for url in (self._endpoint.url, self._endpoint.metrics_url) if url]
        named = [url for url in urls if address.parse_url(url).origin == origin]
        if not named:
            return {}
        headers = {}
        for login in filter(None, map(address.userinfo, named)):
            text = base64.b64encode(":".join(login).encode()).decode("ascii")
            headers["authorization"] = f"Basic {text}"
        for name, value in self._endpoint.headers.items():
            text = value if isinstance(value, str) else self._resolve(value)
            headers[name.lower()] = text
        for name, text in headers.items():
            remember_header(name, text)
        return headers

    def _resolve(self, secret: Secret) -> str:
        try:
            return f"{secret.prefix}{self._resolve_secret(secret)}"
        except WatchdeckError as error:
            raise RequestError(Outcome.UNREACHABLE, f"not asked: {error}") from error
