"""Hearing in the collector: what fails is told and tried again, and costs no scrape."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from collector.intake.senders import Heard, answer, json_of, request
from log_lines import lines_of
from store.stores import NOW, state_only
from watchdeck.actions.change import MOST_REPORTED
from watchdeck.domain.settings.configuration import Retention, Settings
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.settings.intake import Alertmanager, Intake
from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.units import Milliseconds
from watchdeck.service.intake_loop import IntakeService, source_names, sources_of
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import prepare
from watchdeck.store.state.audit import verify
from watchdeck.store.state.changes import read_changes


def token(path: Path) -> Secret:
    path.touch(0o600)
    path.write_text("canary-token-41c7")
    return Secret(file=str(path))


@asynccontextmanager
async def hearing(folder: Path, intake: Intake) -> AsyncIterator[IntakeService]:
    store = StoreDirectory(folder / "store")
    if not store.state.exists():
        state_only(folder / "store")
    made = IntakeService(Settings(intake=intake), store, lambda: NOW, retry_after=0.05)
    task = asyncio.create_task(made.run())
    try:
        async with asyncio.timeout(20):
            yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def told(made: IntakeService) -> str:
    while True:
        if made.problem:
            return made.problem
        await asyncio.sleep(0.01)


def watched(folder: Path, *names: str) -> StoreDirectory:
    """A store whose configuration has these endpoints."""
    store = StoreDirectory(folder / "store")
    prepare(store)
    writer = MetricsWriter(store, Retention(), clock=lambda: NOW)
    writer.start()
    writer.register([EndpointFacts(name, f"http://{name}", 10_000) for name in names])
    writer.close()
    return store


def found(store: StoreDirectory) -> list[tuple[int, str, str, int, str]]:
    with closing(open_readonly(store.state)) as db:
        assert verify(db).first_bad is None
        changes = read_changes(db, 0, NOW + 1)
    return [(one.id, one.endpoint, one.what, one.at, one.text) for one in changes]


def audited(store: StoreDirectory) -> list[tuple[str, str, str]]:
    with closing(open_readonly(store.state)) as db:
        return db.execute("select who, action, subject from audit order by number").fetchall()


async def report(port: int, **fields: object) -> Heard:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request("/changes", json_of(fields)))
        return await answer(reader)
    finally:
        writer.close()


async def test_a_reported_change_is_stored_once_and_audited(tmp_path: Path) -> None:
    store = watched(tmp_path, "fraud", "iris")
    intake = Intake(token(tmp_path / "token"), "127.0.0.1:0")
    deploy = {"model": "fraud", "what": "deploy", "text": "v2"}
    async with hearing(tmp_path, intake) as made:
        port = await made.listening()
        first, again = await report(port, **deploy), await report(port, **deploy)
        dated = await report(port, **deploy, at="2026-09-20T12:00:00+02:00")
        repeated = await report(port, **deploy, at=1_789_898_400_000)
        other = await report(port, model="iris", text="v2")
        ahead = await report(port, model="iris", what="note", text="x\x1b[2J", at=NOW + 9_000)
    assert [(one.status, one.words) for one in (first, again, dated, repeated, other, ahead)] == [
        (201, "change 1 of fraud stored"),
        (200, "change 1 of fraud was stored before"),
        (201, "change 2 of fraud stored"),
        (200, "change 2 of fraud was stored before"),
        (201, "change 3 of iris stored"),
        (201, "change 4 of iris stored"),
    ]
    assert found(store) == [
        (2, "fraud", "deploy", 1_789_898_400_000, "v2"),
        (1, "fraud", "deploy", NOW, "v2"),
        (3, "iris", "deploy", NOW, "v2"),
        (4, "iris", "note", NOW, "x^[[2J"),
    ]
    assert audited(store) == [
        ("intake", "change add", name) for name in ("fraud", "fraud", "iris", "iris")
    ]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        pytest.param({"model": "fruad"}, 422, "Did you mean 'fraud'?", id="a near name"),
        pytest.param({"model": "zz"}, 422, "There are: fraud, iris.", id="no near name"),
        pytest.param({"model": "x" * 50_000}, 422, "no model 'xxx", id="a name too long"),
        pytest.param({"model": "\ud800"}, 422, "<U+D800>", id="half a character"),
        pytest.param({"what": "restart"}, 422, "there are deploy, config", id="another kind"),
        pytest.param({"text": " "}, 422, "is empty", id="no text"),
        pytest.param(
            {"text": "x" * 201}, 422, "201 characters long; 200 are kept", id="a long text"
        ),
        pytest.param({"at": NOW + 900_000}, 422, "in the future", id="the future"),
        pytest.param({"at": 1e300}, 400, "Expected `int | str | null`", id="a fraction"),
        pytest.param({"at": "yesterday"}, 400, "'yesterday' is not a time", id="no time"),
        pytest.param({"at": NOW // 1_000}, 400, "in ms UTC, not in s", id="seconds"),
        pytest.param({"at": -(10**400)}, 400, "", id="a huge number"),
        pytest.param({"text": ["v2"]}, 400, "Expected `str`", id="a list"),
    ],
)
async def test_a_report_that_is_not_stored_says_what_would_work(
    tmp_path: Path, fields: dict[str, object], status: int, words: str
) -> None:
    store = watched(tmp_path, "fraud", "iris")
    intake = Intake(token(tmp_path / "token"), "127.0.0.1:0")
    async with hearing(tmp_path, intake) as made:
        told = await report(await made.listening(), **{"model": "fraud", "text": "v2", **fields})
    assert (told.status, words in told.words, len(told.words) < 500) == (status, True, True)
    assert found(store) == []
    assert audited(store) == []


async def test_a_sender_that_reports_without_end_is_told_to_stop(tmp_path: Path) -> None:
    store = watched(tmp_path, "fraud", "iris")
    intake = Intake(token(tmp_path / "token"), "127.0.0.1:0")
    async with hearing(tmp_path, intake) as made:
        port = await made.listening()
        told = [await report(port, model="fraud", text=f"v{n}") for n in range(MOST_REPORTED + 1)]
        other = await report(port, model="iris", text="v1")
    assert {one.status for one in told[:-1]} == {201}
    assert told[-1].status == 429
    assert "100 changes of fraud were reported in the last hour" in told[-1].words
    assert other.status == 201
    assert len(found(store)) == MOST_REPORTED + 1


async def test_a_port_that_is_taken_is_told_and_used_once_it_is_free(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watchdeck")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        intake = Intake(token(tmp_path / "token"), f"127.0.0.1:{port}")
        async with hearing(tmp_path, intake) as made:
            assert f"cannot listen on 127.0.0.1:{port}" in await told(made)
            taken.close()
            assert await made.listening() == port
            assert made.problem == ""
    first, *_, listens, again = lines_of(caplog)
    assert first.startswith("<3>external alerts cannot be received problem=")
    assert f"cannot listen on 127.0.0.1:{port}" in first
    assert listens == f"<6>intake listens address=127.0.0.1 port={port}"
    assert again.startswith("<6>external alerts can be received failures=")


async def test_a_token_that_is_not_there_is_told_and_looked_for_again(tmp_path: Path) -> None:
    intake = Intake(Secret(file=str(tmp_path / "token")), "127.0.0.1:0")
    async with hearing(tmp_path, intake) as made:
        assert "the intake does not listen: the file" in await told(made)
        token(tmp_path / "token")
        assert await made.listening() > 0


@pytest.mark.parametrize(
    ("names", "found"),
    [
        pytest.param((), ["prometheus", "cloudevents", "alertmanager"], id="an intake alone"),
        pytest.param(("eu",), ["eu", "prometheus", "cloudevents"], id="one is the sender too"),
        pytest.param(
            ("eu", "us"), ["eu", "us", "prometheus", "cloudevents", "alertmanager"], id="of many"
        ),
    ],
)
def test_every_source_that_may_be_heard_is_known(names: tuple[str, ...], found: list[str]) -> None:
    asked = tuple(Alertmanager(f"http://{name}:9093/", name) for name in names)
    settings = Settings(intake=Intake(Secret(env="TOKEN")), alertmanager=asked)
    assert [source.name for source in sources_of(settings)] == found
    assert source_names(settings) == {f"http://{name}:9093": name for name in names}


def test_how_long_an_alertmanager_may_be_silent_follows_from_its_beat() -> None:
    asked = Alertmanager("http://am:9093", every=Milliseconds(10_000), resend=Milliseconds(200_000))
    [source] = sources_of(Settings(alertmanager=(asked,)))
    assert (source.silent_after, source.hold, source.expected) == (25_000, 400_000, True)


def test_nothing_is_heard_without_a_word_of_it() -> None:
    assert list(sources_of(Settings())) == []
