"""httpx's client over our own connections: its interface, our limits."""

import httpx
import pytest

from net.conftest import Wire
from servers.hostile import PAGE, hostile
from watchdeck.domain.values.secret import Tls
from watchdeck.net.resolver import Resolver
from watchdeck.net.transport import Transport

PATIENT = 10.0


def client(tls: Tls, timeout: float = PATIENT, limit: int = 1 << 20) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=Transport(Resolver(), tls, timeout=timeout, limit=limit))


@pytest.mark.parametrize("path", ["/metrics", "/chunked", "/http10", "/gzip", "/deflate", "/early"])
async def test_a_page_is_read_however_it_is_sent(path: str, wire: Wire) -> None:
    async with hostile(wire.context) as server, client(wire.tls) as http:
        response = await http.get(server.url(path))
    assert (response.status_code, response.content) == (200, PAGE)


async def test_httpx_follows_redirects_and_signs_in(wire: Wire) -> None:
    async with hostile(wire.context) as server, client(wire.tls) as http:
        moved = await http.get(server.url("/slash"), follow_redirects=True, auth=("me", "s3cret"))
        stays = await http.get(server.url("/slash"))
    assert (moved.content, stays.status_code) == (PAGE, 307)
    assert server.asked[0].headers["authorization"].startswith("Basic ")


async def test_one_connection_carries_many_requests(wire: Wire) -> None:
    async with hostile(wire.context) as server, client(wire.tls) as http:
        posted = [await http.post(server.url("/echo"), json={"x": n}) for n in range(3)]
    assert [one.json() for one in posted] == [{"x": n} for n in range(3)]
    assert {asked.headers["host"] for asked in server.asked} == {f"127.0.0.1:{server.port}"}


async def test_of_a_body_that_is_too_large_the_beginning_and_the_status_arrive() -> None:
    async with hostile() as server, client(Tls(), limit=1_000) as http:
        responses = [await http.get(server.url(path)) for path in ("/huge", "/huge-declared")]
    assert [(one.status_code, len(one.content)) for one in responses] == [(200, 1_000)] * 2


@pytest.mark.parametrize("path", ["/bomb", "/stacked", "/bad-gzip", "/short-gzip", "/brotli"])
async def test_a_body_that_cannot_be_decompressed_does_not_hide_the_status(path: str) -> None:
    async with (
        hostile() as server,
        client(Tls()) as http,
        http.stream("GET", server.url(path)) as response,
    ):
        assert response.status_code == 200
        with pytest.raises(httpx.DecodingError):
            await response.aread()


@pytest.mark.parametrize(
    ("path", "error"),
    [
        pytest.param("/hang", httpx.ReadTimeout, id="never answers"),
        pytest.param("/reset", httpx.ReadError, id="resets"),
        pytest.param("/short", httpx.ReadError, id="stops in the middle"),
        pytest.param("/garbage", httpx.RemoteProtocolError, id="is no HTTP"),
        pytest.param("/headers", httpx.RemoteProtocolError, id="has endless headers"),
        pytest.param("/crumbs", httpx.RemoteProtocolError, id="sends crumbs"),
    ],
)
async def test_a_failure_is_httpxs_own(path: str, error: type[Exception], wire: Wire) -> None:
    within = 0.3 if path == "/hang" else PATIENT
    async with hostile(wire.context) as server, client(wire.tls, within) as http:
        with pytest.raises(error):
            await http.get(server.url(path))


async def test_nobody_listening_is_a_failed_connection_whose_text_has_no_address() -> None:
    async with hostile() as server:
        url = server.url("/s3cret").replace("//", "//me:s3cret@")
    async with client(Tls()) as http:
        with pytest.raises(httpx.ConnectError) as caught:
            await http.get(url)
    assert str(caught.value) == "the connection was refused"


async def test_cookies_are_not_kept_and_headers_cannot_be_added() -> None:
    async with hostile() as server, client(Tls()) as http:
        await http.get(server.url("/cookies"))
        assert not http.cookies
        with pytest.raises(httpx.TransportError, match="character that HTTP does not allow"):
            await http.get(server.url("/metrics"), headers={"x-key": "a\r\nX-Evil: 1"})
    assert [asked.target for asked in server.asked] == ["/cookies"]
