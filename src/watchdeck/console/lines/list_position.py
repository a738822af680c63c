"""Where a person is in a list: the row by its name, and what part of the list is in view."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class ListPosition(Struct, frozen=True):
    """The cursor's row by `key`, its `index` when it was last seen, and the `top` row in view.

    Without a key the cursor rides on the first row, whichever that is: until a person moves it,
    the worst model must not slip out of sight because the cursor follows one that got better.
    """

    key: str | None = None
    index: int = 0
    top: int = 0


def keep_position(place: ListPosition, keys: Sequence[str], height: int) -> ListPosition:
    """The same place after the rows changed: the same row, the same scroll unless it would hide.

    A row that is gone leaves the cursor at its height in the list.
    """
    if not keys:
        return ListPosition(place.key)
    if place.key is None:
        return _in_view(ListPosition(None, 0, place.top), len(keys), height)
    if place.key in keys:
        return _in_view(
            ListPosition(place.key, keys.index(place.key), place.top), len(keys), height
        )
    index = min(place.index, len(keys) - 1)
    return _in_view(ListPosition(keys[index], index, place.top), len(keys), height)


def move(place: ListPosition, keys: Sequence[str], height: int, by: int) -> ListPosition:
    """The place after the cursor went `by` rows, as far as there are rows."""
    if not keys:
        return place
    index = max(0, min(len(keys) - 1, keep_position(place, keys, height).index + by))
    return _in_view(ListPosition(keys[index], index, place.top), len(keys), height)


def home() -> ListPosition:
    """The first row, to stay on it."""
    return ListPosition()


def at(place: ListPosition, keys: Sequence[str], height: int, index: int) -> ListPosition:
    """The place on a row by its number."""
    return move(place, keys, height, index - keep_position(place, keys, height).index)


def _in_view(place: ListPosition, count: int, height: int) -> ListPosition:
    lowest = max(0, count - height)
    least = place.index - max(1, height) + 1
    top = min(lowest, max(least, min(place.index, place.top)))
    return ListPosition(place.key, place.index, max(0, top))
