"""One file of the store as one thread reads it: reopened when it was replaced or failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

from watchdeck.errors import StoreError
from watchdeck.store.files.connection import (
    check_version,
    corruption_as_error,
    data_version,
    reading,
    snapshot,
)
from watchdeck.store.files.directory import StoreDirectory, file_identity
from watchdeck.store.schema.registry import schema_of

_Place = tuple[int, ...] | None


class ReopeningReader:
    """A read-only connection that is opened late and given up on any failure."""

    def __init__(self, directory: StoreDirectory, path: Path) -> None:
        self._directory = directory
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._opened = 0
        self._db: Connection | None = None
        self._places: tuple[_Place, _Place] = (None, None)
        self._seen: int | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One moment of the file. Raises the StoreError family and nothing else.

        Whatever fails, the next call begins anew, so that a repaired store is read again. A newer
        watchdeck may have upgraded the file since it was opened: that is asked each time (15 us).
        """
        with self._named_failures():
            db = self._current()
            self._seen = data_version(db)
            with snapshot(db):
                check_version(db, self._path, schema_of(self._path))
                yield db

    def changed(self) -> bool:
        """Whether the file was replaced, or written by anyone, since the last read or question."""
        with self._named_failures():
            db = self._current()
            before, self._seen = self._seen, data_version(db)
            return self._seen != before

    @property
    def moment(self) -> tuple[int, int | None]:
        """Which state of which file was read last: two reads at equal moments find the same."""
        return self._opened, self._seen

    def close(self) -> None:
        """Let go of the file; the next read opens it again."""
        if self._db is not None:
            self._db.close()
        self._db = self._seen = None

    def _current(self) -> Connection:
        if self._db is not None and self._places == self._found():
            return self._db
        self.close()
        self._directory.check()
        # asked before opening: what is put there in between is found out by the next call
        main, log = self._found()
        self._db = reading(self._path, still=log is None)
        self._places = (main, log and self._found()[1])
        self._opened += 1
        return self._db

    def _found(self) -> tuple[_Place, _Place]:
        """Where the file and its write-ahead log are: one that was deleted is still readable.

        Without a log the file is read as if nobody wrote it, and who only reads leaves no log
        behind: when it was written is then part of where it is.
        """
        log = file_identity(self._log)
        return file_identity(self._path, written=log is None), log

    @contextmanager
    def _named_failures(self) -> Iterator[None]:
        try:
            with corruption_as_error(self._path):
                yield
        except StoreError:
            self.close()
            raise
