"""What the store may know of an endpoint: its configuration without headers and secrets."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.domain.values.text import clean


def facts(endpoint: Endpoint) -> EndpointFacts:
    """The facts of one endpoint; its address has neither user, password nor query."""
    return EndpointFacts(
        name=clean(endpoint.name),
        url=clean(_public(endpoint.url)),
        every=int(endpoint.every),
        model=endpoint.model,
        owner=endpoint.owner,
        tier=endpoint.tier,
        labels=dict(endpoint.labels),
        serves=endpoint.serves,
        depends_on=endpoint.depends_on,
        resources=endpoint.resources,
        slo=endpoint.slo,
        insecure=endpoint.tls.insecure,
        change=clean(endpoint.change or "", 200),
        map={name: clean(text) for name, text in endpoint.map.items()},
    )


def _public(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
