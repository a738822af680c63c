"""The eight endpoints of the demo: who they are, how they are used, what they promise."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from watchdeck.demo.fleet import metrics_pages as pages
from watchdeck.demo.fleet.traffic import Load
from watchdeck.domain.settings.endpoint import Endpoint, Retention, Settings, Slo
from watchdeck.domain.values.units import Milliseconds, Ratio

_EVERY = Milliseconds(2_000)
_TIMEOUT = Milliseconds(1_500)

_RETENTION = Retention(raw=Milliseconds.parse("100d"))
"""Longer than the past that the demo begins with."""


class DemoEndpoint(Struct, frozen=True):
    """One endpoint: its page, its load, and the paths that answer 200 with these bodies.

    A path in `model_paths` answers 404 while the model is unloaded.
    """

    name: str
    page: pages.Page
    load: Load
    about: Endpoint
    paths: Mapping[str, str] = field(default_factory=dict)
    model_paths: Mapping[str, str] = field(default_factory=dict)


def _part(
    name: str,
    page: pages.Page,
    load: Load,
    about: Endpoint,
    paths: Mapping[str, str] | None = None,
    model_paths: Mapping[str, str] | None = None,
) -> DemoEndpoint:
    return DemoEndpoint(name, page, load, about, paths or {}, model_paths or {})


def _slo(availability: float, latency: int, errors: float) -> Slo:
    return Slo(Ratio(availability), Milliseconds(latency), Ratio(errors))


def _endpoint(name: str, **more: object) -> Endpoint:
    return Endpoint(name, "", every=_EVERY, timeout=_TIMEOUT, **more)  # type: ignore[arg-type]


_V2 = {"/v2": '{"name":"mlserver","version":"1.7.1"}', "/v2/health/ready": ""}

CAST = (
    _part(
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
    _part(
        "churn-score",
        pages.mlserver,
        Load(12, 0.03),
        _endpoint("churn-score", model="churn-score", owner="growth", slo=_slo(0.99, 250, 0.02)),
        _V2,
        {"/v2/models/churn-score/ready": ""},
    ),
    _part(
        "support-chat",
        pages.vllm,
        Load(6, 2.2, 0.5, 0, tokens_in=420, tokens_out=160),
        _endpoint(
            "support-chat",
            owner="support",
            serves=("customer support",),
            resources=("gpu-node",),
            slo=_slo(0.995, 8_000, 0.02),
        ),
        {"/health": "", "/version": '{"version":"0.11.0"}'},
    ),
    _part(
        "image-tagger",
        pages.triton,
        Load(25, 0.06),
        _endpoint("image-tagger", model="image-tagger", owner="catalogue"),
        {"/v2": '{"name":"triton","version":"2.51.0"}', "/v2/health/ready": ""},
        {"/v2/models/image-tagger/ready": ""},
    ),
    _part(
        "demand-forecast",
        pages.bentoml,
        Load(8, 0.4, nightly=True),
        _endpoint("demand-forecast", owner="supply", slo=_slo(0.99, 2_000, 0.05)),
        {"/readyz": "\n", "/livez": "\n"},
    ),
    _part(
        "search-ranker",
        pages.kserve,
        Load(60, 0.012),
        _endpoint("search-ranker", model="search-ranker", owner="search", serves=("shop search",)),
        {"/v2/health/ready": '{"ready":true}'},
        {"/v1/models/search-ranker": '{"name":"search-ranker","ready":true}'},
    ),
    _part(
        "gpu-node",
        pages.dcgm,
        Load(5, 2.4),
        _endpoint("gpu-node", owner="platform"),
    ),
    _part(
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
"""In the order of importance to the business."""


def settings(ports: Mapping[str, int]) -> Settings:
    """The configuration that watches the fleet on these ports of loopback."""
    from msgspec.structs import replace

    def placed(part: DemoEndpoint) -> Endpoint:
        root = f"http://127.0.0.1:{ports[part.name]}"
        return replace(part.about, url=root, metrics_url=f"{root}/metrics")

    return Settings(tuple(placed(part) for part in CAST), retention=_RETENTION)
