"""A file that does nothing but take room, so that there is some when the disk is full.

On a full disk SQLite cannot even delete (measured): without this, nothing could be thinned out.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from watchdeck.store.files.directory import FILE_MODE

NAME = "ballast"
SIZE = 32 << 20
_LEAST_FREE = 4 * SIZE
"""Free bytes below which the room is left to who needs it now."""


class Ballast:
    """The ballast of one store's directory; `size` is in bytes.

    A store that is smaller than it has nothing to thin out, and needs none.
    """

    def __init__(self, directory: Path, budget: int) -> None:
        self._path = directory / NAME
        self.size = min(SIZE, budget // 32)

    def take(self) -> None:
        """Take the room, where the disk has enough; without it all else works as well."""
        with suppress(OSError):
            if self._path.exists() or shutil.disk_usage(self._path.parent).free < _LEAST_FREE:
                return
            handle = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE)
            try:
                os.posix_fallocate(handle, 0, self.size)
            finally:
                os.close(handle)

    def release(self) -> None:
        """Give the room back to the disk."""
        with suppress(OSError):
            self._path.unlink()
