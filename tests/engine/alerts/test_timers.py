"""What time alone makes of alerts: who had one long enough, and who is told next."""

from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from store.alerts.made import MINUTE, ack, fire
from store.stores import NOW, state_only
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.settings.receivers import Channel, Escalation, EscalationStep, Route
from watchdeck.domain.values.units import Milliseconds
from watchdeck.engine.alerts.repository import AlertingConfig, AlertRepository
from watchdeck.engine.alerts.timers import Timers
from watchdeck.store.alerts.acknowledgements import save_acknowledgement
from watchdeck.store.alerts.episodes import save_episode
from watchdeck.store.alerts.outbox import read_episode_outbox
from watchdeck.store.files.connection import Connection, open_writable, transaction

BOSS = Routing(
    channels=(Channel("phone", "webhook"), Channel("boss", "webhook")),
    routes=(Route(escalation="night"),),
    escalations=(
        Escalation(
            "night",
            (EscalationStep(("phone",)), EscalationStep(("boss",), Milliseconds(15 * MINUTE))),
        ),
    ),
)


def pass_time(db: Connection, now: int) -> None:
    """Do all that is due at a moment."""
    with transaction(db):
        repository = AlertRepository(db, (), AlertingConfig(BOSS))
        repository.load(now)
        repository.refresh_mutes()
        timers = Timers(
            repository,
            lambda alert, episode, at: repository.save(alert, episode, (), at) is not None,
        )
        for task in timers.due_tasks(now):
            task()


def test_an_acknowledgement_that_expires_gives_people_their_time_anew(tmp_path: Path) -> None:
    with closing(open_writable(state_only(tmp_path / "store").state)) as db:
        episode = fire(db)
        with transaction(db):
            assert save_episode(db, replace(episode, paged_at=NOW))
            assert save_acknowledgement(db, ack(episode))
        told = []
        for minute in (29, 30, 31, 44, 45):
            pass_time(db, NOW + minute * MINUTE)
            rows = [row for row in read_episode_outbox(db, episode.id) if row.channel == "boss"]
            told.append([row.payload["text"].partition(":")[0] for row in rows])
    assert told == [[], [], [], [], ["nobody took it for 15m"]]
