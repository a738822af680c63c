"""Deadlines are as far off after the clock was set as they were before."""

from pathlib import Path

import pytest

from store.alerts.made import MINUTE, ack, fire
from store.alerts.waiting import read_next_due
from store.stores import NOW, state
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.notifications.outbox import OutboxEntry
from watchdeck.domain.values.matcher import read_matcher
from watchdeck.store.alerts.acknowledgements import (
    read_acknowledgements,
    read_silence,
    save_acknowledgement,
    save_silence,
    shift_deadlines,
)
from watchdeck.store.alerts.outbox import enqueue
from watchdeck.store.files.connection import transaction

HOUR = 60 * MINUTE
RISK = (read_matcher("owner=risk"),)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_nothing_ends_early_and_a_silence_in_force_stays_in_force(
    tmp_path: Path, jump: int
) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        with transaction(db):
            save_acknowledgement(db, ack(episode))
            begun = Silence(0, RISK, "anna", "x", NOW - MINUTE, NOW + 2 * HOUR)
            save_silence(db, begun)
            save_silence(db, Silence(0, RISK, "anna", "x", NOW + HOUR, NOW + 3 * HOUR))
            enqueue(db, [OutboxEntry("phone", "page", "a", NOW + 10_000)], NOW)
            assert shift_deadlines(db, jump, NOW + jump) == 3
        owner = read_acknowledgements(db)[episode.id]
        silence, later = read_silence(db, 1), read_silence(db, 2)
        assert owner.expires_at == NOW + 30 * MINUTE + jump
        assert silence is not None
        assert silence.is_active_at(NOW + jump)
        assert not silence.is_active_at(NOW + 2 * HOUR + jump)
        assert later is not None
        assert (later.starts_at, later.ends_at) == (NOW + HOUR, NOW + 3 * HOUR)
        assert read_next_due(db) == NOW + 10_000 + jump
