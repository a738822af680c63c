import asyncio
import socket
import threading

import pytest

from net.clients import endpoint, reading, tell
from servers.hostile import hostile
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.failure import Failure, RequestError
from watchdeck.net.resolver import MAX_LOOK_UPS, Resolver, system_look_up
from watchdeck.net.stream import connect


def test_the_system_knows_this_machine() -> None:
    assert "127.0.0.1" in system_look_up("localhost")


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "fd00:ec2::254"],
)
async def test_a_name_that_leads_to_a_metadata_service_is_refused(address: str) -> None:
    with pytest.raises(RequestError, match="link-local or metadata") as caught:
        await Resolver(lambda _host: [address]).addresses("rebound.example")
    assert caught.value.failure.outcome is Outcome.UNREACHABLE


async def test_an_address_that_the_owner_wrote_down_is_allowed() -> None:
    assert await Resolver().addresses("169.254.1.2") == ["169.254.1.2"]


async def test_only_the_allowed_addresses_of_a_name_are_used() -> None:
    resolver = Resolver(lambda _host: ["fe80::1", "10.0.0.1"])
    assert await resolver.addresses("mixed.example") == ["10.0.0.1"]


async def test_names_that_hang_hold_up_no_other_name_and_are_asked_once_each() -> None:
    ended = threading.Event()
    asked: list[str] = []

    def look_up(host: str) -> list[str]:
        asked.append(host)
        if host.startswith("hang"):
            ended.wait()
        return ["10.0.0.1"]

    resolver = Resolver(look_up)
    stuck = [
        asyncio.create_task(resolver.addresses(f"hang{n // 2}.example"))
        for n in range(2 * (MAX_LOOK_UPS - 1))
    ]
    assert await resolver.addresses("fine.example") == ["10.0.0.1"]
    for task in stuck:
        task.cancel()
    ended.set()
    assert len(asked) == MAX_LOOK_UPS


async def test_a_name_that_is_not_known_is_a_dns_failure() -> None:
    def look_up(_host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "s3cret")

    url = "http://absent.example/metrics"
    async with reading(endpoint(url), resolver=Resolver(look_up)) as reader:
        assert await tell(reader, url) == Failure(Outcome.DNS, "the host name is not known")
        assert await tell(reader, url) == Failure(Outcome.DNS, "the host name is not known")


async def test_an_error_that_nobody_waits_for_any_more_is_no_warning() -> None:
    let_go, told = threading.Event(), threading.Event()

    def look_up(_host: str) -> list[str]:
        let_go.wait()
        told.set()
        raise socket.gaierror(socket.EAI_AGAIN, "late")

    resolver = Resolver(look_up)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(resolver.addresses("slow.example"), 0.01)
    let_go.set()
    await asyncio.to_thread(told.wait)


async def test_the_first_address_that_answers_is_used() -> None:
    async with hostile() as server:
        names = Resolver(lambda _host: ["127.0.0.2", "127.0.0.3", "127.0.0.1"])
        url = f"http://several.example:{server.port}/metrics"
        async with reading(endpoint(url), resolver=names) as reader:
            assert isinstance(await tell(reader, url), ProbeResponse)
    assert server.asked[0].headers["host"] == f"several.example:{server.port}"


async def test_an_address_that_swallows_everything_does_not_hold_up_the_next() -> None:
    async with hostile() as server:
        with socket.socket() as deaf, socket.socket() as filler:
            deaf.bind(("127.0.0.2", server.port))
            deaf.listen(0)
            filler.connect(deaf.getsockname())
            wire = await connect(["127.0.0.2", "127.0.0.1"], server.port)
            wire.abort()
    assert wire.peer == "127.0.0.1"


async def test_when_no_address_answers_the_first_one_tells_why() -> None:
    async with hostile() as server:
        pass
    with pytest.raises(ConnectionRefusedError):
        await connect(["127.0.0.1", "127.0.0.2"], server.port)
