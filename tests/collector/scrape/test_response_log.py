"""What a server answers is kept for a person's eyes: cut, cleaned, and without secrets."""

import asyncio
from pathlib import Path

import pytest

from collector.scrape.scrapes import NOON, named, scraping
from servers.loopback import Asked, answer, listening
from watchdeck.collector.scrape.response_log import CHARACTERS, LINES, MOST, RENEW, raw_response
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.values.secret import Secret
from watchdeck.redaction import remember

PAGE = b"# TYPE up gauge\nup 1\n"


async def test_the_raw_answers_come_with_the_first_scrape_and_then_once_a_minute() -> None:
    async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
        known = asked.target == "/metrics"
        writer.write(
            answer(PAGE, "Content-Type: text/plain", "Server: x/1", "Set-Cookie: id=7")
            if known
            else answer(b"no", status="404 Not Found")
        )

    async with (
        listening(respond) as port,
        scraping(named(f"http://127.0.0.1:{port}/metrics", "prometheus")) as beats,
    ):
        first, second = await beats.times(2)
        later = await beats.next(after=RENEW)
    (page,) = [one for one in first.exchanges if one.asked == "/metrics"]
    assert (page.at, page.status) == (NOON + 10_000, 200)
    assert (page.headers, page.body) == (
        "content-type: text/plain; server: x/1",
        "# TYPE up gauge\nup 1",
    )
    assert second.exchanges == ()
    assert [one.asked for one in later.exchanges] == ["/metrics"]


async def test_another_outcome_is_kept_at_once_with_what_went_wrong() -> None:
    broken = asyncio.Event()

    async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
        assert asked.method == "GET"
        writer.write(
            answer(b"<b>boom</b>", status="500 Oh no") if broken.is_set() else answer(PAGE)
        )

    async with (
        listening(respond) as port,
        scraping(named(f"http://127.0.0.1:{port}/metrics", "prometheus")) as beats,
    ):
        await beats.next()
        broken.set()
        second = await beats.next()
    (page,) = second.exchanges
    assert (page.status, page.body) == (500, "<b>boom</b>")


async def test_a_server_that_is_not_there_leaves_the_reason() -> None:
    async with scraping(named("http://127.0.0.1:9/metrics", "prometheus")) as beats:
        scrape = await beats.next()
    (page,) = scrape.exchanges
    assert page.status is None
    assert "refused" in page.body


async def test_a_secret_that_a_server_repeats_is_hidden(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("tok-12345\n")
    token.chmod(0o600)

    async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
        told = asked.headers["authorization"].encode()
        writer.write(answer(b"# you sent " + told + b"\n" + PAGE, "Server: tok-12345"))

    secret = Secret(file=str(token), prefix="Bearer ")
    async with (
        listening(respond) as port,
        scraping(
            named(
                f"http://127.0.0.1:{port}/metrics", "prometheus", headers={"Authorization": secret}
            )
        ) as beats,
    ):
        scrape = await beats.next()
    (page,) = scrape.exchanges
    assert "tok-12345" not in repr(page)
    assert page.body.splitlines()[0] == "# you sent (secret)"
    assert page.headers == "server: (secret)"


def test_a_secret_at_the_edge_of_what_is_kept_is_hidden_whole() -> None:
    remember("tok-1234567890-abcdef")
    for before in range(4_060, 4_100):
        body = b"\n" * before + b"tok-1234567890-abcdef"
        kept = raw_response("/x", 7, ProbeResponse(200, body))
        assert "tok" not in kept.body
    for before in range(5_080, 5_125):
        body = b"x" * before + b"\ntok-1234567890-abcdef"
        assert "tok" not in raw_response("/x", 7, ProbeResponse(200, body)).body


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        pytest.param(b"\x1b[2J\x9b1m\n\x00", "^[[2J\ufffd1m\n^@", id="control characters"),
        pytest.param(b"a\n" * 50, "\n".join("a" * LINES), id="many lines"),
        pytest.param(b"x" * 9_000, "x" * (CHARACTERS - 1) + "…", id="a long line"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_a_body_is_cleaned_and_cut(body: bytes, kept: str) -> None:
    assert raw_response("/x", 7, ProbeResponse(200, body)).body == kept


def test_no_more_questions_are_kept_than_a_screen_can_show() -> None:
    assert MOST <= 10
