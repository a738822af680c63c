"""Hearing in the collector: what fails is told and tried again, and costs no scrape."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from log_lines import lines_of
from store.stores import NOW, state_only
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.intake import Alertmanager, Intake
from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.units import Milliseconds
from watchdeck.service.intake_loop import IntakeService, source_names, sources_of


def token(path: Path) -> Secret:
    path.touch(0o600)
    path.write_text("canary-token-41c7")
    return Secret(file=str(path))


@asynccontextmanager
async def hearing(folder: Path, intake: Intake) -> AsyncIterator[IntakeService]:
    store = state_only(folder / "store")
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
