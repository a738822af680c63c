import pytest

from collector.scrape.scrapes import KINDS, known, named, with_port
from net.clients import SHORT
from servers.captured import captured, saying
from servers.hostile import hostile
from watchdeck.collector.scrape.detection import discover
from watchdeck.domain.metrics.scrape import Outcome


@pytest.mark.parametrize(
    ("folder", "port", "kind", "page"),
    [
        pytest.param("bentoml-1.4.39", 18100, "bentoml", "/metrics", id="BentoML by its page"),
        pytest.param("litserve-0.2.19", 18090, "litserve", "/metrics", id="LitServe by /info"),
        pytest.param("mlflow-3.17.2", 18110, "mlflow", None, id="MLflow, which has no page"),
        pytest.param("mlserver-1.7.1", 18082, "mlserver", "/metrics", id="MLServer's metrics port"),
    ],
)
async def test_a_real_server_is_recognised_by_its_url_alone(
    folder: str, port: int, kind: str, page: str | None
) -> None:
    async with captured(folder, port) as server:
        found = await discover(named(server.url()), KINDS)
        there = server.url(page) if page else None
    assert found.kind is not None
    assert (found.kind.name, found.metrics_url) == (kind, there)
    assert (found.outcome, found.detail) == (Outcome.OK, "")


@pytest.mark.parametrize(
    ("folder", "kind", "serving", "metrics"),
    [
        ("mlserver-1.7.1", "mlserver", 18080, 18082),
        ("triton-pytriton-0.7.0", "triton", 18120, 18122),
    ],
)
async def test_a_page_on_another_port_is_found_and_its_models_are_listed(
    folder: str, kind: str, serving: int, metrics: int
) -> None:
    async with captured(folder, serving) as server, captured(folder, metrics) as page:
        found = await discover(named(server.url()), with_port(kind, page.port))
        there = page.url("/metrics")
    assert found.kind is not None
    assert (found.kind.name, found.metrics_url) == (kind, there)
    assert "iris" in found.models


async def test_a_server_known_by_its_page_alone_must_answer_on_its_serving_port_too() -> None:
    folder = "torchserve-0.12.0"
    async with (
        captured(folder, 18150, "before") as server,
        captured(folder, 18152, "before") as page,
        saying(b"hello") as stranger,
    ):
        kinds = with_port("torchserve", page.port)
        found = await discover(named(server.url()), kinds)
        wrong = await discover(named(stranger.url()), kinds)
    assert found.kind is not None
    assert found.kind.name == "torchserve"
    assert wrong.kind is None
    assert wrong.outcome is Outcome.NOT_METRICS


async def test_a_page_of_another_kind_on_the_other_port_is_not_taken() -> None:
    async with (
        captured("mlserver-1.7.1", 18080) as server,
        captured("bentoml-1.4.39", 18100) as other,
    ):
        found = await discover(named(server.url()), with_port("mlserver", other.port))
    assert found.kind is not None
    assert (found.kind.name, found.metrics_url) == ("mlserver", None)
    assert (found.outcome, found.detail) == (Outcome.HTTP_STATUS, "/metrics: 404 Not Found")


async def test_a_configured_kind_is_looked_for_alone() -> None:
    async with captured("bentoml-1.4.39", 18100) as server:
        found = await discover(named(server.url(), "bentoml"), [known("bentoml")])
    assert found.kind is not None
    assert "/v2" not in server.asked


async def test_a_url_that_names_the_page_finds_the_server_before_it() -> None:
    async with captured("bentoml-1.4.39", 18100) as server:
        found = await discover(named(server.url("/metrics")), KINDS)
    assert found.kind is not None
    assert found.kind.name == "bentoml"


@pytest.mark.parametrize("path", ["/hang", "/drip-body"])
async def test_a_server_that_hangs_ends_the_look_in_time(path: str) -> None:
    async with hostile() as server:
        endpoint = named(server.url("/"), metrics_url=server.url(path), timeout=SHORT)
        found = await discover(endpoint, KINDS)
    assert (found.kind, found.outcome) == (None, Outcome.TIMED_OUT)
    assert found.detail == f"{path}: no complete answer within 300ms"


async def test_nobody_there_is_said_and_an_address_that_is_none_too() -> None:
    async with hostile() as server:
        pass
    refused = await discover(named(server.url("")), KINDS)
    none = await discover(named("ftp://a.example/"), KINDS)
    assert refused.outcome is Outcome.REFUSED
    assert none.outcome is Outcome.UNREACHABLE
