"""The intake: what it takes is in the store before it says so; what it refuses, it names."""

import asyncio
import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collector.intake.senders import LIMIT, TOKEN, answer, json_of, request, serving
from domain.external.payloads import WEBHOOKS, alert, captured, posted, webhook
from log_lines import lines_of
from watchdeck.domain.external.event import Status
from watchdeck.net.server import CONNECTIONS


async def test_a_webhook_is_in_the_store_when_its_sender_is_told_so(tmp_path: Path) -> None:
    body, _ = captured("firing")
    async with serving(tmp_path) as place:
        heard = await place.post("/alertmanager", body)
        [event] = place.events()
    assert (heard.status, heard.closed) == (200, False)
    assert (event.rule, event.source) == ("ModelErrorRatioHigh", "alertmanager")


@pytest.mark.parametrize("name", [one.removeprefix("am025_webhook_v4_") for one in WEBHOOKS])
async def test_every_captured_webhook_is_taken(tmp_path: Path, name: str) -> None:
    body, _ = captured(name)
    async with serving(tmp_path) as place:
        assert (await place.post("/alertmanager", body)).status == 200
        assert len(place.events()) == 1


async def test_the_same_webhook_again_is_told_of_success_and_kept_once(tmp_path: Path) -> None:
    body, _ = captured("firing")
    async with serving(tmp_path) as place:
        for _ in range(3):
            assert (await place.post("/alertmanager", body)).status == 200
        assert len(place.events()) == 1


async def test_a_prometheus_may_send_straight(tmp_path: Path) -> None:
    async with serving(tmp_path) as place:
        heard = await place.post("/api/v2/alerts", posted(alert(endsAt="2026-11-23T05:04:00Z")))
        [event] = place.events()
    assert heard.status == 200
    assert (event.source, event.status) == ("prometheus", Status.FIRING)


async def test_cloud_events_are_taken(tmp_path: Path) -> None:
    told = {
        "specversion": "1.0",
        "id": "1",
        "source": "/x",
        "type": "com.example.firing",
        "data": {"rule": "slow"},
    }
    async with serving(tmp_path) as place:
        kind = "Content-Type: application/cloudevents+json"
        assert (await place.post("/events", json_of(told), kind)).status == 200
        assert [event.rule for event in place.events()] == ["slow"]


async def test_a_webhook_is_of_the_alertmanager_that_sent_it(tmp_path: Path) -> None:
    names = {"http://vm:19093": "eu", "http://us:9093": "us"}
    body, _ = captured("firing")
    async with serving(tmp_path, names=names) as place:
        await place.post("/alertmanager", body)
        await place.post("/alertmanager/us", body)
        assert (await place.post("/alertmanager/asia", body)).status == 404
        assert {event.source for event in place.events()} == {"eu", "us"}


async def test_what_a_webhook_left_out_is_asked_for_or_told(tmp_path: Path) -> None:
    body = webhook(alert(), truncatedAlerts=9)
    async with serving(tmp_path) as place:
        assert (await place.post("/alertmanager", body)).status == 200
        assert place.source("alertmanager").problem.startswith("9 alerts were left out")
        assert place.more == ["alertmanager"]


async def test_ready_is_told_to_everybody(tmp_path: Path) -> None:
    async with serving(tmp_path) as place:
        heard = await place.send(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (heard.status, heard.words) == (200, "ready")


REFUSED = [
    pytest.param(request("/alertmanager", b"{}", token="wrong"), 401, "token", id="a wrong token"),
    pytest.param(request("/alertmanager", b"{}", token=""), 401, "token", id="an empty token"),
    pytest.param(
        b"POST /alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        401,
        "Authorization: Bearer",
        id="no token",
    ),
    pytest.param(
        b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 401, "token", id="a path that is not there"
    ),
    pytest.param(request("/metrics", b""), 404, "there is /alertmanager", id="with the token"),
    pytest.param(
        request("/alertmanager", b"").replace(b"POST", b"PUT"), 405, "only POST", id="a method"
    ),
    pytest.param(request("/alertmanager", b"{"), 400, "not JSON", id="half a body"),
    pytest.param(request("/alertmanager", b"[]"), 400, "not an Alertmanager webhook", id="a list"),
    pytest.param(request("/api/v2/alerts", b"{}"), 400, "not a list of alerts", id="no list"),
    pytest.param(request("/events", b"{}"), 400, "has no specversion", id="no event"),
    pytest.param(request("/changes", b"{}", token="wrong"), 401, "token", id="a change, no token"),
    pytest.param(
        request("/changes", b"{}").replace(b"POST", b"GET"), 405, "only POST", id="to read changes"
    ),
    pytest.param(request("/changes", b"{"), 400, "not JSON", id="half a change"),
    pytest.param(request("/changes", b"[]"), 400, "not a JSON object", id="a list of changes"),
    pytest.param(request("/changes", b"[" * 9_999), 400, "too deeply", id="a deep change"),
    pytest.param(
        request("/changes", b'{"text": "v2"}'), 400, "field `model`", id="a change of no model"
    ),
    pytest.param(
        request("/changes", b'{"model": "a", "text": "b", "who": "c"}'),
        400,
        "unknown field `who`",
        id="a change with an unknown field",
    ),
    pytest.param(
        request("/api/v2/alerts", b"[" + b"{}," * 6_000 + b"{}]"), 413, "at most 5000", id="flood"
    ),
    pytest.param(request("/alertmanager", b"x" * (LIMIT + 1)), 413, "over 64KiB", id="too large"),
    pytest.param(
        request("/alertmanager", gzip.compress(bytes(1 << 20)), "Content-Encoding: gzip"),
        413,
        "over 64KiB",
        id="a bomb",
    ),
    pytest.param(
        request("/alertmanager", b"x", "Content-Encoding: br"), 400, "not taken", id="an encoding"
    ),
    pytest.param(
        request("/alertmanager", b"{}", "Transfer-Encoding: chunked"), 400, "not proper", id="two"
    ),
    pytest.param(
        request("/alertmanager", b"{}", "Content-Length: 3"), 400, "not proper", id="two lengths"
    ),
    pytest.param(request("/alertmanager", b"{}", "Bad Name: x"), 400, "not proper", id="a name"),
    pytest.param(
        request("/alertmanager", b"{}", *["X: y"] * 100), 431, "more than 64", id="many headers"
    ),
    pytest.param(
        request("/alertmanager", b"{}", f"X: {'y' * 20_000}"), 431, "over 16KiB", id="large headers"
    ),
    pytest.param(
        request("/alertmanager", b"{}", f"X:{' ' * 9_000}\x00"), 431, "over 8KiB", id="one is large"
    ),
    pytest.param(b"\x16\x03\x01\x02\x00\r\n\r\n", 400, "not proper HTTP", id="TLS"),
    pytest.param(b"GET http://x/ HTTP/1.1\r\n\r\n", 400, "not proper HTTP", id="a proxy's line"),
    pytest.param(b"GET /-/ready HTTP/1.1\r\n\r\n", 400, "names no host", id="no host"),
]


@pytest.mark.parametrize(("data", "status", "words"), REFUSED)
async def test_what_is_not_taken_is_named_and_leaves_nothing(
    tmp_path: Path, data: bytes, status: int, words: str
) -> None:
    async with serving(tmp_path) as place:
        heard = await place.send(data)
        assert (heard.status, heard.closed) == (status, True)
        assert words in heard.words
        assert TOKEN not in heard.words
        assert place.events() == ()


async def test_of_a_body_with_bad_alerts_the_good_ones_are_taken(tmp_path: Path) -> None:
    async with serving(tmp_path) as place:
        heard = await place.post("/alertmanager", webhook(alert(), 7))
        assert (heard.status, heard.words) == (
            400,
            "1 alerts could not be read; the other 1 were taken",
        )
        assert len(place.events()) == 1


async def test_a_body_in_chunks_or_packed_is_the_same_body(tmp_path: Path) -> None:
    body, _ = captured("firing")
    head = request("/alertmanager", b"").replace(
        b"Content-Length: 0", b"Transfer-Encoding: chunked"
    )
    half = len(body) // 2
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(x), x) for x in (body[:half], body[half:]))
    async with serving(tmp_path) as place:
        assert (await place.send(head + chunks + b"0\r\n\r\n")).status == 200
        packed = gzip.compress(body)
        assert (await place.post("/alertmanager", packed, "Content-Encoding: gzip")).status == 200
        assert len(place.events()) == 1


async def test_one_connection_carries_many_requests(tmp_path: Path) -> None:
    async with serving(tmp_path) as place:
        reader, writer = await place.connect()
        for _ in range(5):
            writer.write(request("/alertmanager", webhook(alert())))
            assert (await answer(reader)).status == 200
        writer.close()


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"POST /alertmanager HTTP/1.1\r\nHost", id="half a head"),
        pytest.param(request("/alertmanager", b"x" * 100)[:-50], id="half a body"),
    ],
)
async def test_who_is_slow_is_cut_off(tmp_path: Path, begun: bytes) -> None:
    async with serving(tmp_path, patience=0.2) as place:
        assert (await place.send(begun)).status == 408
        assert place.events() == ()


async def test_too_many_connections_are_told_to_come_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as place:
        idle = [await place.connect() for _ in range(CONNECTIONS)]
        heard = await place.send(b"")
        assert (heard.status, heard.closed) == (503, True)
        for _, writer in idle:
            writer.close()


async def test_a_store_that_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    async with serving(tmp_path) as place:
        with closing(sqlite3.connect(place.store.state)) as broken:
            broken.execute("drop table event_in")
            broken.commit()
        heard = await place.post("/alertmanager", webhook(alert()))
    assert heard.status == 503
    assert "send it again" in heard.words


async def test_a_sender_that_waits_for_leave_gets_it(tmp_path: Path) -> None:
    body = webhook(alert())
    whole = request("/alertmanager", body, "Expect: 100-continue")
    async with serving(tmp_path) as place:
        reader, writer = await place.connect()
        writer.write(whole[: -len(body)])
        async with asyncio.timeout(20):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await answer(reader)).status == 200
        writer.close()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"POST /alertmanager HTTP/1.1\r\nHos", "ends in its headers", id="the head"),
        pytest.param(request("/alertmanager", b"{}")[:-1], "ends in its body", id="the body"),
        pytest.param(
            request("/alertmanager", b"").replace(
                b"Content-Length: 0", b"Transfer-Encoding: chunked"
            )
            + b"5\r\nab",
            "ends in its body",
            id="a chunk",
        ),
        pytest.param(
            request("/alertmanager", b"").replace(
                b"Content-Length: 0", b"Transfer-Encoding: chunked"
            )
            + b"2\r\n{}\r\n0\r\n\r\nPOST / HTTP/1.1\r\n\r\n",
            "something follows",
            id="another request behind chunks",
        ),
    ],
)
async def test_a_sender_that_stops_or_goes_on_in_the_middle_is_told(
    tmp_path: Path, data: bytes, words: str
) -> None:
    async with serving(tmp_path) as place:
        reader, writer = await place.connect()
        writer.write(data)
        writer.write_eof()
        heard = await answer(reader)
        writer.close()
        assert (heard.status, heard.closed) == (400, True)
        assert words in heard.words
        assert place.events() == ()


async def test_a_sender_may_want_one_answer_alone(tmp_path: Path) -> None:
    async with serving(tmp_path) as place:
        heard = await place.post("/alertmanager", webhook(alert()), "Connection: close")
        assert (heard.status, heard.closed) == (200, True)


async def test_a_token_that_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    async with serving(tmp_path) as place:
        place.token = None
        heard = await place.post("/alertmanager", webhook(alert()))
        assert heard.status == 503
        assert "the token cannot be read here" in heard.words
        assert place.events() == ()


async def test_who_is_rejected_again_and_again_is_a_few_lines_without_a_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as place:
        for _ in range(9):
            assert (await place.post("/events?key=s3cret", b"", token="s3cret")).status == 401
        assert (await place.send(b"nonsense\r\n\r\n")).status == 400
    told, *more = lines_of(caplog)
    assert told == (
        "<4>request rejected by the intake peer=127.0.0.1 status=401"
        ' problem="the token is missing or wrong; send Authorization: Bearer TOKEN"'
    )
    assert [line.partition(" count=")[2] for line in more] == ["2", "4 left_out=1", "8 left_out=3"]
    assert "s3cret" not in "".join(lines_of(caplog))
