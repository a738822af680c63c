"""Ready means that this model answers; and what a detection asks of an application."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from collector.scrape.scrapes import BEAT, KINDS, Beats, scraping
from servers.loopback import Asked, answer, listening
from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.detection import discover
from watchdeck.collector.scrape.scraper import Scraper
from watchdeck.domain.settings.endpoint import Endpoint

Answers = Callable[[str], bytes]
NOT_FOUND = answer(b"not found", status="404 Not Found")
PAGE = b"# TYPE hits counter\nhits_total 1\n"


class App:
    """An application that answers each path as it likes, and counts what it was asked."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: Counter[str] = Counter()
        self.url = ""

    async def respond(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.asked[asked.target] += 1
        writer.write(self.answers(asked.target))


@asynccontextmanager
async def serving(answers: Answers) -> AsyncIterator[App]:
    app = App(answers)
    async with listening(app.respond) as port:
        app.url = f"http://127.0.0.1:{port}"
        yield app


def ray(path: str) -> bytes:
    """A Ray proxy: what it does not keep for itself is the route of an application."""
    if path == "/-/healthz":
        return answer(b"success")
    if path == "/-/routes":
        return answer(b'{"/": "default"}', "Content-Type: application/json")
    return answer(b"Traceback", status="500 Internal Server Error")


async def test_a_proxy_is_recognised_without_a_request_to_its_application() -> None:
    async with serving(ray) as app, scraping(Endpoint("e", app.url)) as beats:
        scrapes = await beats.times(3)
    assert [scrape.kind for scrape in scrapes] == ["ray_serve"] * 3
    assert {path for path in app.asked if not path.startswith("/-/")} == set()


@pytest.mark.parametrize(
    ("answered", "most"),
    [
        pytest.param(answer(b"oops", status="500 Internal Server Error"), 4, id="it fails"),
        pytest.param(answer(b"<html>welcome</html>"), 4, id="one page for all"),
    ],
)
async def test_an_application_that_answers_every_path_is_asked_few(
    answered: bytes, most: int
) -> None:
    async with serving(lambda path: NOT_FOUND if path.startswith("/-/") else answered) as app:
        found = await discover(Endpoint("e", app.url), KINDS)
    assert found.kind is None
    own = [path for path in app.asked if not path.startswith("/-/")]
    assert len(own) <= most
    assert max(app.asked.values()) == 1, "each path once"


async def test_a_server_that_nobody_knows_is_asked_ever_more_rarely() -> None:
    async with serving(lambda _: NOT_FOUND) as app, scraping(Endpoint("e", app.url)) as beats:
        scrapes = [await beats.next(60_000) for _ in range(60)]
    assert {scrape.kind for scrape in scrapes} == {None}
    assert app.asked["/v2"] <= 8
    assert "404" in scrapes[-1].detail


def kserve(path: str) -> bytes:
    """A KServe server that has not served yet: its page has no series of its own."""
    if path == "/v2":
        return answer(b'{"name": "kserve", "version": "0.21"}', "Content-Type: application/json")
    return answer(PAGE) if path == "/metrics" else NOT_FOUND


async def test_a_kind_once_known_is_kept_while_the_page_shows_none() -> None:
    async with serving(lambda path: answer(PAGE) if path == "/metrics" else NOT_FOUND) as app:
        endpoint = Endpoint("e", app.url)
        scraper = Scraper(endpoint, KINDS, PageParser(), known_kind="kserve")
        beats = Beats(scraper)
        kinds = {scrape.kind for scrape in [await beats.next(400_000) for _ in range(3)]}
        await scraper.close()
    assert kinds == {"kserve"}


async def test_an_idle_kserve_is_recognised_by_its_answer() -> None:
    async with serving(kserve) as app, scraping(Endpoint("e", app.url)) as beats:
        assert (await beats.next()).kind == "kserve"


def litserve(path: str) -> bytes:
    """A LitServe without a metrics page, as it is by default."""
    if path == "/info":
        body = b'{"model": null, "server": {"devices": [["cpu"]], "workers_per_device": 2}}'
        return answer(body, "Content-Type: application/json")
    return answer(b"ok") if path == "/health" else NOT_FOUND


async def test_a_server_whose_page_is_optional_is_well_without_one() -> None:
    async with serving(litserve) as app, scraping(Endpoint("e", app.url)) as beats:
        scrapes = await beats.times(4)
    assert [(one.kind, one.outcome, one.model_state) for one in scrapes] == [
        ("litserve", "ok", "ready")
    ] * 4
    assert app.asked["/metrics"] + app.asked["/metrics/"] <= 4, "it is looked for only rarely"


LOADING = answer(b"{}", status="400 Bad Request")
V2 = answer(b'{"name": "mlserver", "version": "1.7.1"}', "Content-Type: application/json")


class Start:
    """An MLServer that loads a model: 400, then nothing at all for a while, then ready."""

    def __init__(self) -> None:
        self.state = "loading"

    def __call__(self, path: str) -> bytes:
        if path == "/v2":
            return V2
        if path == "/metrics":
            return answer(b"rest_server_requests_total 1\nparallel_request_queue_count 1\n")
        if path.endswith("/models/iris/ready"):
            silent = answer(b"", status="503 Service Unavailable")
            return {"loading": LOADING, "silent": silent, "ready": answer()}[self.state]
        return answer() if path.endswith("/ready") else NOT_FOUND


async def test_loading_is_not_down_but_ends_at_its_bound() -> None:
    start = Start()
    async with serving(start) as app:
        endpoint = Endpoint("e", app.url, model="iris", metrics_url=f"{app.url}/metrics")
        async with scraping(replace(endpoint, kind="mlserver")) as beats:
            first = await beats.next()
            later = await beats.next(590_000)
            over = await beats.next(20_000)
            start.state = "ready"
            good = await beats.next(BEAT)
    assert [one.model_state for one in (first, later, over, good)] == [
        *("loading", "loading", "not_ready", "ready"),
    ]
    assert "it has been loading for 10m" in over.model_detail
