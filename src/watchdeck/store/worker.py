"""A thread for work on state.db: SQLite blocks, and its connections stay on one thread."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from watchdeck.logs import FailureEvents, FailureLog
from watchdeck.store.files.connection import (
    Connection,
    StorageFault,
    open_writable,
    store_errors,
    transaction,
)
from watchdeck.store.files.directory import StoreDirectory

_log = logging.getLogger(__name__)

_USES = FailureEvents(
    "worker", "state.db cannot be used", "state.db can be used again", logging.ERROR
)

Result = TypeVar("Result")


class StoreWorker:
    """Runs functions on state.db one after the other, on one thread with one write connection.

    The first call opens the file; after a StorageFault the next call opens it again.
    """

    def __init__(self, directory: StoreDirectory, name: str = "store") -> None:
        self._path, self._name = directory.state, name
        self._use_log = FailureLog(_log, _USES)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._db: Connection | None = None

    async def run(self, function: Callable[[Connection], Result]) -> Result:
        """Run `function` on the thread and return its result; it commits its own writes.

        Raises StoreError, also for SQLite's errors, and whatever else `function` raises.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._call, function)

    async def run_in_transaction(self, function: Callable[[Connection], Result]) -> Result:
        """Run `function` as `run` does, with all its writes in one transaction."""

        def write(db: Connection) -> Result:
            with transaction(db):
                return function(db)

        return await self.run(write)

    async def close(self) -> None:
        """Wait until all earlier calls have ended, then close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _call(self, function: Callable[[Connection], Result]) -> Result:
        try:
            with store_errors(self._path):
                if self._db is None:
                    self._db = open_writable(self._path)
                result = function(self._db)
        except StorageFault as error:
            self._use_log.record_failure(self._name, problem=error)
            self._close()
            raise
        self._use_log.record_success(self._name)
        return result

    def _close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(*StorageFault):
                db.close()
