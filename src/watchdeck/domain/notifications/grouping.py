"""Grouping of messages: of many alerts at once, the first is sent at once, the others together.

The name of a slot holds all its state, so only the outbox stores it: `GROUP.PART@OPENED`, where
OPENED (ms UTC) is the start of the window of the group.
"""

import hashlib
from collections.abc import Iterable, Mapping

from msgspec import Struct

from watchdeck.domain.rules.rule import Severity

GROUP_WINDOW = 30_000
"""Time (ms) after the first message of a group in which others wait to be sent together."""

_FIRST, _WORST, _REST = "1", "0", "2"

GroupWindows = dict[str, int]
"""The start (ms UTC) of the newest window, by `GROUP.PART`."""

_PARTS = (_FIRST, _WORST, _REST)


class GroupSlot(Struct, frozen=True):
    """The notification that a message joins: all messages with the same `name` are sent as one.

    It is sent at `not_before` (ms UTC) or later.
    """

    name: str
    not_before: int


def group_name(*parts: str) -> str:
    """The name of a group: a hash of its channel, its message class and its shared labels."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def group_windows(names: Iterable[str]) -> GroupWindows:
    """The start (ms UTC) of the newest window by `GROUP.PART`, parsed from the names of slots.

    Names of another form are skipped.
    """
    found: GroupWindows = {}
    for name in names:
        key, _, opened = name.partition("#")[0].partition("@")
        if opened.isdecimal():
            found[key] = max(found.get(key, 0), int(opened))
    return found


def moment_slot(group: str, at: int) -> GroupSlot:
    """The notification of all messages of a group that are due at `at` (ms UTC).

    A receiver that goes on paging until it knows who has an alert must not wait for a window.
    """
    return GroupSlot(f"{group}.{_REST}@{at}", at)


def assign_group(group: str, severity: Severity, windows: Mapping[str, int], now: int) -> GroupSlot:
    """The notification that a message of a group joins at `now` (ms UTC).

    A window is the `GROUP_WINDOW` after the group's first message. Its first message of a
    paging severity and its first of severity 1 are sent at once, all others together at its end: at
    most three notifications a window.
    """
    newest = max(windows.get(f"{group}.{part}", 0) for part in _PARTS)
    opened = newest if newest <= now < newest + GROUP_WINDOW else now
    used = {part for part in _PARTS if windows.get(f"{group}.{part}") == opened}
    if severity is Severity.CRITICAL and _WORST not in used:
        part = _WORST
    elif severity.is_paging and not used & {_FIRST, _WORST}:
        part = _FIRST
    else:
        return GroupSlot(f"{group}.{_REST}@{opened}", opened + GROUP_WINDOW)
    return GroupSlot(f"{group}.{part}@{opened}", now)
