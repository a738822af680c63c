"""What an endpoint's owner wants sent along, and to whom: secrets stay within these walls."""

from __future__ import annotations

import base64

from watchdeck import __version__
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint, Secret
from watchdeck.domain.values.secret import SecretResolver
from watchdeck.errors import WatchdeckError
from watchdeck.net import address
from watchdeck.net.address import Origin
from watchdeck.net.failure import RequestError

Headers = tuple[tuple[str, str], ...]

# No mention of OpenMetrics: prometheus_client prefers it at any weight, and its exemplars cost the
# positional parser its speed.
_ALWAYS = (
    ("user-agent", f"watchdeck/{__version__}"),
    ("accept", "text/plain;version=0.0.4, */*;q=0.5"),
)


_HIDDEN = "(secret)"
_SHORTEST = 4
"""Characters of a value that is worth hiding: a shorter one is in every text."""


class Credentials:
    """The headers of one endpoint's requests; its secrets are looked up once, and when refused.

    Secrets go to the origins that the configuration names and to no other: a kind's own port on
    the same host may be somebody else's.
    """

    def __init__(self, endpoint: Endpoint, reveal: SecretResolver) -> None:
        self._endpoint = endpoint
        self._reveal = reveal
        self._ready: dict[tuple[Origin, bool], Headers] = {}

    def headers(self, origin: Origin, *, identity: bool) -> Headers:
        """The headers for one origin. Raises Failed when a secret cannot be had."""
        key = (origin, identity)
        if key not in self._ready:
            self._ready[key] = self._made(origin, identity=identity)
        return self._ready[key]

    def redacted(self, text: str) -> str:
        """The text without any secret that was sent: a server may repeat what it was asked with."""
        for headers in self._ready.values():
            for name, value in headers:
                if (name, value) not in _ALWAYS and name != "accept-encoding":
                    for secret in (value, value.rpartition(" ")[2]):
                        text = text.replace(secret, _HIDDEN) if len(secret) >= _SHORTEST else text
        return text

    def forget(self) -> None:
        """Look the secrets up again before the next request: they may have been renewed."""
        self._ready.clear()

    def _made(self, origin: Origin, *, identity: bool) -> Headers:
        made = dict(_ALWAYS)
        made["accept-encoding"] = "identity" if identity else "gzip"
        made.update(self._own(origin))
        return tuple(made.items())

    def _own(self, origin: Origin) -> dict[str, str]:
        urls = [url for url in (self._endpoint.url, self._endpoint.metrics_url) if url]
        named = [url for url in urls if address.parse_url(url).origin == origin]
        if not named:
            return {}
        made = {}
        for login in filter(None, map(address.userinfo, named)):
            text = base64.b64encode(":".join(login).encode()).decode("ascii")
            made["authorization"] = f"Basic {text}"
        for name, value in self._endpoint.headers.items():
            text = value if isinstance(value, str) else self._revealed(value)
            made[name.lower()] = _checked(name, text)
        return made

    def _revealed(self, secret: Secret) -> str:
        try:
            return f"{secret.prefix}{self._reveal(secret)}"
        except WatchdeckError as error:
            raise RequestError(Outcome.UNREACHABLE, f"not asked: {error}") from error


def _checked(name: str, value: str) -> str:
    """The value, if it can be sent: the libraries below would tell it in their errors."""
    if not (name.isascii() and name.isprintable() and value.isascii() and value.isprintable()):
        raise RequestError(
            Outcome.UNREACHABLE,
            f"not asked: the header {name.lower()} has a character that HTTP does not allow",
        )
    return value
