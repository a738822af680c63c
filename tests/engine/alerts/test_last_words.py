from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from engine.alerts.last_words import AlertLives
from store.stores import state_only
from watchdeck.store.files.connection import open_writable


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_the_last_message_of_every_receiver_says_what_is_so(tmp_path: Path, first: int) -> None:
    """I15; the report of all invariants tries ten thousand sequences."""
    for seed in range(first, first + 10):
        directory = state_only(tmp_path / str(seed))
        with closing(open_writable(directory.state, synchronous="OFF")) as db:
            lives = AlertLives(directory, db, Random(seed))
            for _ in range(40):
                lives.step()
                assert not lives.lies(), f"seed {seed}: {lives.done}"
