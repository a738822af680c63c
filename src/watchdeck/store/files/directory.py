"""The directory of a store: its files, who may touch them, and the lock of its one collector."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from watchdeck.errors import CollectorRunning, StoreCorrupt, StoreError, StoreMissing

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600

_LOCK_TRIES = 10
_LOCK_PAUSE = 0.02
"""Seconds. Whoever asks for the holder holds the lock for some microseconds: that passes."""


class StoreDirectory(Struct, frozen=True):
    """A directory with two SQLite files and a lock; it may not exist yet."""

    path: Path

    @property
    def metrics(self) -> Path:
        """Scrapes and what is derived from them: many, small, losable by a tick."""
        return self.path / "metrics.db"

    @property
    def state(self) -> Path:
        """What was decided and done: few, precious."""
        return self.path / "state.db"

    @property
    def lock(self) -> Path:
        """Held by the one collector for as long as it runs."""
        return self.path / "collector.lock"

    @property
    def backups(self) -> Path:
        """Where a copy goes before a file of an older version is changed."""
        return self.path / "backups"

    @property
    def consoles(self) -> Path:
        """Where consoles say that they are there."""
        return self.path / "consoles"

    def create(self) -> None:
        """Make the directory (0700) where there is none; one that exists keeps its mode.

        Raises StoreError when it may not be used as it is, or when root would put files where only
        another user should.
        """
        if _lstat(self.path) is None:
            with os_errors_as_store_error(self.path):
                _refuse_foreign_root(_nearest(self.path))
                self.path.mkdir(DIRECTORY_MODE, parents=True, exist_ok=True)
                self.path.chmod(DIRECTORY_MODE)
        self.check()
        _refuse_foreign_root(self.path)

    def check(self) -> None:
        """Raises StoreMissing or StoreError when the directory is not one that can be trusted."""
        found = _lstat(self.path)
        if found is None:
            raise StoreMissing(f"there is no store in {self.path}. `watchdeck collect` makes one.")
        if stat.S_ISLNK(found.st_mode):
            raise StoreError(
                f"{self.path} is a symbolic link, and a store must not be moved under one's feet."
                f" Name the directory itself: {os.path.realpath(self.path)}"
            )
        if not stat.S_ISDIR(found.st_mode):
            raise StoreError(f"{self.path} is not a directory. Name one for the store.")
        if found.st_mode & stat.S_IWOTH:
            raise StoreError(
                f"{self.path} can be written by everybody, so nothing in it can be trusted."
                f" `chmod 700 {self.path}` if it is yours alone."
            )

    @contextmanager
    def hold_lock(self) -> Iterator[None]:
        """Be the one collector of this store until the block ends, or the process does.

        Raises CollectorRunning that names the process which is, or StoreError when none can be.
        """
        self.check()
        with os_errors_as_store_error(self.lock):
            handle = self._locked()
        try:
            with os_errors_as_store_error(self.lock):
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
            yield
        finally:
            os.close(handle)

    def lock_holder(self) -> int | None:
        """The process that holds the lock; None when nobody does, 0 when it did not say who."""
        try:
            handle = os.open(self.lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if _flock(handle, fcntl.LOCK_SH):
                return None
            said = os.read(handle, 32).strip()
            return int(said) if said.isdigit() else 0
        finally:
            os.close(handle)

    def locked_at(self) -> int | None:
        """When the lock was last taken, in ms UTC; None when it never was."""
        found = _lstat(self.lock)
        return None if found is None else found.st_mtime_ns // 1_000_000

    def places(self) -> tuple[tuple[int, ...] | None, ...]:
        """Which files the database files and the lock are; None for each that there is not."""
        return tuple(file_identity(path) for path in (self.metrics, self.state, self.lock))

    def logs(self) -> tuple[tuple[int, ...] | None, ...]:
        """Which files the write-ahead logs are: each is the same for as long as it is written."""
        files = (self.metrics, self.state)
        return tuple(file_identity(path.with_name(f"{path.name}-wal")) for path in files)

    def _locked(self) -> int:
        check_file(self.lock, missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        for attempt in range(_LOCK_TRIES):
            time.sleep(_LOCK_PAUSE if attempt else 0)
            handle = os.open(self.lock, flags, FILE_MODE)
            if _flock(handle, fcntl.LOCK_EX) and _is_same(handle, self.lock):
                return handle
            os.close(handle)
        holder = self.lock_holder()
        raise CollectorRunning(
            f"a collector already runs on {self.path} (process {holder or 'unknown'})."
            " One collector serves any number of consoles."
        )


def check_file(path: Path, *, missing_ok: bool = False) -> None:
    """Raises a StoreError unless this is a plain file that only its owner's circle can write.

    A symbolic link is refused, so that nobody is led to write elsewhere.
    """
    found = _lstat(path)
    if found is None:
        if missing_ok:
            return
        raise StoreMissing(f"there is no {path}. `watchdeck collect` makes the store.")
    if stat.S_ISLNK(found.st_mode):
        raise StoreError(f"{path} is a symbolic link. Put the file itself there.")
    if not stat.S_ISREG(found.st_mode):
        raise StoreCorrupt(f"{path} is not a file, so it is no store. Move it away.")
    if found.st_mode & stat.S_IWOTH:
        raise StoreError(f"{path} can be written by everybody. `chmod 600 {path}` if it is yours.")


@contextmanager
def os_errors_as_store_error(path: Path) -> Iterator[None]:
    """Every error of the system within the block as a StoreError that names the place."""
    try:
        yield
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be used: {error.strerror}. Make room and check its permissions, or name"
        " another directory (`store =`)."
    )


def file_identity(path: Path, *, written: bool = False) -> tuple[int, ...] | None:
    """Which file a path leads to, and on demand when it was written, in ns.

    Another one that is put there has another place.
    """
    with suppress(OSError):
        found = path.lstat()
        return found.st_dev, found.st_ino, found.st_mtime_ns if written else 0
    return None


def sync(path: Path) -> None:
    """Wait until a file or directory has reached the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Keep other processes from creating or upgrading files here until the block ends."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _flock(handle: int, kind: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
        return True
    return False


def _is_same(handle: int, path: Path) -> bool:
    """Whether the path still leads to the open file: a lock on a deleted file locks nobody."""
    opened, found = os.fstat(handle), _lstat(path)
    return found is not None and os.path.samestat(opened, found)


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise StoreError(
            f"{path} may not be looked at by this user. Use the store as the user who made it."
        ) from error
    except OSError as error:
        raise _refused(path, error) from error


def _nearest(path: Path) -> Path:
    """The closest parent that exists."""
    return next(parent for parent in path.absolute().parents if parent.exists())


def _refuse_foreign_root(path: Path) -> None:
    """Files that root makes at another user's place lock that user out of the own store."""
    owner = path.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        raise StoreError(
            f"{path} belongs to user {owner}, and files made by root would lock that user out."
            f" Run this as that user: `sudo -u '#{owner}' watchdeck …`"
        )
