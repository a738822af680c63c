"""The eight endpoints of the demo: their configuration, load and responses."""

from collections.abc import Mapping

from msgspec import Struct, field

from watchdeck.demo.fleet import metrics_pages as pages
from watchdeck.demo.fleet.traffic import Load
from watchdeck.domain.settings.configuration import Retention, Settings
from watchdeck.domain.settings.endpoint import Endpoint, Resource, Slo
from watchdeck.domain.values.units import Milliseconds, Ratio

_EVERY = Milliseconds(2_000)
_TIMEOUT = Milliseconds(1_500)

_RETENTION = Retention(raw=Milliseconds.parse("100d"))
"""Longer than the history with which the demo begins."""


class DemoEndpoint(Struct, frozen=True):
    """One endpoint of the fleet: its metrics page, its load and its configuration.

    `paths` maps paths to the bodies of their responses (status 200); those in `model_paths` respond
    with 404 while the model is unloaded.
    """

    name: str
    page: pages.Page
    load: Load
    config: Endpoint
    paths: Mapping[str, str] = field(default_factory=dict)
    model_paths: Mapping[str, str] = field(default_factory=dict)


def _slo(availability: float, latency: int, errors: float | None = None) -> Slo:
    error_ratio = None if errors is None else Ratio(errors)
    return Slo(Ratio(availability), Milliseconds(latency), error_ratio)


def _endpoint(name: str, **more: object) -> Endpoint:
    return Endpoint(name, "", every=_EVERY, timeout=_TIMEOUT, **more)  # type: ignore[arg-type]


_V2 = {"/v2": '{"name":"mlserver","version":"1.7.1"}', "/v2/health/ready": ""}

ENDPOINTS = (
    DemoEndpoint(
        "fraud-detector",
        pages.mlserver,
        Load(40, 0.0235, 0.45, strain=0.1),
        _endpoint(
            "fraud-detector",
            model="fraud-detector",
            owner="risk",
            tier=1,
            serves=("card payments",),
            slo=_slo(0.999, 100, 0.01),
        ),
        _V2,
        {"/v2/models/fraud-detector/ready": ""},
    ),
    DemoEndpoint(
        "churn-score",
        pages.mlserver,
        Load(12, 0.03),
        _endpoint("churn-score", model="churn-score", owner="growth", slo=_slo(0.99, 250, 0.02)),
        _V2,
        {"/v2/models/churn-score/ready": ""},
    ),
    DemoEndpoint(
        "support-chat",
        pages.vllm,
        Load(6, 2.2, 0.5, 0, tokens_in=420, tokens_out=160),
        _endpoint(
            "support-chat",
            owner="support",
            serves=("customer support",),
            resources=(Resource("gpu-node", {"gpu": "0"}),),
            slo=_slo(0.995, 8_000),
        ),
        {"/health": "", "/version": '{"version":"0.11.0"}'},
    ),
    DemoEndpoint(
        "image-tagger",
        pages.triton,
        Load(25, 0.06),
        _endpoint(
            "image-tagger",
            model="image-tagger",
            owner="catalogue",
            resources=(Resource("gpu-node", {"gpu": "1"}),),
        ),
        {"/v2": '{"name":"triton","version":"2.51.0"}', "/v2/health/ready": ""},
        {"/v2/models/image-tagger/ready": ""},
    ),
    DemoEndpoint(
        "demand-forecast",
        pages.bentoml,
        Load(8, 0.4, nightly=True),
        _endpoint("demand-forecast", owner="supply", slo=_slo(0.99, 2_000, 0.05)),
        {"/readyz": "\n", "/livez": "\n"},
    ),
    DemoEndpoint(
        "search-ranker",
        pages.kserve,
        Load(60, 0.012),
        _endpoint("search-ranker", model="search-ranker", owner="search", serves=("shop search",)),
        {"/v2/health/ready": '{"ready":true}'},
        {"/v1/models/search-ranker": '{"name":"search-ranker","ready":true}'},
    ),
    DemoEndpoint("gpu-node", pages.dcgm, Load(5, 2.4), _endpoint("gpu-node", owner="platform")),
    DemoEndpoint(
        "legacy [/nope] scorer",
        pages.generic,
        Load(9, 0.05, errors=0.004),
        _endpoint(
            "legacy [/nope] scorer",
            owner="nobody",
            map={
                "requests": "predictions_total",
                "errors": "prediction_errors_total",
                "latency": "prediction_seconds",
            },
        ),
    ),
)
"""All endpoints, the most important one for the business first."""


def settings(ports: Mapping[str, int]) -> Settings:
    """The configuration of the fleet, whose servers listen on these ports of loopback."""
    from msgspec.structs import replace

    def with_url(endpoint: DemoEndpoint) -> Endpoint:
        root = f"http://127.0.0.1:{ports[endpoint.name]}"
        return replace(endpoint.config, url=root, metrics_url=f"{root}/metrics")

    return Settings(tuple(map(with_url, ENDPOINTS)), retention=_RETENTION)
