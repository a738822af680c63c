import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from collector.scrape.scrapes import Beats, known, named, scraping, signals
from net.clients import PATIENT, SHORT
from servers.hostile import Hostile, hostile
from servers.loopback import Asked, answer, listening
from watchdeck.domain.kinds.kind import ProbeMeaning, ProbeSpec
from watchdeck.domain.metrics.scrape import ModelState, Outcome, Scrape
from watchdeck.domain.settings.endpoint import Canary, Endpoint
from watchdeck.domain.values.units import Milliseconds

MINUTE = Milliseconds(60_000)


def endpoint(server: Hostile, **settings: str) -> Endpoint:
    canary = Canary(**({"path": "/echo", "body": '{"x": [7]}'} | settings), every=MINUTE)
    return named(server.url("/"), "prometheus", metrics_url=server.url("/metrics"), canary=canary)


async def scraped(server: Hostile, within: Milliseconds = PATIENT, **settings: str) -> Scrape:
    asked = replace(endpoint(server, **settings), timeout=within)
    async with scraping(asked) as beats:
        return await beats.next()


async def test_a_canary_is_sent_on_its_own_beat_and_its_answer_is_checked() -> None:
    async with (
        hostile() as server,
        scraping(endpoint(server, expect="$.x[0] in [7, 8]")) as beats,
    ):
        scrapes = await beats.times(7)
    assert {scrape.outcome for scrape in scrapes} == {Outcome.OK}
    assert server.times("/echo") == 2
    sent = next(asked for asked in server.asked if asked.target == "/echo")
    assert (sent.method, sent.body) == ("POST", b'{"x": [7]}')
    assert sent.headers["content-type"] == "application/json"


async def test_a_wrong_answer_fails_the_scrape_says_so_and_keeps_the_page() -> None:
    async with hostile() as server:
        scrape = await scraped(server, expect="$.x[0] == 1")
    assert scrape.outcome is Outcome.WRONG_ANSWER
    assert scrape.detail == "canary /echo: $.x[0] is 7, expected 1"
    assert signals(scrape)["up"] == 0


async def test_a_canary_that_failed_is_sent_again_with_the_next_scrape() -> None:
    async def failures(beats: Beats, count: int) -> list[int]:
        return [scrape.failures for scrape in await beats.times(count)]

    async with hostile() as server, scraping(endpoint(server, expect="$.x[0] == 1")) as beats:
        assert await failures(beats, 3) == [1, 2, 3]
    assert server.times("/echo") == 3


@pytest.mark.parametrize(
    ("settings", "outcome", "detail"),
    [
        ({"path": "/503"}, "wrong_answer", "canary /503: 503 Service Unavailable"),
        ({"path": "/html", "expect": "$.x exists"}, "wrong_answer", "canary /html: "),
        ({"path": "/hang"}, "timed_out", "canary /hang: no complete answer within 300ms"),
        ({"path": "/reset"}, "reset", "canary /reset: the connection was reset"),
        ({"path": "/huge"}, "too_large", "canary /huge: the body is over 1MiB"),
        ({"body_file": "/nowhere/canary.json"}, "unreadable", "canary /echo: its body file"),
        ({"expect": "nonsense"}, "wrong_answer", "canary /echo: "),
    ],
)
async def test_every_way_a_canary_fails_is_named(
    settings: dict[str, str], outcome: str, detail: str
) -> None:
    within = SHORT if outcome == "timed_out" else PATIENT
    async with hostile() as server:
        scrape = await scraped(server, within, **settings)
    assert scrape.outcome == outcome
    assert scrape.detail.startswith(detail)


async def test_a_canary_may_be_a_get_and_its_body_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "canary.json"
    file.write_bytes(b'{"x": [1]}')
    async with hostile() as server:
        got = await scraped(server, path="/health", method="GET", body="")
        posted = await scraped(server, body_file=str(file), expect="$.x[0] == 1")
    assert got.outcome is posted.outcome is Outcome.OK


async def test_the_owners_headers_go_before_the_usual_ones() -> None:
    async with hostile() as server:
        plain = endpoint(server)
        owned = replace(plain, headers={"Content-Type": "text/csv", "X-Team": "fraud"})
        async with scraping(owned) as beats:
            await beats.next()
    sent = next(asked for asked in server.asked if asked.target == "/echo")
    assert (sent.headers["content-type"], sent.headers["x-team"]) == ("text/csv", "fraud")


async def test_a_file_that_is_too_large_is_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "canary.json"
    file.write_bytes(bytes((1 << 20) + 1))
    async with hostile() as server:
        scrape = await scraped(server, body_file=str(file))
    assert scrape.detail == "canary /echo: its body file is over 1MiB"
    assert server.times("/echo") == 0


async def test_a_clock_that_was_set_back_does_not_silence_the_canary() -> None:
    async with hostile() as server, scraping(endpoint(server)) as beats:
        await beats.next()
        await beats.next(after=-3_600_000)
    assert server.times("/echo") == 2


async def test_no_canary_is_sent_to_a_server_that_just_failed() -> None:
    async with hostile() as server:
        bad = endpoint(server)
        reset = named(bad.url, "prometheus", metrics_url=server.url("/reset"), canary=bad.canary)
        async with scraping(reset) as beats:
            await beats.next()
    assert server.times("/echo") == 0


PREDICT = "/predict"
ROUTES = b'{"/predict": "iris"}'
TAKES_ANYTHING = {"/health": b"", "/-/healthz": b"success", "/-/routes": ROUTES, PREDICT: b"{}"}
VLLM = b'# TYPE vllm:engine_sleep_state gauge\nvllm:engine_sleep_state{sleep_state="awake"} %d\n'
RAY = b"ray_serve_application_status 6\nray_serve_autoscaling_target_replicas %d\n"
LOADED = b'{"models": [{"name": "iris:latest"}]}'
ASLEEP = b'{"is_sleeping": true}'
AVAILABLE = b'{"model_version_status": [{"state": "AVAILABLE"}]}'
LOADING = b'{"model_version_status": [{"state": "LOADING"}]}'
TAGS = b'{"models": [{"name": "iris:latest"}]}'


@pytest.mark.parametrize(
    ("kind", "path", "away", "back", "state"),
    [
        pytest.param("vllm", "/is_sleeping", ASLEEP, b"{}", "sleeping", id="vLLM's own answer"),
        pytest.param("vllm", "/metrics", VLLM % 0, VLLM % 1, "sleeping", id="vLLM's page"),
        pytest.param("llamacpp", "/props", ASLEEP, b"{}", "sleeping", id="an idle llama.cpp"),
        pytest.param("ollama", "/api/ps", b'{"models": []}', LOADED, "sleeping", id="Ollama"),
        pytest.param("ray_serve", "/metrics", RAY % 0, RAY % 2, "scaled_to_zero", id="Ray Serve"),
        pytest.param(
            "tf_serving", "/v1/models/iris", LOADING, AVAILABLE, "loading", id="TensorFlow Serving"
        ),
    ],
)
async def test_no_canary_wakes_a_model_or_hurries_it(
    kind: str, path: str, away: bytes, back: bytes, state: str
) -> None:
    says = {"/metrics": b"up 1\n", "/api/tags": TAGS, **TAKES_ANYTHING, path: away}
    asked: list[str] = []

    async def respond(question: Asked, writer: asyncio.StreamWriter) -> None:
        asked.append(question.target)
        body = says.get(question.target)
        writer.write(answer(body) if body is not None else answer(status="404 Not Found"))

    async with listening(respond) as port:
        url = f"http://127.0.0.1:{port}"
        canary = Canary(path=PREDICT, body="{}", every=MINUTE)
        watched = named(url, kind, model="iris", metrics_url=f"{url}/metrics", canary=canary)
        async with scraping(watched) as beats:
            held = await beats.times(8)
            sent_meanwhile = PREDICT in asked
            says[path] = back
            awake = await beats.next()
    assert {(scrape.outcome, scrape.failures) for scrape in held} == {(Outcome.OK, 0)}
    assert {scrape.model_state for scrape in held} == {ModelState(state)}
    assert not sent_meanwhile
    assert awake.outcome is Outcome.OK
    assert asked.count(PREDICT) == 1


async def test_no_canary_is_sent_before_a_port_aside_was_asked_for_the_model() -> None:
    asleep = ProbeMeaning(ModelState.SLEEPING, status=(200,))
    async with hostile() as manager, hostile() as server:
        aside = ProbeSpec("/health", about="model", means=(asleep,), port=manager.port)
        kinds = (replace(known("prometheus"), probes=(aside,)),)
        async with scraping(endpoint(server), kinds) as beats:
            scrape = await beats.next()
    assert scrape.model_state is ModelState.SLEEPING
    assert server.times("/echo") == 0
