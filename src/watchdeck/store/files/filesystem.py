"""What the disk under a store is, and whose its files are."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from watchdeck.store.files.ballast import NAME

_NETWORKED = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs")
)
"""File systems whose locks and shared memory SQLite's write-ahead log cannot rely on."""

_MOUNTS = Path("/proc/self/mountinfo")


def kind_of_disk(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """The type of the file system that `path` is on, such as `ext4`; None when it is not said."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    places = (_mount(line) for line in lines)
    real = path.resolve()
    over = [(place, kind) for place, kind in places if real.is_relative_to(place)]
    # of two mounts on one place the later hides the earlier
    return max(enumerate(over), key=lambda one: (len(one[1][0]), one[0]))[1][1] if over else None


def _mount(line: str) -> tuple[str, str]:
    """The place and the type in one line of mountinfo, where blanks are escaped in octal."""
    left, _, right = line.partition(" - ")
    return left.split(" ")[4].replace("\\040", " "), right.split(" ")[0]


def is_networked(kind: str) -> bool:
    """Whether other machines can write to a disk of this type."""
    return kind in _NETWORKED


def faulty_permissions(directory: Path) -> Iterator[str]:
    """What is wrong with the owners and modes of a store's directory and files, with the cure."""
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
    """All that the files of a store's directory take, but the ballast: backups included."""
    files = (path for path in directory.rglob("*") if not path.is_dir() and path.name != NAME)
    return sum(path.lstat().st_size for path in files)
