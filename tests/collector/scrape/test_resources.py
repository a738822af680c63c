"""A model has the figures of the machine and of the devices that it names as its resources."""

import asyncio
from contextlib import suppress

import pytest
from msgspec.structs import replace

from collector.scrape.scrapes import KINDS, NOON, known, named, signals
from servers.loopback import Asked, answer, listening
from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.attempt import MetricsPage
from watchdeck.collector.scrape.manager import ScrapeManager
from watchdeck.collector.scrape.resources import FleetResources
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import Outcome, Scrape
from watchdeck.domain.metrics.signal import RESOURCE_SIGNALS, SIGNALS, signal_details
from watchdeck.domain.settings.endpoint import Endpoint, Resource
from watchdeck.domain.signals.counter_window import CounterWindow
from watchdeck.domain.signals.derive import ProbeFacts, failed_signals
from watchdeck.domain.signals.probe_window import ProbeWindow
from watchdeck.domain.values.units import Milliseconds
from watchdeck.net.address import parse_url

EVERY = 10_000
GPUS = """\
DCGM_FI_DEV_GPU_UTIL{gpu="0"} 84
DCGM_FI_DEV_GPU_UTIL{gpu="1"} 12
DCGM_FI_DEV_FB_USED{gpu="0"} 60
DCGM_FI_DEV_FB_FREE{gpu="0"} 20
DCGM_FI_DEV_FB_USED{gpu="1"} 8
DCGM_FI_DEV_FB_FREE{gpu="1"} 72
"""
DCGM = replace(known("dcgm"), helper=True)
NODE = named("http://gpu-node:9400", name="gpu-node")
WORDS = named("http://node-7:9100", name="node-7", map={"gpu_utilization": "busy_ratio"})


def model(*resources: str | Resource, name: str = "chat") -> Endpoint:
    return named("http://chat:8000", "vllm", name=name, resources=resources)


def scrape_of(endpoint: Endpoint, at: int = NOON, **known_already: object) -> Scrape:
    """A scrape that read no page, as the collector makes it before resources are added."""
    frame = failed_signals(
        known("vllm"), endpoint, CounterWindow(60_000), ProbeWindow(), at, ProbeFacts()
    )
    more: dict[str, object] = {"not_measurable": ("gpu_utilization",)} | known_already
    return Scrape(endpoint.name, at, 0.1, Outcome.OK, frame, **more)  # type: ignore[arg-type]


def page(text: str) -> MetricsPage:
    read = PageParser().read("gpu-node", text.encode())
    return MetricsPage(parse_url("http://gpu-node:9400"), read.layout, read.values)


def added(
    endpoint: Endpoint, text: str = GPUS, *, kind: Kind = DCGM, at: int = NOON, **already: object
) -> Scrape:
    """The scrape of a model at `at` after the page of the GPU node was read at noon."""
    fleet = FleetResources([endpoint, NODE, WORDS])
    fleet.add_page("gpu-node", kind, page(text), NOON)
    return fleet.add_to(scrape_of(endpoint, at, **already))


def test_signals_of_resources_have_no_details_that_would_be_lost() -> None:
    assert not [name for name in RESOURCE_SIGNALS if signal_details(SIGNALS[name])]


def test_a_model_has_the_figures_of_the_part_that_it_uses() -> None:
    found = added(model(Resource("gpu-node", {"gpu": "0"})))
    assert signals(found)["gpu_utilization"] == pytest.approx(0.84)
    assert signals(found)["gpu_memory_ratio"] == pytest.approx(0.75)
    assert found.resources == dict.fromkeys(("gpu_utilization", "gpu_memory_ratio"), "gpu-node")
    assert "gpu_utilization" not in found.not_measurable
    assert "memory_ratio" in found.not_measurable, "neither page tells the memory of the machine"


def test_a_name_alone_stands_for_the_whole_machine() -> None:
    found = added(model("gpu-node"))
    assert signals(found)["gpu_utilization"] == pytest.approx(0.48)
    assert signals(found)["gpu_memory_ratio"] == pytest.approx(68 / 160)


def test_of_several_parts_the_greatest_value_counts() -> None:
    parts = (Resource("gpu-node", {"gpu": gpu}) for gpu in ("1", "0"))
    assert signals(added(model(*parts)))["gpu_memory_ratio"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("match", "why"),
    [
        pytest.param({"gpu": "7"}, 'no series of its page has gpu="7"', id="no such part"),
        pytest.param({"card": "0"}, 'no series of its page has card="0"', id="no such label"),
    ],
)
def test_a_part_that_the_page_does_not_have_is_unknown(match: dict[str, str], why: str) -> None:
    found = added(model(Resource("gpu-node", match)))
    assert not {*RESOURCE_SIGNALS} & signals(found).keys()
    assert found.remarks["gpu_utilization"] == f"gpu-node: {why}"
    assert found.resources == {}


@pytest.mark.parametrize(
    ("age", "has_value"),
    [pytest.param(3 * EVERY, True, id="recent"), pytest.param(3 * EVERY + 1, False, id="old")],
)
def test_an_old_page_gives_nothing(age: int, *, has_value: bool) -> None:
    found = added(model("gpu-node"), at=NOON + age)
    assert ("gpu_utilization" in signals(found)) is has_value
    assert ("gpu_utilization" in found.remarks) is not has_value
    if not has_value:
        assert found.remarks["gpu_utilization"] == "gpu-node: its page is 30s old"


def test_a_resource_that_was_never_read_is_said_to_be_that() -> None:
    endpoint = model("gpu-node")
    found = FleetResources([endpoint, NODE]).add_to(scrape_of(endpoint))
    assert found.remarks == dict.fromkeys(RESOURCE_SIGNALS, "gpu-node: its page was not read yet")
    assert found.not_measurable == ()


def test_the_own_figure_of_a_server_is_never_replaced_by_that_of_a_machine() -> None:
    found = added(model("gpu-node"), expected=("gpu_utilization",))
    assert "gpu_utilization" not in {*signals(found), *found.resources, *found.remarks}
    assert found.resources == {"gpu_memory_ratio": "gpu-node"}


def test_another_server_gives_only_what_its_map_says() -> None:
    endpoint = model("node-7")
    fleet = FleetResources([endpoint, WORDS])
    text = "busy_ratio 0.5\nprocess_resident_memory_bytes 1e6\n"
    fleet.add_page("node-7", known("prometheus"), page(text), NOON)
    found = fleet.add_to(scrape_of(endpoint))
    assert found.resources == {"gpu_utilization": "node-7"}
    assert "memory_bytes" not in signals(found)


def test_a_model_without_resources_keeps_its_scrape() -> None:
    plain = named("http://chat:8000", "vllm", name="plain")
    scrape = scrape_of(plain)
    assert FleetResources([plain, NODE]).add_to(scrape) is scrape
    assert "gpu_temperature" not in {series.name for series in scrape.signals.layout.series}


async def test_the_manager_passes_the_pages_of_a_resource_on() -> None:
    found: asyncio.Future[Scrape] = asyncio.get_running_loop().create_future()
    helpers = tuple(DCGM if kind.name == "dcgm" else kind for kind in KINDS)

    def submit(scrape: Scrape) -> None:
        if scrape.endpoint == "gpu-node":
            assert scrape.model_detail == "the page of a machine or device, not a model server"
        elif scrape.resources and not found.done():
            found.set_result(scrape)

    async def respond(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(GPUS.encode()))

    async with listening(respond) as port:
        url, every = f"http://127.0.0.1:{port}", Milliseconds(200)
        chat = named(url, "prometheus", name="chat", every=every, resources=(Resource("gpu-node"),))
        node = named(url, "dcgm", name="gpu-node", every=every, metrics_url=f"{url}/metrics")
        ticks = iter(range(NOON, 2 * NOON))
        manager = ScrapeManager([chat, node], helpers, submit, lambda: next(ticks))
        task = asyncio.create_task(manager.run())
        try:
            scrape = await asyncio.wait_for(found, 30)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    assert signals(scrape)["gpu_utilization"] == pytest.approx(0.48)
