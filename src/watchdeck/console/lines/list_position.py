"""Position in a list: the row under the cursor, and the rows in view."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class ListPosition(Struct, frozen=True):
    """Cursor and scroll position of a list.

    `key` names the row under the cursor, `index` is its last known place, and `top` the first row
    in view. Without a key the cursor stays on the first row, whichever it is: following a model
    that recovered would scroll the worst model out of view before the user has moved the cursor.
    """

    key: str | None = None
    index: int = 0
    top: int = 0


def follow_row(position: ListPosition, keys: Sequence[str], height: int) -> ListPosition:
    """The position after the rows changed: on the same row, scrolled only if it would be hidden.

    When the row is gone, the cursor stays at its index.
    """
    if not keys:
        return ListPosition(position.key)
    if position.key is None:
        return _scroll_into_view(ListPosition(None, 0, position.top), len(keys), height)
    if position.key in keys:
        return _scroll_into_view(
            ListPosition(position.key, keys.index(position.key), position.top), len(keys), height
        )
    index = min(position.index, len(keys) - 1)
    return _scroll_into_view(ListPosition(keys[index], index, position.top), len(keys), height)


def move(position: ListPosition, keys: Sequence[str], height: int, by: int) -> ListPosition:
    """The position after moving the cursor by `by` rows, at most to the first or last row."""
    if not keys:
        return position
    index = max(0, min(len(keys) - 1, follow_row(position, keys, height).index + by))
    return _scroll_into_view(ListPosition(keys[index], index, position.top), len(keys), height)


def first_position() -> ListPosition:
    """The position on the first row, where it stays when the rows change order."""
    return ListPosition()


def move_to(position: ListPosition, keys: Sequence[str], height: int, index: int) -> ListPosition:
    """The position on the row `index`, at most the last one."""
    return move(position, keys, height, index - follow_row(position, keys, height).index)


def _scroll_into_view(position: ListPosition, count: int, height: int) -> ListPosition:
    lowest = max(0, count - height)
    least = position.index - max(1, height) + 1
    top = min(lowest, max(least, min(position.index, position.top)))
    return ListPosition(position.key, position.index, max(0, top))
