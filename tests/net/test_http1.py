"""HTTP messages within limits: the answers of h11 (an independent parser), or a refusal."""

from collections.abc import Iterator

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchdeck.net.http1 import (
    MAX_CHUNKS,
    MAX_HEAD,
    MAX_INTERIM,
    MAX_LINE,
    MAX_OVERHEAD,
    MessageError,
    MessageParser,
    RequestParser,
    ResponseParser,
    Violation,
)

LIMIT = 1 << 20
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
Answered = tuple[int, bytes]


def pieces(sent: bytes, size: int) -> Iterator[memoryview]:
    return (memoryview(sent[at : at + size]) for at in range(0, len(sent), size))


def feed(parser: MessageParser, sent: bytes, size: int = LIMIT * 64) -> MessageParser:
    """Feed bytes in pieces of a size, and then the end of the connection."""
    for piece in pieces(sent, size):
        rest = piece
        while len(rest) and not parser.complete:
            rest = rest[parser.feed(rest) :]
    parser.end()
    return parser


def refusal(parser: MessageParser, sent: bytes, size: int = LIMIT * 64) -> Violation | None:
    try:
        feed(parser, sent, size)
    except MessageError as error:
        return error.violation
    return None


def ours(sent: bytes, size: int = LIMIT) -> Answered | None:
    """Status and body; None for a refusal."""
    parser = ResponseParser("GET", LIMIT)
    if refusal(parser, sent, size) is not None:
        return None
    return parser.status, parser.body


def theirs(sent: bytes) -> Answered | None:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(sent)
    status, body, ended = 0, b"", False
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if ended:
                    return None
                ended = True
                connection.receive_data(b"")
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return status, body
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return None
    except h11.RemoteProtocolError:
        return None


OUGHT = st.sampled_from(
    [
        b"Content-Length: 3",
        b"content-length: 3",
        b"Content-Length: 3, 3",
        b"Content-Length: 3, 4",
        b"Content-Length: 0",
        b"Content-Length: 9",
        b"Content-Length: -1",
        b"Content-Length: +3",
        b"Content-Length: 000000000000000000003",
        b"Content-Length:",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: CHUNKED",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: identity",
        b"Connection: close",
        b"Connection: keep-alive, Close",
        b"Connection: keep-alive",
        b"X-A: \xe9\xff",
        b"X-A:b",
        b"X-A : b",
        b"X-A: b\x00c",
        b"X-A: b\x0bc",
        b"X-A: b\rc",
        b": no name",
        b"no colon",
        b"X-Empty:  ",
        b"X-Tab:\tx\t",
    ]
)
STATUS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.0 200 OK",
        b"HTTP/2.0 200 OK",
        b"HTTP/1.1 204 Gone",
        b"HTTP/1.1 304 Same",
        b"HTTP/1.1 404 Not \x1b[2J Found",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1  200 OK",
        b"http/1.1 200 OK",
        b"ICY 200 OK",
        b"",
    ]
)
INTERIM = st.sampled_from(
    [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nA: b\r\n\r\n"]
)
BODY = st.one_of(
    st.sampled_from(
        [
            b"",
            b"abc",
            b"abcdef",
            b"3\r\nabc\r\n0\r\n\r\n",
            b"3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n",
            b"3 \r\nabc\r\n0\r\n\n",
            b"3\r\nabc\r\n0\r\n\r\nmore",
            b"3\r\nabcd\r\n0\r\n\r\n",
            b"3\nabc\n0\n\n",
            b"ZZ\r\nabc\r\n0\r\n\r\n",
            b"0x3\r\nabc\r\n0\r\n\r\n",
            b"3\r\nabc\r\n0\r\nbad trailer\r\n\r\n",
            b"3\r\nabc\r\n0\r\n",
            b"000000000000000000003\r\nabc\r\n0\r\n\r\n",
            b"-3\r\nabc\r\n0\r\n\r\n",
        ]
    ),
    st.binary(max_size=20),
)
BREAKS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"])


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    line = draw(BREAKS)
    head = [draw(STATUS), *draw(st.lists(OUGHT, max_size=3)), b"", b""]
    return draw(INTERIM) + line.join(head) + draw(BODY)


@given(answers())
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
def test_an_answer_that_both_take_is_the_same_answer(sent: bytes) -> None:
    mine, other = ours(sent), theirs(sent)
    assert None in (mine, other) or mine == other


@given(answers(), st.integers(1, 40))
def test_an_answer_is_the_same_however_it_is_torn(sent: bytes, size: int) -> None:
    assert ours(sent, size) == ours(sent)


@given(st.binary(max_size=60))
def test_garbage_is_never_an_error_of_another_name(sent: bytes) -> None:
    ours(CHUNKED + sent)
    ours(b"HTTP/1.1 " + sent + b"\r\n\r\n")
    ours(sent)
    refusal(RequestParser(LIMIT), sent)
    refusal(RequestParser(LIMIT), b"GET " + sent + b" HTTP/1.1\r\n\r\n")


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=8), st.integers(1, 99))
def test_a_chunked_body_is_joined_and_what_follows_is_seen(body: list[bytes], size: int) -> None:
    sent = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in body) + b"0\r\n\r\n"
    parser = feed(ResponseParser("GET", LIMIT), CHUNKED + sent, size)
    assert (parser.body, parser.has_excess, parser.keep_alive) == (b"".join(body), False, True)
    assert feed(ResponseParser("GET", LIMIT), CHUNKED + sent + b"HTTP/1.1 200").has_excess


BOUNDS = [
    pytest.param(OK + b"a:" + b" " * MAX_HEAD + b"\x00\r\n\r\n", "large head", id="blanks"),
    pytest.param(OK + b"a: b\r\n" * MAX_HEAD, "large head", id="headers"),
    pytest.param(OK + b"a:" + b"b" * MAX_LINE + b"\r\n\r\n", "large line", id="a line"),
    pytest.param(b"HTTP/1.1 103 E\r\n\r\n" * 2 * MAX_INTERIM, "overhead", id="interim answers"),
    pytest.param(b"HTTP/1.1 101 S\r\n\r\n", "malformed", id="another protocol"),
    pytest.param(OK + b"a: b\x00\r\n\r\n", "malformed", id="a NUL"),
    pytest.param(CHUNKED + b"100001\r\n" + bytes(LIMIT + 1), "large body", id="a chunk"),
    pytest.param(OK + b"Content-Length: 1048577\r\n\r\n", "large body", id="a length"),
    pytest.param(OK + b"\r\n" + bytes(LIMIT + 1), "large body", id="a body without a length"),
    pytest.param(CHUNKED + b"1\r\na\r\n" * 2 * MAX_CHUNKS, "many chunks", id="crumbs"),
    pytest.param(
        CHUNKED + b"5;" + b"a" * 2 * MAX_OVERHEAD + b"\r\n", "overhead", id="an extension"
    ),
    pytest.param(
        CHUNKED + b"0\r\n" + b"a: b\r\n" * MAX_OVERHEAD, "overhead", id="endless trailers"
    ),
    pytest.param(
        CHUNKED + (b"1;" + b"a" * 9_000 + b"\r\na\r\n") * 400, "overhead", id="an extension each"
    ),
    pytest.param(CHUNKED + b"3\r\nab", "cut short", id="half a chunk"),
    pytest.param(b"HTTP/1.1 20", "cut short", id="half a status"),
    pytest.param(b"\x15\x03\x01", "malformed", id="TLS"),
]


@pytest.mark.parametrize("size", [LIMIT * 4, 1], ids=["in one piece", "one byte at a time"])
@pytest.mark.parametrize(("sent", "violation"), BOUNDS)
def test_a_response_is_bounded(sent: bytes, violation: str, size: int) -> None:
    assert refusal(ResponseParser("GET", LIMIT), sent, size) == violation


@pytest.mark.parametrize("size", [LIMIT, 1], ids=["in one piece", "one byte at a time"])
def test_a_head_at_the_bound_is_taken(size: int) -> None:
    line = b"a: " + b"b" * (MAX_LINE - 5) + b"\r\n"
    rest = MAX_HEAD - len(OK) - len(line) - 2
    sent = OK + line + b"c: " + b"d" * (rest - 5) + b"\r\n\r\n"
    assert len(sent) == MAX_HEAD
    parser = ResponseParser("GET", LIMIT)
    assert refusal(parser, sent, size) is None
    assert len(parser.headers["a"]) == MAX_LINE - 5


def test_a_longer_body_may_be_cut_at_the_limit() -> None:
    parser = feed(ResponseParser("GET", 3, truncate=True), OK + b"Content-Length: 9\r\n\r\nabcdef")
    assert (parser.body, parser.keep_alive) == (b"abc", False)


def test_an_answer_to_head_has_no_body() -> None:
    parser = feed(ResponseParser("HEAD", 1), OK + b"Content-Length: 3\r\n\r\n")
    assert (parser.complete, parser.body) == (True, b"")


def test_an_answer_that_offers_another_protocol_keeps_its_body() -> None:
    offer = b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nab"
    assert ours(OK + offer) == (200, b"ab")
    parser = feed(RequestParser(LIMIT), b"POST / HTTP/1.1\r\nHost: a\r\n" + offer)
    assert (parser.complete, parser.body) == (True, b"ab")


def test_repeated_headers_are_joined() -> None:
    parser = feed(ResponseParser("GET", LIMIT), OK + b"A: b\r\na: c \r\nContent-Length: 0\r\n\r\n")
    assert parser.headers == {"a": "b, c", "content-length": "0"}


def test_a_parser_that_is_done_is_freed_at_once() -> None:
    import gc
    import weakref

    gc.collect()
    gc.disable()
    try:
        parser = feed(ResponseParser("GET", LIMIT), OK + b"Content-Length: 2\r\n\r\nab")
        alive = weakref.ref(parser)
        del parser
        assert alive() is None
    finally:
        gc.enable()
