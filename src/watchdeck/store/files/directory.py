"""The directory of a store: its files, the checks before they are used, and the collector lock."""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from watchdeck.domain.values.text import clean
from watchdeck.errors import CollectorRunning, StoreCorrupt, StoreError, StoreMissing

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600

_LOCK_TRIES = 10
_LOCK_PAUSE = 0.02
"""Seconds. `lock_holder` itself takes the lock for some microseconds, so a retry is needed."""

_DIRECTORY_PATIENCE = 2.0
"""Seconds to wait for the lock of a directory: another process may just create its files."""

_LOCKS = Path("/proc/locks")


class StoreDirectory(Struct, frozen=True):
    """The paths of a store: a directory of two SQLite files and a lock file; it may not exist."""

    path: Path

    @property
    def metrics(self) -> Path:
        """The file of scrapes and derived values: many small rows; the last second may be lost."""
        return self.path / "metrics.db"

    @property
    def state(self) -> Path:
        """The file of decisions and actions: few rows, none of which may be lost."""
        return self.path / "state.db"

    @property
    def lock(self) -> Path:
        """The file that the one collector locks for as long as it runs."""
        return self.path / "collector.lock"

    @property
    def backups(self) -> Path:
        """The directory for copies that are made before a file is upgraded."""
        return self.path / "backups"

    @property
    def consoles(self) -> Path:
        """The directory of one presence file for each open console."""
        return self.path / "consoles"

    def create(self) -> None:
        """Create the directory (0700) if it does not exist; an existing one keeps its mode.

        Raises StoreError when `check` does, or when root would create files in the directory of
        another user.
        """
        if _lstat(self.path) is None:
            with os_errors_as_store_error(self.path):
                _refuse_root(_nearest_parent(self.path))
                self.path.mkdir(DIRECTORY_MODE, parents=True, exist_ok=True)
                self.path.chmod(DIRECTORY_MODE)
        self.check()
        _refuse_root(self.path)

    def check(self) -> None:
        """Check that the directory exists and can be trusted.

        Raises StoreMissing when there is none, StoreError for a symbolic link, for something else
        than a directory, or when everybody can write to it.
        """
        found = _lstat(self.path)
        if found is None:
            raise StoreMissing(f"there is no store in {self.path}. `watchdeck collect` makes one.")
        if stat.S_ISLNK(found.st_mode):
            raise StoreError(
                f"{self.path} is a symbolic link, whose target may change during use."
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
        """Hold the collector lock of this store until the block or the process ends.

        Raises CollectorRunning, which names the process that holds the lock, or StoreError when
        the lock file cannot be used.
        """
        self.check()
        with os_errors_as_store_error(self.lock):
            handle = self._acquire_lock()
        try:
            with os_errors_as_store_error(self.lock):
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
            yield
        finally:
            os.close(handle)

    def lock_holder(self) -> int | None:
        """The id of the process that holds the lock; None if nobody does, 0 if it is unknown."""
        try:
            handle = os.open(self.lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if _try_lock(handle, fcntl.LOCK_SH):
                return None
            pid = os.read(handle, 32).strip()
            return int(pid) if pid.isdigit() else 0
        finally:
            os.close(handle)

    def locked_at(self) -> int | None:
        """The time (ms UTC) at which the lock was last taken; None when it never was."""
        found = _lstat(self.lock)
        return None if found is None else found.st_mtime_ns // 1_000_000

    def file_identities(self) -> tuple[tuple[int, ...] | None, ...]:
        """The `file_identity` of both database files and of the lock."""
        return tuple(file_identity(path) for path in (self.metrics, self.state, self.lock))

    def log_identities(self) -> tuple[tuple[int, ...] | None, ...]:
        """The `file_identity` of both write-ahead logs; constant while a log is in use."""
        files = (self.metrics, self.state)
        return tuple(file_identity(path.with_name(f"{path.name}-wal")) for path in files)

    def _acquire_lock(self) -> int:
        check_file(self.lock, missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        for attempt in range(_LOCK_TRIES):
            time.sleep(_LOCK_PAUSE if attempt else 0)
            handle = os.open(self.lock, flags, FILE_MODE)
            if _try_lock(handle, fcntl.LOCK_EX) and _is_open_file(handle, self.lock):
                return handle
            os.close(handle)
        holder, locking = self.lock_holder(), locking_process(self.lock)
        if locking and locking != holder:
            raise CollectorRunning(
                f"{self.lock} is locked by process {locking}, which is not known as a collector."
                " Nothing can be collected until it ends."
            )
        raise CollectorRunning(
            f"a collector already runs on {self.path} (process {holder or 'unknown'})."
            " One collector serves any number of consoles."
        )


def check_file(path: Path, *, missing_ok: bool = False) -> None:
    """Check that the path is a regular file that not everybody can write; else raise StoreError.

    A symbolic link is refused, because it could lead writes elsewhere. A missing file raises
    StoreMissing, unless `missing_ok`.
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
    """Raise every OSError of the block as a StoreError that names the path."""
    try:
        yield
    except OSError as error:
        raise _os_error(path, error) from error


def _os_error(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be used: {error.strerror}. Make room and check its permissions, or name"
        " another directory (`store =`)."
    )


def file_identity(path: Path, *, written: bool = False) -> tuple[int, ...] | None:
    """Device, inode and modification time (ns) of a file, to notice that it was replaced.

    Unless `written`, 0 stands for the time, so that a write changes nothing. None when there is no
    such file.
    """
    with suppress(OSError):
        found = path.lstat()
        return found.st_dev, found.st_ino, found.st_mtime_ns if written else 0
    return None


def sync(path: Path) -> None:
    """Wait until a file or directory is on disk (fsync)."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Keep other processes from creating or upgrading files in a directory during the block.

    Raises StoreError, which names the process that has the lock, when that takes too long: all who
    may read the directory can hold it.
    """
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + _DIRECTORY_PATIENCE
        while not _try_lock(handle, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                holder = locking_process(directory)
                raise StoreError(
                    f"{directory} is locked by {_process_name(holder)}, so its files cannot be"
                    " prepared. If it is a watchdeck it upgrades or restores the store: try again"
                    " when it has ended. Else end it."
                )
            time.sleep(_LOCK_PAUSE)
        yield
    finally:
        os.close(handle)


def locking_process(path: Path, locks: Path = _LOCKS) -> int | None:
    """The process that holds a lock (flock) on a file or directory; None when it is not known."""
    found = _lstat(path)
    if found is None:
        return None
    file = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    with suppress(OSError):
        for line in locks.read_text(errors="replace").splitlines():
            # 1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF; `->` marks one that waits
            words = line.split()
            # 0 stands for a process outside of this container
            if words[1:2] == ["FLOCK"] and words[5:6] == [file] and words[4].strip("0").isdigit():
                return int(words[4])
    return None


def _process_name(number: int | None) -> str:
    """The id and the program of a process, as far as they are known."""
    if number is None:
        return "another process"
    with suppress(OSError):
        program = Path(f"/proc/{number}/comm").read_text(errors="replace")
        return f"process {number} ({clean(program.strip(), 40)})"
    return f"a process that process {number} started before it ended"


def _try_lock(handle: int, kind: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
        return True
    return False


def _is_open_file(handle: int, path: Path) -> bool:
    """Whether `path` still names the open file: a lock on a deleted file has no effect."""
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
        raise _os_error(path, error) from error


def _nearest_parent(path: Path) -> Path:
    """The closest parent directory that exists."""
    return next(parent for parent in path.absolute().parents if parent.exists())


def _refuse_root(path: Path) -> None:
    """Raises StoreError when root would create files that lock the owner out of the store."""
    owner = path.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        raise StoreError(
            f"{path} belongs to user {owner}, and files made by root would lock that user out."
            f" Run this as that user: `sudo -u '#{owner}' watchdeck …`"
        )
