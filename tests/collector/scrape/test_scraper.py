import asyncio
import re
import ssl
from pathlib import Path

import pytest
from msgspec.structs import replace

from collector.scrape.scrapes import known, named, scraping, signals, with_port
from net.clients import PATIENT, SHORT
from servers.captured import PAGES, Replayed, captured, saying
from servers.certificates import Certificates
from servers.hostile import hostile
from servers.loopback import Asked, listening
from watchdeck.collector.scrape.detection import DOUBT_INTERVAL, UNKNOWN_INTERVAL
from watchdeck.collector.scrape.scraper import AFTER_A_FAILURE
from watchdeck.domain.kinds.kind import ProbeSpec
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Identity, ModelState, Outcome
from watchdeck.domain.settings.endpoint import Keep
from watchdeck.domain.signals.counter_window import FIRST_PAGES
from watchdeck.domain.values.secret import Secret, Tls
from watchdeck.domain.values.units import Milliseconds

GENERIC = "prometheus"


async def test_a_model_that_is_unloaded_behind_a_ready_server_is_not_ready() -> None:
    async with (
        captured("mlserver-1.7.1", 18080, "before") as server,
        captured("mlserver-1.7.1", 18082, "before") as page,
        scraping(named(server.url(), model="iris"), with_port("mlserver", page.port)) as beats,
    ):
        first, *_ = await beats.times(FIRST_PAGES - 1)
        page.phase = server.phase = "after"
        good = await beats.next()
        page.phase = server.phase = "unloaded"
        gone = await beats.next()
    assert (first.kind, first.outcome, first.model_state) == ("mlserver", "ok", "ready")
    assert signals(good)["request_rate"] == pytest.approx(5)
    assert signals(good)["error_ratio"] == pytest.approx(0.05)
    assert good.identity.version == "1.7.1"
    assert (gone.outcome, gone.model_state) == ("ok", "not_ready")
    assert "Model iris not found" in gone.model_detail
    assert "the server itself is ready" in gone.model_detail
    assert signals(gone)["ready"] == 0


async def test_a_page_moved_by_a_slash_and_still_empty_is_read() -> None:
    async with (
        captured("litserve-0.2.19", 18090, "before") as server,
        scraping(named(server.url())) as beats,
    ):
        scrape = await beats.next()
    assert (scrape.kind, scrape.outcome, scrape.model_state) == ("litserve", "ok", "ready")
    assert scrape.series is None
    assert "error_ratio" in scrape.not_measurable


async def test_a_kind_without_a_page_is_judged_by_its_probes() -> None:
    async with (
        captured("mlflow-3.17.2", 18110) as server,
        scraping(named(server.url())) as beats,
    ):
        first, second = await beats.times(2)
        server.folder = server.folder / "gone"
        third = await beats.next()
    assert (first.kind, first.outcome, first.model_state) == ("mlflow", "ok", "ready")
    assert first.identity.version == second.identity.version == "3.17.2"
    assert server.asked.count("/version") == 2
    assert third.model_state is not ModelState.READY
    assert "request_rate" in third.not_measurable


async def test_the_page_and_its_probes_share_one_deadline() -> None:
    async with (
        hostile() as server,
        scraping(
            named(server.url("/"), GENERIC, metrics_url=server.url("/drip-body"), timeout=SHORT)
        ) as beats,
    ):
        first, second = await beats.times(2)
    assert (first.outcome, first.failures) == (Outcome.TIMED_OUT, 1)
    assert first.detail == "/drip-body: no complete answer within 300ms"
    assert 0.3 <= first.duration < PATIENT.seconds
    assert second.failures == 2
    found = signals(first)
    assert (found["outcome"], found["up"]) == (OUTCOME_CODES[Outcome.TIMED_OUT], 0)


@pytest.mark.parametrize(
    ("path", "outcome", "detail"),
    [
        ("/503", Outcome.HTTP_STATUS, "/503: 503 Service Unavailable"),
        ("/html", Outcome.NOT_METRICS, "/html: "),
        ("/json", Outcome.NOT_METRICS, "/json: "),
        ("/to-host", Outcome.REDIRECTED, "/to-host: redirected to another host"),
        ("/huge", Outcome.TOO_LARGE, "/huge: the body is over 1MiB"),
        ("/stacked", Outcome.UNREADABLE, "/stacked: the encoding"),
        ("/reset", Outcome.RESET, "/reset: the connection was reset"),
    ],
)
async def test_what_came_in_place_of_a_page_is_named(
    path: str, outcome: Outcome, detail: str
) -> None:
    async with (
        hostile() as server,
        scraping(named(server.url("/"), GENERIC, metrics_url=server.url(path))) as beats,
    ):
        scrape = await beats.next()
    assert (scrape.outcome, scrape.series) == (outcome, None)
    assert scrape.detail.startswith(detail)


async def test_after_a_failure_the_next_good_scrape_counts_from_zero_again() -> None:
    async with (
        hostile() as server,
        scraping(
            named(server.url("/"), GENERIC, metrics_url=server.url("/once-then-reset"))
        ) as beats,
    ):
        scrapes = await beats.times(FIRST_PAGES + 3)
    assert [scrape.failures for scrape in scrapes[-2:]] == [0, 0]


@pytest.mark.parametrize("path", ["/utf8", "/numbers", "/duplicates", "/escapes", "/many"])
async def test_a_page_with_traps_is_read_clean_and_what_was_cut_is_counted(path: str) -> None:
    async with hostile() as server:
        endpoint = named(
            server.url("/"),
            GENERIC,
            keep=Keep.ALL,
            metrics_url=server.url(path),
            timeout=Milliseconds(5_000),
        )
        async with scraping(endpoint) as beats:
            scrape = await beats.next()
    assert scrape.outcome is Outcome.OK
    assert scrape.series is not None
    assert 0 < len(scrape.series.values) <= 5_000
    assert all(str(series).isprintable() for series in scrape.series.layout.series)
    if path in ("/duplicates", "/many"):
        assert scrape.truncation.total > 0


async def test_a_server_that_nobody_knows_says_so_and_is_not_asked_everything_each_time() -> None:
    async with hostile() as server, scraping(named(server.url("/"))) as beats:
        first = await beats.next()
        asked = len(server.asked)
        second = await beats.next()
        in_between = len(server.asked) - asked
        await beats.next(UNKNOWN_INTERVAL)
    assert (first.kind, first.outcome) == (GENERIC, Outcome.OK)
    assert second.kind == GENERIC
    assert in_between == 1


async def test_a_server_without_a_page_or_a_known_answer_is_never_ok() -> None:
    async with (
        saying(b"hello") as server,
        scraping(named(server.url())) as beats,
    ):
        first = await beats.next()
        many = len(server.asked)
        second = await beats.next()
        few = len(server.asked) - many
    assert first.kind is second.kind is None
    assert first.outcome is second.outcome is Outcome.NOT_METRICS
    assert second.failures == 2
    assert few < many / 2
    assert signals(first)["up"] == 0


async def test_a_server_too_slow_to_be_asked_everything_at_once_is_recognised_later() -> None:
    async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.03)
        writer.write(server.answer(asked.target))

    server = Replayed(PAGES / "mlflow-3.17.2", 18110, "after")
    async with (
        listening(respond) as server.port,
        scraping(named(server.url(), timeout=SHORT)) as beats,
    ):
        scrapes = await beats.times(4)
    assert scrapes[0].outcome is Outcome.TIMED_OUT
    assert scrapes[-1].kind == "mlflow"


async def test_a_server_that_became_another_kind_is_recognised_again() -> None:
    async with (
        captured("bentoml-1.4.39", 18100) as server,
        scraping(named(server.url())) as beats,
    ):
        before = await beats.next()
        server.folder, server.of_port = server.folder.parent / "mlflow-3.17.2", 18110
        doubted = await beats.next()
        after = await beats.next(DOUBT_INTERVAL)
    assert before.kind == "bentoml"
    assert (doubted.kind, doubted.outcome) == ("bentoml", Outcome.HTTP_STATUS)
    assert (after.kind, after.outcome) == ("mlflow", Outcome.OK)


async def test_probes_that_nobody_answers_do_not_make_the_model_look_down() -> None:
    """The metrics port was given as the url: it knows nothing of the model."""
    async with (
        captured("mlserver-1.7.1", 18082) as page,
        scraping(named(page.url("/metrics"), model="iris")) as beats,
    ):
        scrape = await beats.next()
    assert (scrape.kind, scrape.outcome) == ("mlserver", Outcome.OK)
    assert scrape.model_state is ModelState.UNKNOWN
    assert "is the url the serving address?" in scrape.model_detail


async def test_a_serving_port_that_is_refused_fails_the_scrape_but_keeps_the_page() -> None:
    async with hostile() as gone:
        pass
    async with captured("mlserver-1.7.1", 18082) as page:
        endpoint = named(gone.url(""), "mlserver", model="iris", metrics_url=page.url("/metrics"))
        async with scraping(endpoint) as beats:
            scrape = await beats.next()
    assert scrape.outcome is Outcome.REFUSED
    assert scrape.detail.startswith("/v2/models/iris/ready: ")
    assert scrape.series is not None
    assert signals(scrape)["up"] == 0


async def test_a_port_that_never_answers_costs_a_second_once_a_minute() -> None:
    async with hostile() as deaf, hostile() as server:
        aside = ProbeSpec("/hang", about="model", port=deaf.port)
        kinds = (replace(known(GENERIC), probes=(aside,)),)
        endpoint = named(server.url("/metrics"), GENERIC, timeout=Milliseconds(5_000))
        async with scraping(endpoint, kinds) as beats:
            first, second = await beats.times(2)
            again = await beats.next(AFTER_A_FAILURE)
    assert [scrape.outcome for scrape in (first, second, again)] == [Outcome.OK] * 3
    assert deaf.times("/hang") == 2


async def test_the_days_of_a_certificate_are_a_signal_also_when_it_is_refused(
    tmp_path: Path,
) -> None:
    certificates = Certificates(tmp_path)
    checks = Tls(ca=certificates.ca)

    async def left(context: ssl.SSLContext) -> tuple[Outcome, float]:
        async with (
            hostile(context) as server,
            scraping(named(server.url("/metrics"), GENERIC, tls=checks)) as beats,
        ):
            scrape = await beats.next()
        return scrape.outcome, signals(scrape)["tls_days_left"]

    good, days = await left(certificates.good())
    bad, negative = await left(certificates.expired())
    assert (good, bad) == (Outcome.OK, Outcome.TLS)
    assert days > negative


async def test_a_secret_that_is_not_set_is_said_in_the_scrape() -> None:
    headers = {"Authorization": Secret(env="WATCHDECK_TEST_IS_NOT_SET")}
    async with (
        hostile() as server,
        scraping(named(server.url("/metrics"), GENERIC, headers=headers)) as beats,
    ):
        scrape = await beats.next()
    assert scrape.outcome is Outcome.UNREACHABLE
    assert "WATCHDECK_TEST_IS_NOT_SET" in scrape.detail
    assert server.asked == []


async def test_an_address_that_is_none_is_a_failed_scrape() -> None:
    async with scraping(named("ftp://127.0.0.1/")) as beats:
        scrape = await beats.next()
    assert (scrape.outcome, scrape.kind) == (Outcome.UNREACHABLE, None)


async def test_a_json_page_is_read_by_the_owners_map() -> None:
    mapped = {"queue_depth": "$.q.depth", "latency_p95": "$.ms / 1000"}
    async with (
        saying(b'{"q": {"depth": 7}, "ms": 250}') as server,
        scraping(named(server.url("/status"), "json", map=mapped)) as beats,
    ):
        scrape = await beats.next()
    assert scrape.outcome is Outcome.OK
    assert signals(scrape)["queue_depth"] == 7
    assert signals(scrape)["latency_p95"] == 0.25
    assert set(server.asked) == {"/status"}


async def test_availability_goes_on_after_a_restart() -> None:
    async with (
        hostile() as server,
        scraping(named(server.url("/metrics"), GENERIC)) as beats,
    ):
        beats.preload([n % 2 == 0 for n in range(19)])
        scrape = await beats.next()
    assert signals(scrape)["availability"] == pytest.approx(11 / 20)


async def test_a_restart_of_the_server_is_seen_and_its_version_is_asked_again() -> None:
    async with (
        captured("mlserver-1.7.1", 18080) as server,
        captured("mlserver-1.7.1", 18082) as page,
        scraping(named(server.url(), model="iris"), with_port("mlserver", page.port)) as beats,
    ):
        await beats.times(2)
        asked = server.asked.count("/v2")
        folder, server.folder = server.folder, server.folder / "gone"
        page.folder = server.folder
        down = await beats.next()
        server.folder = page.folder = folder
        await beats.next()
    assert down.failures == 1
    assert server.asked.count("/v2") == asked + 1


async def test_the_certificate_and_the_address_that_answered_are_of_the_server(
    tmp_path: Path,
) -> None:
    certificates = Certificates(tmp_path)
    checks = Tls(ca=certificates.ca)

    async def found(context: ssl.SSLContext) -> Identity:
        async with (
            hostile(context) as server,
            scraping(named(server.url("/metrics"), GENERIC, tls=checks)) as beats,
        ):
            return (await beats.next()).identity

    first, renewed = await found(certificates.good()), await found(certificates.good(days=60))
    refused = await found(certificates.expired())
    assert (first.host, refused.host) == ("127.0.0.1", None)
    assert re.fullmatch(r"[0-9a-f]{16}, valid until 20\d\d-\d\d-\d\d", first.certificate or "")
    assert len({first.certificate, renewed.certificate, refused.certificate}) == 3
