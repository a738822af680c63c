"""The outbox behind one thread: SQLite blocks, and its connections stay where they were made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from watchdeck.domain.notifications.notification import Notification, build_notification
from watchdeck.domain.notifications.outbox import OutboxRow
from watchdeck.store.alerts.conversations import NotifiedGroup, read_threads, read_waiting_threads
from watchdeck.store.alerts.outbox import due, due_channels, failed, freeze_group, gave_up, sent
from watchdeck.store.files.connection import Connection, StorageFault, transaction, writing
from watchdeck.store.files.directory import StoreDirectory

_LIMIT = 2_000
"""Rows of one channel that are looked at in one go; more of one fold than these are two letters."""

Result = TypeVar("Result")


class OutboxQueue:
    """Reads and writes the outbox of one store; opened late, and reopened after a fault.

    Everything raises StorageFault, after which the next call begins anew.
    """

    def __init__(self, directory: StoreDirectory) -> None:
        self._directory = directory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._db: Connection | None = None

    async def channels(self, now: int) -> tuple[str, ...]:
        """The channels to which something is to be sent at `now` (ms UTC)."""
        return await self._do(lambda db: due_channels(db, now))

    async def due(self, channel: str, now: int) -> list[tuple[OutboxRow, ...]]:
        """What is to be sent to one channel: the rows of each message, in order."""
        return by_fold(await self._do(lambda db: due(db, now, _LIMIT, channel)))

    async def sealed(self, rows: tuple[OutboxRow, ...]) -> Notification | None:
        """Make rows one letter for good, before it is sent for the first time.

        What joined it, or was taken back, meanwhile is not in it. None when nothing is left.
        """
        first = rows[0]
        fold = first.fold if "#" in first.fold else f"{first.fold}#{first.id}"

        def write(db: Connection) -> tuple[int, ...]:
            with transaction(db):
                return freeze_group(db, (row.id for row in rows), fold)

        kept = set(await self._do(write))
        left = [row for row in rows if row.id in kept]
        return build_notification(fold, left) if left else None

    async def sent(self, letter: Notification, now: int) -> None:
        """It arrived."""
        await self._write(lambda db: sent(db, letter.rows, now))

    async def failed(self, letter: Notification, again_at: int, why: str) -> None:
        """It did not arrive, and is tried again."""
        await self._write(lambda db: failed(db, letter.rows, again_at, why))

    async def gave_up(self, letter: Notification, now: int, why: str) -> None:
        """It is not tried again; the engine raises an alert of it."""
        await self._write(lambda db: gave_up(db, letter.rows, now, why))

    async def threads(self, letter: Notification) -> tuple[NotifiedGroup, ...]:
        """All that the letter's channel was called for about its episodes."""
        return await self._do(lambda db: read_threads(db, letter.channel, letter.episodes))

    async def waiting(self, channel: str) -> tuple[NotifiedGroup, ...]:
        """All that a channel was called for and that nobody has."""
        return await self._do(lambda db: read_waiting_threads(db, channel))

    def close(self) -> None:
        """Let go of the file; what is under way is waited for."""
        self._thread.submit(self._closed).result()
        self._thread.shutdown()

    async def _write(self, work: Callable[[Connection], None]) -> None:
        def write(db: Connection) -> None:
            with transaction(db):
                work(db)

        await self._do(write)

    async def _do(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._done, work)

    def _done(self, work: Callable[[Connection], Result]) -> Result:
        try:
            if self._db is None:
                self._db = writing(self._directory.state)
            return work(self._db)
        except StorageFault:
            self._closed()
            raise

    def _closed(self) -> None:
        if self._db is not None:
            with suppress(*StorageFault):
                self._db.close()
        self._db = None


def by_fold(rows: Iterable[OutboxRow]) -> list[tuple[OutboxRow, ...]]:
    """Rows in the order of their numbers, those of one fold together at its first one's place."""
    found: dict[str, list[OutboxRow]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        found.setdefault(row.fold or f"#{row.id}", []).append(row)
    return [tuple(together) for together in found.values()]
