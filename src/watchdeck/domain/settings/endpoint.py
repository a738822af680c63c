"""An endpoint as its owner configures it, and as the store knows it."""

from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct, field

from watchdeck.domain.values.secret import Secret, Tls
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio


class Slo(Struct, frozen=True):
    """The service level objectives of a model; a field is None when there is no such objective."""

    availability: Ratio | None = None
    latency_p95: Milliseconds | None = None
    error_ratio: Ratio | None = None


class Canary(Struct, frozen=True):
    """A test prediction, sent at an interval, and the check of its response."""

    path: str
    body: str | None = None
    body_file: str | None = None
    expect: str | None = None
    """JSON assertion: `$.a[0].b == VALUE`, `$.a in [A, B]` or `$.a exists`."""
    every: Milliseconds = Milliseconds(60_000)
    method: str = "POST"


class Keep(StrEnum):
    """Which series of a metrics page are stored when no patterns are given to select them."""

    NEEDED = "needed"
    ALL = "all"


class Endpoint(Struct, frozen=True):
    """One model behind one server, and how watchdeck watches it."""

    name: str
    url: str
    """Serving address."""
    kind: str = "auto"
    """Name of a kind, or "auto" for detection."""
    metrics_url: str | None = None
    """Address of the metrics page, when the kind does not know it."""
    model: str | None = None
    every: Milliseconds = Milliseconds(10_000)
    timeout: Milliseconds = Milliseconds(5_000)
    labels: dict[str, str] = field(default_factory=dict)
    owner: str | None = None
    tier: int | None = None
    serves: tuple[str, ...] = ()
    """What fails for users when the model fails, such as `card payments`."""
    depends_on: tuple[str, ...] = ()
    """Names of the endpoints that the model needs."""
    resources: tuple[str, ...] = ()
    """Names of the endpoints of shared resources, such as a GPU node."""
    slo: Slo = field(default_factory=Slo)
    headers: dict[str, str | Secret] = field(default_factory=dict)
    tls: Tls = field(default_factory=Tls)
    exclude_paths: tuple[str, ...] = ()
    """Paths of health probes, which are not traffic."""
    canary: Canary | None = None
    keep: str | tuple[str, ...] = Keep.NEEDED
    """Series to store: a `Keep`, or patterns of names."""
    map: dict[str, str] = field(default_factory=dict)
    """Selector or JSON path of each signal that the kind does not know."""
    max_body: Bytes = Bytes(1 << 20)
    max_series: int = 5_000
    change: str | None = None
    """The last deploy, retraining or configuration; a new text becomes a change marker."""


class EndpointFacts(Struct, frozen=True):
    """The part of an endpoint's configuration that the store keeps: no headers, no secrets."""

    name: str
    url: str
    """Serving address without user, password and query."""
    every: int
    model: str | None = None
    owner: str | None = None
    tier: int | None = None
    labels: dict[str, str] = field(default_factory=dict)
    serves: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    slo: Slo = field(default_factory=Slo)
    insecure: bool = False
    change: str = ""
    map: dict[str, str] = field(default_factory=dict)


def public_facts(endpoint: Endpoint) -> EndpointFacts:
    """The part of an endpoint's configuration that may be stored."""
    return EndpointFacts(
        name=clean(endpoint.name),
        url=clean(_public_url(endpoint.url)),
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


def _public_url(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
