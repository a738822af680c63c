"""The store behind one thread: SQLite blocks, and its connections stay where they were made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from watchdeck.store.files.connection import Connection, StorageFault, faults, writing
from watchdeck.store.files.directory import StoreDirectory

Result = TypeVar("Result")


class StoreWorker:
    """Lets work be done on the state of one store; opened late, and reopened after a fault."""

    def __init__(self, directory: StoreDirectory) -> None:
        self._directory = directory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hearing")
        self._db: Connection | None = None

    async def do(self, work: Callable[[Connection], Result]) -> Result:
        """Do work that returns once it is committed. Raises StoreError."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._done, work)

    async def close(self) -> None:
        """Let go of the store."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _done(self, work: Callable[[Connection], Result]) -> Result:
        try:
            with faults(self._directory.state):
                if self._db is None:
                    self._db = writing(self._directory.state)
                return work(self._db)
        except StorageFault:
            self._close()
            raise

    def _close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(*StorageFault):
                db.close()
