"""Presence: one small file for each open console, with its user and the view on screen."""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from watchdeck.domain.board.board import PRESENCE_TIMEOUT, Presence, active_consoles
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import to_plain
from watchdeck.store.files.directory import DIRECTORY_MODE, FILE_MODE, StoreDirectory

_MAX_FILES = 50
_MAX_BYTES = 2_048
"""Limits of reading the folder: other programs may have put files there."""


class PresenceFile:
    """The file that shows to other consoles that this one is open.

    Errors with the file are ignored, because nothing depends on it.
    """

    def __init__(self, directory: StoreDirectory) -> None:
        self._folder = directory.consoles
        self._path = self._folder / f"{os.getpid()}-{secrets.token_hex(3)}.json"
        self._is_written = False

    def write(self, presence: Presence) -> None:
        """Write who uses this console, and the view on screen."""
        self._is_written = True
        with suppress(OSError):
            self._folder.mkdir(DIRECTORY_MODE, exist_ok=True)
            fresh = self._path.with_suffix(".new")
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(fresh, flags, FILE_MODE)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(to_plain(presence), file)
            fresh.rename(self._path)

    def leave(self) -> None:
        """Delete the presence file, because the console closes."""
        with suppress(OSError):
            self._path.unlink()

    def others(self, now: int) -> tuple[Presence, ...]:
        """The other consoles that are open at `now` (ms UTC).

        Once `write` was called, the files of consoles that died are deleted too.
        """
        return read_presence(self._folder, now, but=self._path, clear=self._is_written)


def read_presence(
    folder: Path, now: int, *, but: Path | None = None, clear: bool = False
) -> tuple[Presence, ...]:
    """The consoles that are open at `now` (ms UTC), except that of the file `but`.

    `clear` also deletes the files of consoles that died.
    """
    found = []
    with suppress(OSError):
        for path in sorted(folder.glob("*.json"))[:_MAX_FILES]:
            presence = _read_file(path) if path != but else None
            if presence is not None:
                found.append(presence)
                if clear and abs(now - presence.at) > 10 * PRESENCE_TIMEOUT:
                    with suppress(OSError):
                        path.unlink()
    return active_consoles(tuple(found), now)


def _read_file(path: Path) -> Presence | None:
    """Read one presence file; None when it is not a valid one."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            raw = json.loads(file.read(_MAX_BYTES))
        return Presence(
            clean(str(raw["who"]), 60),
            clean(str(raw["view"]), 60),
            int(raw["since"]),
            int(raw["at"]),
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
