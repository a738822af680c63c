"""The disk below a store: its type, the owners and modes of files, bytes used, reserved space."""

import logging
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from watchdeck.logs import fields
from watchdeck.store.files.directory import FILE_MODE

_log = logging.getLogger(__name__)

BALLAST_NAME = "ballast"
BALLAST_SIZE = 32 << 20
_LEAST_FREE = 4 * BALLAST_SIZE
"""Bytes. With less free than this, no space is reserved."""


class Ballast:
    """A file of `size` bytes that reserves disk space, to be deleted when the disk is full.

    On a full disk SQLite cannot even delete rows (measured), so old history could not be removed. A
    store smaller than this file has too little to remove, and needs no such file.
    """

    def __init__(self, directory: Path, budget: int) -> None:
        self._path = directory / BALLAST_NAME
        self.size = min(BALLAST_SIZE, budget // 32)

    def reserve(self) -> None:
        """Create the file if the disk has enough free space; a failure is ignored."""
        with suppress(OSError):
            if self._path.exists() or shutil.disk_usage(self._path.parent).free < _LEAST_FREE:
                return
            handle = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE)
            try:
                os.posix_fallocate(handle, 0, self.size)
            finally:
                os.close(handle)

    def release(self) -> None:
        """Delete the file, so that the disk has space again."""
        with suppress(OSError):
            self._path.unlink()
            _log.warning("reserved disk space was freed", extra=fields(file=self._path))


_NETWORKED = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs")
)
"""File systems on which the locks and shared memory of SQLite's WAL are not reliable."""


_MOUNTS = Path("/proc/self/mountinfo")


def filesystem_type(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """The type of the file system that holds `path`, such as `ext4`; None when it is unknown."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    real = path.resolve()
    mounts_above = [mount for mount in map(_parse_mount, lines) if real.is_relative_to(mount[0])]
    # of two mounts on one mount point the later hides the earlier: `max` must find the last
    mounts_above.reverse()
    return max(mounts_above, key=lambda mount: len(mount[0]))[1] if mounts_above else None


def _parse_mount(line: str) -> tuple[str, str]:
    """Mount point and type from one line of mountinfo, which escapes blanks in octal."""
    left, _, right = line.partition(" - ")
    return left.split(" ")[4].replace("\\040", " "), right.split(" ")[0]


def is_network_filesystem(kind: str) -> bool:
    """Whether a file system of this type is on a network, where other machines can write."""
    return kind in _NETWORKED


def permission_problems(directory: Path) -> Iterator[str]:
    """A sentence for each wrong owner or mode in a store's directory, with its remedy."""
    owner = directory.lstat().st_uid
    for path in (directory, *sorted(directory.iterdir())):
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            yield f"{path} is a symbolic link: put the file itself there"
        elif found.st_uid != owner:
            yield f"{path} belongs to user {found.st_uid}: `chown {owner} {path}`"
        elif found.st_mode & 0o077:
            mode = "700" if stat.S_ISDIR(found.st_mode) else "600"
            yield f"{path} has mode {stat.S_IMODE(found.st_mode):o}: `chmod {mode} {path}`"
    if os.geteuid() not in (0, owner):
        yield f"{directory} belongs to user {owner}: use the store as that user"


def bytes_in(directory: Path) -> int:
    """Bytes of all files in a store's directory, including backups but not the ballast.

    Hidden files are half-made ones, which the next start of a collector deletes: they do not count.
    """
    files = (
        path for path in directory.rglob("*") if not path.is_dir() and path.name != BALLAST_NAME
    )
    return sum(
        path.lstat().st_size
        for path in files
        if not any(part.startswith(".") for part in path.relative_to(directory).parts)
    )


FULL_BELOW = 1 << 20
"""Free bytes below which a disk counts as full: SQLite needs some to write anything."""


def full_disk_words(path: Path) -> str:
    """That the disk of a path is full, in words; empty when it is not, or cannot be asked."""
    try:
        found = os.statvfs(path)
    except OSError:
        return ""
    left = found.f_bavail * found.f_frsize
    return f"the disk of its store is full ({left >> 10} KiB left)" if left < FULL_BELOW else ""
