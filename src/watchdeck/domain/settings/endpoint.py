"""An endpoint as its owner configures it, and as the store knows it."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct, field

from watchdeck.domain.values.secret import Secret, Tls
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio


class Slo(Struct, frozen=True):
    """The service level objectives of a model: what its users may expect; None without one."""

    availability: Ratio | None = None
    """Share of probes that succeed, over a month."""
    latency_p95: Milliseconds | None = None
    """Duration below which 95 % of the predictions stay."""
    error_ratio: Ratio | None = None
    """Largest share of predictions that may fail, over a month."""


class Canary(Struct, frozen=True):
    """A test prediction, sent at an interval, and the check of its response."""

    path: str
    """Path of the prediction, below the address of the endpoint."""
    body: str | None = None
    """Request to the model; `POST` and `PUT` need this or `body_file`."""
    body_file: str | None = None
    """Path of a file with the request, relative to the configuration."""
    expect: str | None = None
    """JSON assertion that the response must pass: `$.a[0].b == VALUE`, `!= VALUE`, `in [A, B]` or
    `exists`; when not set, a successful status is enough."""
    every: Milliseconds = Milliseconds(60_000)
    """Interval of the prediction."""
    method: str = "POST"
    """HTTP method."""


class Resource(Struct, frozen=True):
    """A machine or device beside a server, such as a GPU node, whose page is itself an endpoint."""

    endpoint: str
    """Name of the endpoint whose page has the figures of the machine or device."""
    match: dict[str, str] = field(default_factory=dict)
    """Labels of the part that the model uses: series with another value of one do not count."""

    def overlaps(self, other: Resource) -> bool:
        """Whether both are the same part of a machine or device, or parts with something in common.

        Two parts have nothing in common when they give one label different values.
        """
        shared = self.match.keys() & other.match.keys()
        is_same_page = self.endpoint == other.endpoint
        return is_same_page and all(self.match[label] == other.match[label] for label in shared)


class Keep(StrEnum):
    """Which series of a metrics page are stored when no patterns are given to select them."""

    NEEDED = "needed"
    ALL = "all"


class Endpoint(Struct, frozen=True):
    """One model behind one server, and how watchdeck watches it."""

    name: str
    """Name on every screen, in alerts and in the store; each endpoint has its own."""
    url: str
    """Serving address, http or https."""
    kind: str = "auto"
    """Kind of server; `auto` detects the kind from the metrics page and probes."""
    metrics_url: str | None = None
    """Address of the metrics page, when the kind does not know it."""
    model: str | None = None
    """Name of the model on the server, for its readiness probe and its series."""
    every: Milliseconds = Milliseconds(10_000)
    """Interval of the scrapes."""
    timeout: Milliseconds = Milliseconds(5_000)
    """Deadline of a whole scrape, all of its requests together."""
    labels: dict[str, str] = field(default_factory=dict)
    """Labels of the model and its alerts, for filters, routes and silences."""
    owner: str | None = None
    """Team or person to call; the label `owner` of the model and its alerts."""
    tier: int | None = None
    """Importance by your own scale; the label `tier` of the model and its alerts."""
    serves: tuple[str, ...] = ()
    """What fails for users when the model fails, such as `card payments`."""
    depends_on: tuple[str, ...] = ()
    """Names of the endpoints that the model needs."""
    resources: tuple[str | Resource, ...] = ()
    """Endpoints of the machines and devices that the model uses, such as a GPU node: names, or
    tables with the labels of a part. Their figures become signals of the model."""
    slo: Slo = field(default_factory=Slo)
    """Service level objectives; rules on an SLO apply only where the model has one."""
    headers: dict[str, str | Secret] = field(default_factory=dict)
    """Headers of every request, each a text or a secret."""
    tls: Tls = field(default_factory=Tls)
    """TLS settings of https addresses."""
    exclude_paths: tuple[str, ...] = ()
    """Paths of health probes, which do not count as traffic; `*` stands for any text."""
    canary: Canary | None = None
    """Test prediction; none is sent when not set."""
    keep: str | tuple[str, ...] = Keep.NEEDED
    """Series to store: `needed` for signals and health, `all`, or a list of patterns of names."""
    map: dict[str, str] = field(default_factory=dict)
    """Selector or JSON path of each signal that the kind does not know, with its unit (`ms`, `%`,
    `MiB`), `* NUMBER` or `/ NUMBER` behind it when its unit differs."""
    max_body: Bytes = Bytes(1 << 20)
    """Most bytes of a response; a larger one is a failed scrape."""
    max_series: int = 5_000
    """Most series of a metrics page; further ones are left out, and counted."""
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
    resources: tuple[Resource, ...] = ()
    slo: Slo = field(default_factory=Slo)
    insecure: bool = False
    change: str = ""
    map: dict[str, str] = field(default_factory=dict)

    @property
    def resource_names(self) -> frozenset[str]:
        """The names of the endpoints of its resources."""
        return frozenset(one.endpoint for one in self.resources)


def to_resource(entry: str | Resource) -> Resource:
    """A resource as the configuration writes it: a name alone is a whole machine or device."""
    return Resource(entry) if isinstance(entry, str) else entry


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
        resources=tuple(map(to_resource, endpoint.resources)),
        slo=endpoint.slo,
        insecure=endpoint.tls.insecure,
        change=clean(endpoint.change or "", 200),
        map={name: clean(text) for name, text in endpoint.map.items()},
    )


def _public_url(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
