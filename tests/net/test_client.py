import asyncio

import pytest

from net.clients import NO_TLS, PATIENT, SHORT, ask, endpoint, reading, tell
from net.conftest import Wire
from servers.hostile import PAGE, hostile
from servers.loopback import answer
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.secret import Secret
from watchdeck.errors import WatchdeckError
from watchdeck.net.address import Origin, parse_url
from watchdeck.net.connection import IDLE_TIMEOUT, Request, SocketConnection
from watchdeck.net.failure import Failure, RequestError
from watchdeck.net.resolver import Resolver

Is = Outcome
REFUSED_HOST = "://evil.example"
NOT_TAKEN = "is not taken, only one gzip or deflate"


@pytest.mark.parametrize(
    ("path", "outcome", "words"),
    [
        pytest.param("/hang", Is.TIMED_OUT, "", id="a server that never answers"),
        pytest.param("/drip-head", Is.TIMED_OUT, "", id="one byte of a header each half second"),
        pytest.param("/drip-body", Is.TIMED_OUT, "", id="one byte of the body each half second"),
        pytest.param("/huge", Is.TOO_LARGE, "over 1MiB", id="300 MB without a length"),
        pytest.param("/huge-declared", Is.TOO_LARGE, "over 1MiB", id="300 MB, as announced"),
        pytest.param("/huge-chunked", Is.TOO_LARGE, "over 1MiB", id="300 MB in chunks"),
        pytest.param("/crumbs", Is.TOO_LARGE, "too many parts", id="a body in chunks of one byte"),
        pytest.param("/interim", Is.TOO_LARGE, "than an answer", id="endless interim answers"),
        pytest.param("/headers", Is.TOO_LARGE, "headers are too", id="3 MB of headers"),
        pytest.param("/bomb", Is.TOO_LARGE, "over 1MiB", id="a gzip bomb"),
        pytest.param("/stacked", Is.UNREADABLE, NOT_TAKEN, id="two encodings"),
        pytest.param(
            "/stacked-hidden", Is.UNREADABLE, NOT_TAKEN, id="two encodings, a header each"
        ),
        pytest.param("/brotli", Is.UNREADABLE, NOT_TAKEN, id="an encoding we did not ask for"),
        pytest.param("/bad-gzip", Is.UNREADABLE, "is damaged", id="gzip that is none"),
        pytest.param("/short-gzip", Is.UNREADABLE, "ends early", id="gzip cut short"),
        pytest.param("/two-gzips", Is.UNREADABLE, "follows", id="two gzips in a row"),
        pytest.param("/loop", Is.REDIRECTED, "more than 3", id="a redirect to itself"),
        pytest.param("/to-host", Is.REDIRECTED, REFUSED_HOST, id="a redirect to another host"),
        pytest.param("/to-address", Is.REDIRECTED, "169.254.169.254", id="to a metadata service"),
        pytest.param("/to-port", Is.REDIRECTED, "another port", id="a redirect to another port"),
        pytest.param("/to-scheme", Is.REDIRECTED, "another scheme", id="to another scheme"),
        pytest.param("/to-file", Is.REDIRECTED, "leads nowhere", id="a redirect to a file"),
        pytest.param("/to-nowhere", Is.REDIRECTED, "leads nowhere", id="to what is no url"),
        pytest.param("/to-escapes", Is.REDIRECTED, "", id="a redirect to escape sequences"),
        pytest.param("/reset", Is.RESET, "was reset", id="RST instead of an answer"),
        pytest.param("/reset-in-body", Is.RESET, "was reset", id="RST in the middle of the body"),
        pytest.param("/closed", Is.RESET, "closed", id="closed without a word"),
        pytest.param(
            "/short", Is.RESET, "closed in the middle", id="a body shorter than announced"
        ),
        pytest.param("/bad-chunk", Is.UNREADABLE, "proper HTTP", id="a chunk without a size"),
        pytest.param("/two-lengths", Is.UNREADABLE, "proper HTTP", id="two lengths"),
        pytest.param("/garbage", Is.UNREADABLE, "proper HTTP", id="bytes that are no HTTP"),
        pytest.param("/http09", Is.UNREADABLE, "proper HTTP", id="a page without a head"),
    ],
)
async def test_what_a_hostile_server_does_has_a_name(
    path: str, outcome: Outcome, words: str, wire: Wire
) -> None:
    async with hostile(wire.context) as server:
        within = SHORT if outcome is Is.TIMED_OUT else PATIENT
        told = await ask(server.url(path), within, wire.tls)
    assert isinstance(told, Failure)
    assert (told.outcome, words in told.detail) == (outcome, True), told
    assert "\x1b" not in told.detail


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/chunked",
        "/http10",
        "/early",
        "/bare",
        "/gzip",
        "/deflate",
        "/headless-deflate",
        "/slash",
    ],
)
async def test_a_page_is_read_however_it_is_sent(path: str, wire: Wire) -> None:
    async with hostile(wire.context) as server:
        told = await ask(server.url(path), tls=wire.tls)
    assert isinstance(told, ProbeResponse)
    assert (told.status, told.body) == (200, PAGE)


async def test_a_status_is_an_answer_and_its_headers_are_clean(wire: Wire) -> None:
    async with (
        hostile(wire.context) as server,
        reading(endpoint(server.url("/"), tls=wire.tls)) as reader,
    ):
        down = await tell(reader, server.url("/503"))
        odd = await tell(reader, server.url("/escapes"))
    assert isinstance(down, ProbeResponse)
    assert (down.status, down.body) == (503, b"down for repair")
    assert isinstance(odd, ProbeResponse)
    assert odd.headers["x-note"] == "^[]0;owned^G"


async def test_nobody_listening_is_refused(wire: Wire) -> None:
    async with hostile(wire.context) as server:
        pass
    told = await ask(server.url("/metrics"), tls=wire.tls)
    assert told == Failure(Is.REFUSED, "the connection was refused")


async def test_a_kept_connection_that_died_is_replaced_without_a_failure(
    wire: Wire,
) -> None:
    async with hostile(wire.context) as server:
        url = server.url("/once-then-reset")
        async with reading(endpoint(url, tls=wire.tls)) as reader:
            told = [await tell(reader, url) for _ in range(3)]
    assert [isinstance(answer, ProbeResponse) for answer in told] == [True] * 3
    assert server.times("/once-then-reset") == 5


async def test_what_follows_an_answer_is_never_taken_for_the_next() -> None:
    async with hostile() as server:
        url = server.url("/extra")
        async with reading(endpoint(url)) as reader:
            told = [await tell(reader, url) for _ in range(3)]
    assert [answer.body for answer in told if isinstance(answer, ProbeResponse)] == [PAGE] * 3


async def test_a_failure_does_not_spoil_the_next_question(wire: Wire) -> None:
    paths = ["/hang", "/bomb", "/short", "/crumbs", "/interim", "/garbage", "/to-host"]
    async with (
        hostile(wire.context) as server,
        reading(endpoint(server.url("/"), tls=wire.tls)) as reader,
    ):
        for path in paths:
            within = SHORT if path == "/hang" else PATIENT
            assert isinstance(await tell(reader, server.url(path), within), Failure)
            good = await tell(reader, server.url("/metrics"))
            assert isinstance(good, ProbeResponse)
            assert good.body == PAGE


async def test_a_canary_is_posted_and_its_redirect_does_not_lose_the_body(
    wire: Wire,
) -> None:
    async with (
        hostile(wire.context) as server,
        reading(endpoint(server.url("/"), tls=wire.tls)) as reader,
    ):
        question = Request(parse_url(server.url("/echo")), method="POST", body=b'{"x": 1}')
        told = await reader.send(question)
        lost = Request(parse_url(server.url("/loop")), method="POST", body=b"{}")
        with pytest.raises(RequestError, match="would lose the request's body"):
            await reader.send(lost)
    assert told.body == b'{"x": 1}'
    assert [asked.method for asked in server.asked] == ["POST", "POST"]


async def test_user_and_password_are_sent_to_their_own_origin_and_shown_nowhere() -> None:
    async with hostile() as server, hostile() as other:
        url = f"http://me:p%40ss@127.0.0.1:{server.port}/metrics"
        async with reading(endpoint(url)) as reader:
            assert isinstance(await tell(reader, url), ProbeResponse)
            assert isinstance(await tell(reader, other.url("/metrics")), ProbeResponse)
            assert "@" not in str(parse_url(url))
    assert server.asked[0].headers["authorization"] == "Basic bWU6cEBzcw=="
    assert "authorization" not in other.asked[0].headers


async def test_no_credential_leaves_with_a_redirect() -> None:
    async with hostile() as server:
        secret = endpoint(server.url("/"), headers={"Authorization": "Bearer s3cret"})
        async with reading(secret) as reader:
            told = await tell(reader, server.url("/to-port"))
    assert isinstance(told, Failure)
    assert "s3cret" not in told.detail
    assert len(server.asked) == 1


async def test_a_secret_is_looked_up_again_after_it_was_refused() -> None:
    known = iter(["old", "renewed"])

    def reveal(_secret: Secret) -> str:
        return next(known)

    headers = {"Authorization": Secret(env="TOKEN", prefix="Bearer ")}
    async with hostile() as server:
        url = server.url("/login")
        async with reading(endpoint(url, headers=headers), reveal) as reader:
            told = [await tell(reader, url) for _ in range(3)]
    assert [answer.status for answer in told if isinstance(answer, ProbeResponse)] == [
        401,
        200,
        200,
    ]


async def test_a_secret_that_is_missing_is_said_and_nothing_is_asked() -> None:
    def reveal(_secret: Secret) -> str:
        raise WatchdeckError("the secret env TOKEN is not set")

    async with hostile() as server:
        url = server.url("/metrics")
        secret = endpoint(url, headers={"X-Key": Secret(env="TOKEN")})
        async with reading(secret, reveal) as reader:
            told = await tell(reader, url)
    assert told == Failure(Is.UNREACHABLE, "not asked: the secret env TOKEN is not set")
    assert server.asked == []


@pytest.mark.parametrize("value", ["s3cret\r\nX-Evil: 1", "s3cret\x00", "s3crét"])
async def test_a_secret_that_is_no_header_is_refused_without_showing_it(value: str) -> None:
    async with hostile() as server:
        url = server.url("/metrics")
        secret = endpoint(url, headers={"X-Key": Secret(env="TOKEN")})
        async with reading(secret, lambda _secret: value) as reader:
            with pytest.raises(RequestError, match="x-key has a character") as caught:
                await reader.get(parse_url(url))
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cr" not in str(error)
        error = error.__cause__ or error.__context__
    assert server.asked == []


async def test_many_questions_at_once_wait_for_the_one_connection(wire: Wire) -> None:
    async with hostile(wire.context) as server:
        url = server.url("/metrics")
        async with reading(endpoint(url, tls=wire.tls)) as reader:
            told = await asyncio.gather(*(tell(reader, url) for _ in range(5)))
    assert all(isinstance(answer, ProbeResponse) for answer in told)


async def test_a_server_that_answers_before_it_is_asked_is_read() -> None:
    """A server with too many connections says so at once, and closes."""
    said = answer(b"come again", status="503 Busy")

    async def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    async with server:
        told = await ask(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", PATIENT)
    assert isinstance(told, ProbeResponse)
    assert (told.status, told.body) == (503, b"come again")


async def test_a_connection_that_was_idle_for_too_long_is_not_used_again() -> None:
    async with hostile() as server:
        origin = Origin("http", "127.0.0.1", server.port)
        connection = SocketConnection(origin, NO_TLS, Resolver())
        question = Request(parse_url(server.url("/metrics")))
        reused = []
        for idle in (0.0, 1.0, IDLE_TIMEOUT + 1):
            connection._idle_since -= idle
            await connection.exchange(question)
            reused.append(connection.reused)
        await connection.close()
    assert reused == [False, True, False]
