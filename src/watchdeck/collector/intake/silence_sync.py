"""Keeps the silences of one Alertmanager like the acknowledgements of its alerts here."""

from __future__ import annotations

import secrets
from functools import partial

from msgspec import Struct

from watchdeck.collector.intake.alertmanager_client import SILENCE, SILENCES, AlertmanagerClient
from watchdeck.domain.external.alertmanager import parse_json
from watchdeck.domain.external.silence_sync import (
    RemoteSilence,
    SilenceChange,
    plan_changes,
    silences_there,
)
from watchdeck.domain.values.operator import Operator
from watchdeck.store.alerts.external_events import own_name, read_owned
from watchdeck.store.files.connection import Connection, transaction
from watchdeck.store.state.audit import append
from watchdeck.store.worker import StoreWorker

WHO = Operator("collector")


class SilenceSync(Struct, frozen=True):
    """Who has an alert of `source` silences it there; the silences there are the only record.

    So a collector that dies between the two leaves nothing behind that the next does not find.
    """

    source: str
    client: AlertmanagerClient
    desk: StoreWorker

    async def there(self) -> tuple[RemoteSilence, ...]:
        """The silences of ours that are there now. Raises Failed, SayingError or StoreError."""
        store = await self._store()
        return tuple(silences_there(parse_json(await self.client.get(SILENCES)), store))

    async def reconcile(self, listed: bytes, there: tuple[RemoteSilence, ...], now: int) -> int:
        """Make what is there like what is here; `listed` are its alerts. How much was changed.

        Raises Failed, SayingError or StoreError.
        """
        store = await self._store()
        done = await self.desk.do(lambda db: self._wishes(db, store, listed, there, now))
        for wish in done:
            await self._grant(wish)
            await self.desk.do(partial(self._noted, wish=wish, now=now))
        return len(done)

    def _wishes(
        self, db: Connection, store: str, listed: bytes, there: tuple[RemoteSilence, ...], now: int
    ) -> tuple[SilenceChange, ...]:
        owned = read_owned(db, self.source)
        labels = _labels(parse_json(listed)) if owned else {}
        return plan_changes(store, owned, labels, there, now)

    async def _store(self) -> str:
        return await self.desk.do(lambda db: own_name(db, secrets.token_hex(4)))

    async def _grant(self, wish: SilenceChange) -> None:
        if wish.post is not None:
            await self.client.post(SILENCES, wish.post)
        else:
            await self.client.delete(f"{SILENCE}{wish.end}")

    def _noted(self, db: Connection, wish: SilenceChange, now: int) -> None:
        verb = "ack.unmirrored" if wish.post is None else "ack.mirrored"
        subject = f"acknowledgement {wish.acknowledgement} at {self.source}"
        until = None if wish.post is None else {"until": wish.post["endsAt"]}
        with transaction(db):
            append(db, now, WHO, verb, subject, None, until)


def _labels(listed: object) -> dict[str, dict[str, str]]:
    """The labels of listed alerts by fingerprint, as they are: a silence must fit them exactly."""
    alerts = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {
        str(one.get("fingerprint")): {str(name): str(word) for name, word in one["labels"].items()}
        for one in alerts
        if isinstance(one.get("labels"), dict)
    }
