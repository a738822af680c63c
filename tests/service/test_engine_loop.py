import logging
from pathlib import Path

import pytest

from log_lines import lines_of
from watchdeck.domain.settings.configuration import Settings
from watchdeck.service.engine_loop import EngineService
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import prepare

NOW = 1_790_000_000_000


class Clock:
    """Two clocks that run alike, until the wall clock is set."""

    def __init__(self) -> None:
        self.wall = NOW
        self.steady = 0

    def pass_time(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.steady += milliseconds


@pytest.fixture
def store(tmp_path: Path) -> StoreDirectory:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    return directory


def service(store: StoreDirectory, clock: Clock) -> EngineService:
    return EngineService(
        Settings(), store, lambda: "", lambda: clock.wall, steady=lambda: clock.steady
    )


def test_a_store_that_goes_and_comes_back_is_logged_with_what_was_restored(
    store: StoreDirectory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watchdeck")
    clock = Clock()
    away = store.state.rename(tmp_path / "away.db")
    engine = service(store, clock)
    engine.tick()
    assert "health cannot be judged" in engine.problem
    away.rename(store.state)
    clock.pass_time(1_000)
    engine.tick()
    first, restored, again = lines_of(caplog)
    assert first.startswith(f"<3>rules cannot be evaluated store={store.path} problem=")
    said = "<6>alerts restored from the store"
    assert restored == f"{said} open=0 acknowledged=0 messages_waiting=0"
    assert again == f"<6>rules are evaluated again store={store.path} failures=1"
    engine.close()


def test_a_clock_that_is_set_and_a_machine_that_slept_are_logged(
    store: StoreDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    engine = service(store, clock)
    engine.tick()
    clock.wall -= 3_600_000
    clock.pass_time(1_000)
    engine.tick()
    clock.pass_time(60_000)
    engine.tick()
    assert lines_of(caplog) == [
        "<4>the wall clock jumped by=-1h",
        "<4>the collector was suspended paused_for=1m",
    ]
    engine.close()
