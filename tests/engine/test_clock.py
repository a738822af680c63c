"""The clock on the wall may be set, and a machine may sleep: neither expires anything early."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from store.alerts.made import MINUTE, ack, fire
from store.alerts.waiting import read_next_due
from store.stores import NOW
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.notifications.outbox import OutboxEntry
from watchdeck.domain.values.matcher import read_matcher
from watchdeck.engine.clock import JUMP_SHOWN_FOR, PAUSE_THRESHOLD, ClockMonitor
from watchdeck.engine.engine import Engine
from watchdeck.store.alerts.acknowledgements import (
    read_acknowledgements,
    read_silences,
    save_acknowledgement,
    save_silence,
)
from watchdeck.store.alerts.outbox import enqueue
from watchdeck.store.files.connection import open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import prepare
from watchdeck.store.state.audit import read_entries, read_head

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("wall", "steady", "found"),
    [
        pytest.param(1_000, 1_000, (0, 0), id="both go on alike"),
        pytest.param(1_900, 1_000, (0, 0), id="a drift is none"),
        pytest.param(HOUR + 1_000, 1_000, (HOUR, 0), id="set ahead"),
        pytest.param(1_000 - HOUR, 1_000, (-HOUR, 0), id="set back"),
        pytest.param(600_000, 600_000, (0, 600_000), id="a machine that slept"),
        pytest.param(PAUSE_THRESHOLD, PAUSE_THRESHOLD, (0, 0), id="a slow tick is no sleep"),
    ],
)
def test_two_clocks_tell_a_jump_from_a_sleep(
    wall: int, steady: int, found: tuple[int, int]
) -> None:
    assert ClockMonitor(NOW, 5).tick(NOW + wall, 5 + steady) == found


def test_a_jump_is_told_for_a_while() -> None:
    clocks = ClockMonitor(NOW, 0)
    clocks.tick(NOW + HOUR + 1_000, 1_000)
    clocks.tick(NOW + HOUR + 61_000, 61_000)
    assert clocks.jump_text == "the clock was set ahead by 1h, 1m ago"
    clocks.tick(NOW + HOUR + JUMP_SHOWN_FOR + 2_000, JUMP_SHOWN_FOR + 2_000)
    assert clocks.jump_text == ""


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "back"])
def test_every_deadline_is_as_far_off_as_before(tmp_path: Path, jump: int) -> None:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    with (
        closing(open_writable(directory.state)) as db,
        closing(open_readonly(directory.metrics)) as metrics,
    ):
        owned = save_acknowledgement(db, ack(fire(db)))
        matchers = (read_matcher("model=fraud"),)
        silence = Silence(0, matchers, "anna", "work", NOW - MINUTE, NOW + 10 * MINUTE)
        with transaction(db):
            save_silence(db, silence)
            later = replace(silence, starts_at=NOW + 5 * HOUR, ends_at=NOW + 6 * HOUR)
            save_silence(db, later)
            enqueue(db, [OutboxEntry("phone", "page", "key", NOW + 10_000)], NOW)
        engine = Engine(metrics, db)
        engine.apply_clock_jump(jump, NOW + jump)
        assert owned is not None
        assert read_acknowledgements(db)[owned.episode].expires_at == owned.expires_at + jump
        first, second = read_silences(db, NOW + min(jump, 0))
        assert (first.ends_at, second.ends_at) == (NOW + 10 * MINUTE + jump, NOW + 6 * HOUR)
        assert read_next_due(db) == NOW + 10_000 + jump
        rows = read_head(db).rows
        [entry] = read_entries(db, rows, rows)
        assert (entry.action, entry.after) == (
            "clock.jump",
            {"now": NOW + jump, "by": jump, "deadlines": 3},
        )
