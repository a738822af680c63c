"""Folding: of many alerts at once, one message at once and one for all the others.

The name of a fold carries all that must be known of it later, so that the outbox alone remembers:
`GROUP.PART@OPENED`, where OPENED (ms UTC) is when its window began.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from msgspec import Struct

from watchdeck.domain.values.severity import Severity

WINDOW = 30_000
"""Milliseconds after the first message of a group in which others wait to be told together."""

_FIRST, _WORST, _REST = "1", "0", "2"

Windows = dict[str, int]
"""When the newest window of each part of each group began (ms UTC)."""

_PARTS = (_FIRST, _WORST, _REST)


class GroupSlot(Struct, frozen=True):
    """Where a message stands: in which fold, and not before when (ms UTC) it is sent."""

    fold: str
    not_before: int


def group_of(*parts: str) -> str:
    """A short name for a channel, a class of messages and the labels that they share."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def group_windows(folds: Iterable[str]) -> Windows:
    """The windows that names of folds tell of, the newest of each."""
    found: Windows = {}
    for fold in folds:
        key, _, opened = fold.partition("#")[0].partition("@")
        if opened.isdecimal():
            found[key] = max(found.get(key, 0), int(opened))
    return found


def assign_group(group: str, severity: Severity, windows: Mapping[str, int], now: int) -> GroupSlot:
    """Where a message of a group belongs at `now` (ms UTC).

    The first page of a window goes at once, and so does its first of severity 1; all others of the
    window, and notices in any case, are one message at its end. That makes three at the most.
    """
    newest = max(windows.get(f"{group}.{part}", 0) for part in _PARTS)
    opened = newest if newest <= now < newest + WINDOW else now
    told = {part for part in _PARTS if windows.get(f"{group}.{part}") == opened}
    if severity is Severity.CRITICAL and _WORST not in told:
        part = _WORST
    elif severity.pages and not told & {_FIRST, _WORST}:
        part = _FIRST
    else:
        return GroupSlot(f"{group}.{_REST}@{opened}", opened + WINDOW)
    return GroupSlot(f"{group}.{part}@{opened}", now)
