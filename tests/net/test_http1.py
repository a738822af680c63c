"""Our reading of HTTP against h11's: the same answer, or a refusal by both."""

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.connection import MAX_PIECES
from watchdeck.net.failure import RequestError
from watchdeck.net.http1 import (
    MAX_HEAD_SIZE,
    MAX_LINE,
    ChunkedDecoder,
    ResponseHead,
    end_of_head,
    read_head,
)

LIMIT = 1 << 20
Answered = tuple[int, bytes, bool]


def ours(sent: bytes) -> Answered | None:
    """Status, body and whether the connection lives on; None for a refusal or a half answer."""
    try:
        while True:
            end = end_of_head(sent)
            if end is None:
                return None
            head, sent = read_head(sent[:end]), sent[end:]
            if head.status >= 200:
                return _body(head, sent)
    except RequestError:
        return None


def _body(head: ResponseHead, sent: bytes) -> Answered | None:
    if head.chunked:
        chunks = ChunkedDecoder(LIMIT)
        chunks.feed(sent)
        return None if chunks.rest is None else (head.status, chunks.body, head.keep_alive)
    if head.length is None:
        return head.status, sent, False
    return None if len(sent) < head.length else (head.status, sent[: head.length], head.keep_alive)


def theirs(sent: bytes) -> Answered | None:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_SIZE)
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
                return status, body, connection.their_state is h11.DONE and not ended
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
def test_an_answer_is_read_as_h11_reads_it_or_refused_by_both(sent: bytes) -> None:
    assert ours(sent) == theirs(sent)


@given(st.binary(max_size=60))
def test_garbage_is_never_an_error_of_another_name(sent: bytes) -> None:
    ours(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + sent)
    ours(b"HTTP/1.1 " + sent + b"\r\n\r\n")
    ours(sent)


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=8), st.data())
def test_a_chunked_body_is_the_same_however_it_is_torn(
    pieces: list[bytes], data: st.DataObject
) -> None:
    sent = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\nleft"
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=6).map(sorted))
    chunks = ChunkedDecoder(LIMIT)
    for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        if chunks.rest is None:
            chunks.feed(sent[begin:end])
    assert chunks.body == b"".join(pieces)
    assert chunks.rest is not None
    assert b"left".startswith(chunks.rest)


@pytest.mark.parametrize(
    ("sent", "outcome", "words"),
    [
        (b"100001\r\n", Outcome.TOO_LARGE, "over 1MiB"),
        (b"1\r\na\r\n" * (MAX_PIECES + 1), Outcome.TOO_LARGE, "too many parts"),
        (b"1" * (MAX_HEAD_SIZE + 1), Outcome.UNREADABLE, "proper HTTP"),
    ],
)
def test_a_chunked_body_is_bounded(sent: bytes, outcome: Outcome, words: str) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        ChunkedDecoder(LIMIT).feed(sent)
    assert caught.value.failure.outcome is outcome


def test_a_head_is_bounded() -> None:
    assert end_of_head(b"a" * MAX_HEAD_SIZE) is None
    with pytest.raises(RequestError, match="the headers are too large"):
        end_of_head(b"a" * (MAX_HEAD_SIZE + 1))


def test_an_answer_to_head_has_no_body() -> None:
    head = read_head(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "HEAD")
    assert (head.length, head.keep_alive) == (0, True)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\na:" + b" " * 99_000 + b"\x00\r\n\r\n",
            "a header is too large",
            id="blanks before what is forbidden",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\na:" + b"b" * MAX_LINE + b"\r\n\r\n",
            "a header is too large",
            id="a line over the bound",
        ),
    ],
)
def test_a_header_line_has_a_bound(sent: bytes, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        read_head(sent)


@pytest.mark.parametrize("sent", [b"5;" + b" " * 9_000 + b"\nx\r\n", b"5;" + b" " * 9_000])
def test_a_line_that_announces_a_chunk_has_a_bound(sent: bytes) -> None:
    with pytest.raises(RequestError, match="not proper HTTP"):
        ChunkedDecoder(LIMIT).feed(sent)
