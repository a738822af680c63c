import logging
from pathlib import Path

import pytest

from log_lines import lines_of
from store.stores import state_only
from watchdeck.errors import StoreMissing
from watchdeck.store.files.connection import Connection
from watchdeck.store.worker import StoreWorker


def count(db: Connection) -> int:
    (found,) = db.execute("select count(*) from audit").fetchone()
    return int(found)


async def test_a_file_that_goes_and_comes_back_is_opened_again_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watchdeck")
    store = state_only(tmp_path / "store")
    away = store.state.rename(tmp_path / "away.db")
    worker = StoreWorker(store, "outbox")
    for _ in range(3):
        with pytest.raises(StoreMissing):
            await worker.run(count)
    away.rename(store.state)
    assert await worker.run(count) == 0
    await worker.close()
    first, second, end = lines_of(caplog)
    said = f'<3>state.db cannot be used worker=outbox problem="there is no {store.state}.'
    assert first.startswith(said)
    assert second.endswith(" count=2")
    assert end == "<6>state.db can be used again worker=outbox failures=3"
