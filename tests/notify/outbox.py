"""An outbox with something to tell, and somebody who tells it, on a made-up clock."""

import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from store.alerts.made import fire
from store.stores import NOW, state_only
from watchdeck.domain.alerts.alert import ActiveAlert, Alert, Episode
from watchdeck.domain.notifications.grouping import GroupWindows
from watchdeck.domain.notifications.message import Message, MessageKind
from watchdeck.domain.notifications.outbox import OutboxEntry, OutboxRow
from watchdeck.domain.notifications.routing import AlertContext, Routing, route
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.receivers import Channel, Route
from watchdeck.domain.values.secret import Secret
from watchdeck.notify.delivery import Delivery, Receiver
from watchdeck.notify.http_post import HttpSender
from watchdeck.notify.result import Notifier
from watchdeck.notify.webhook import WebhookNotifier
from watchdeck.store.alerts.outbox import enqueue, read_episode_outbox, read_last_messages
from watchdeck.store.files.connection import Connection, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.worker import StoreWorker

SOURCE = "/watchdeck/test"
PATIENT = 10.0
"""Seconds for what is to be found out, however slow the machine is."""

SHORT = 1.0
"""For what hangs: half of it is more than a busy machine takes from the loop."""


@dataclass(slots=True)
class Clock:
    """A clock that moves when it is told to."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


@dataclass(slots=True)
class Stage:
    """A store, what is in its outbox, and the time."""

    directory: StoreDirectory
    db: Connection
    clock: Clock
    windows: GroupWindows = field(default_factory=dict)
    routing: Routing = field(default_factory=Routing)

    def fire(self, model: str = "fraud", severity: Severity = Severity.HIGH) -> Episode:
        return fire(self.db, model=model, at=self.clock.now, severity=severity)

    def tell(
        self, episode: Episode, kind: MessageKind = MessageKind.PAGE, text: str = "", by: str = ""
    ) -> None:
        """Write what is to be told of an episode, by the routes."""
        with transaction(self.db):
            enqueue(
                self.db,
                self.rows(episode, kind, text or f"{kind} {episode.id}", by),
                self.clock.now,
            )

    def rows(
        self, episode: Episode, kind: MessageKind, text: str, by: str = ""
    ) -> tuple[OutboxEntry, ...]:
        asked = "select model from alert where id = ?"
        (model,) = self.db.execute(asked, (episode.alert,)).fetchone()
        alert = Alert(episode.alert, "watchdeck", "f", "slow", model, {"owner": "risk"})
        key = f"watchdeck/{episode.id}/{kind}/{self.clock.now}"
        message = Message(kind, episode.id, episode.severity, key, text)
        found = route(
            message,
            AlertContext(ActiveAlert(alert, episode), last=read_last_messages(self.db, episode.id)),
            self.routing,
            self.clock.now,
            self.windows,
        )
        if not by:
            return found
        return tuple(replace(row, payload=row.payload | {"acknowledged_by": by}) for row in found)

    def outbox(self, episode: Episode, channel: str = "hook") -> list[OutboxRow]:
        return [row for row in read_episode_outbox(self.db, episode.id) if row.channel == channel]


@contextmanager
def staged(path: Path, *channels: str) -> Iterator[Stage]:
    """A new store whose messages go to channels of these names."""
    directory = state_only(path)
    names = channels or ("hook",)
    routing = Routing(tuple(Channel(name, "webhook") for name in names), (Route(to=tuple(names)),))
    with closing(open_writable(directory.state)) as db:
        yield Stage(directory, db, Clock(), routing=routing)


def webhook(url: str, within: float = PATIENT, **settings: Any) -> WebhookNotifier:
    channel = Channel("hook", "webhook", url=url, **settings)
    return WebhookNotifier(channel, HttpSender(within), known, SOURCE)


def known(secret: Secret) -> str:
    """What stands behind every secret of these tests."""
    return f"hush-{secret.env}"


@asynccontextmanager
async def delivering(
    stage: Stage, notifiers: Mapping[str, Notifier], rate: int = 6_000, within: float = PATIENT
) -> AsyncIterator[Delivery]:
    """A delivery that sends what is due on a stage at each call of `send_due`."""
    worker = StoreWorker(stage.directory)
    receivers = {name: Receiver(notifier, rate, within) for name, notifier in notifiers.items()}
    try:
        yield Delivery(worker, receivers, stage.clock, random.Random(7))
    finally:
        await worker.close()


async def round_of(delivery: Delivery) -> None:
    """Send all that is due, and wait until it is sent."""
    await delivery.send_due()
    await delivery.wait_until_idle()
