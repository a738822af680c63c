"""One small file for each console, in the store's directory: who is there, and where they look."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from watchdeck.domain.board.presence import GONE, Presence, there
from watchdeck.domain.values.plain import to_plain
from watchdeck.domain.values.text import clean
from watchdeck.store.files.directory import DIRECTORY_MODE, FILE_MODE, StoreDirectory

_MOST = 50
_LARGEST = 2_048
"""Files and bytes that are read: what lies there may be anybody's."""


class PresenceFile:
    """This process's own file; nothing that fails here is worth a word to an operator."""

    def __init__(self, directory: StoreDirectory) -> None:
        self._folder = directory.consoles
        self._path = self._folder / f"{os.getpid()}-{secrets.token_hex(3)}.json"
        self._taken = False

    def take(self, presence: Presence) -> None:
        """Say who is here, and where they look."""
        self._taken = True
        with suppress(OSError):
            self._folder.mkdir(DIRECTORY_MODE, exist_ok=True)
            fresh = self._path.with_suffix(".new")
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(fresh, flags, FILE_MODE)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(to_plain(presence), file)
            fresh.rename(self._path)

    def leave(self) -> None:
        """Be here no longer."""
        with suppress(OSError):
            self._path.unlink()

    def others(self, now: int) -> tuple[Presence, ...]:
        """Who else is there at `now` (ms UTC).

        Who has a seat clears away what consoles that died left behind; who only looks changes
        nothing.
        """
        return read_presence(self._folder, now, but=self._path, clear=self._taken)


def read_presence(
    folder: Path, now: int, *, but: Path | None = None, clear: bool = False
) -> tuple[Presence, ...]:
    """Who is there; on demand, what consoles that died left behind is cleared away."""
    found = []
    with suppress(OSError):
        for path in sorted(folder.glob("*.json"))[:_MOST]:
            presence = _read(path) if path != but else None
            if presence is not None:
                found.append(presence)
                if clear and abs(now - presence.at) > 10 * GONE:
                    with suppress(OSError):
                        path.unlink()
    return there(tuple(found), now)


def _read(path: Path) -> Presence | None:
    """What a file says; None when it is none of ours."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            raw = json.loads(file.read(_LARGEST))
        return Presence(
            clean(str(raw["who"]), 60),
            clean(str(raw["view"]), 60),
            int(raw["since"]),
            int(raw["at"]),
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
