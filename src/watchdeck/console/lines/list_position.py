"""Where a person is in a list: the row by its name, and what part of the list is in view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """The cursor's row by `key`, its `index` when it was last seen, and the `top` row in view.

    Without a key the cursor rides on the first row, whichever that is: until a person moves it,
    the worst model must not slip out of sight because the cursor follows one that got better.
    """

    key: str | None = None
    index: int = 0
    top: int = 0


def follow(place: Place, keys: Sequence[str], height: int) -> Place:
    """The same place after the rows changed: the same row, the same scroll unless it would hide.

    A row that is gone leaves the cursor at its height in the list.
    """
    if not keys:
        return Place(place.key)
    if place.key is None:
        return _in_view(Place(None, 0, place.top), len(keys), height)
    if place.key in keys:
        return _in_view(Place(place.key, keys.index(place.key), place.top), len(keys), height)
    index = min(place.index, len(keys) - 1)
    return _in_view(Place(keys[index], index, place.top), len(keys), height)


def move(place: Place, keys: Sequence[str], height: int, by: int) -> Place:
    """The place after the cursor went `by` rows, as far as there are rows."""
    if not keys:
        return place
    index = max(0, min(len(keys) - 1, follow(place, keys, height).index + by))
    return _in_view(Place(keys[index], index, place.top), len(keys), height)


def home() -> Place:
    """The first row, to stay on it."""
    return Place()


def at(place: Place, keys: Sequence[str], height: int, index: int) -> Place:
    """The place on a row by its number."""
    return move(place, keys, height, index - follow(place, keys, height).index)


def _in_view(place: Place, count: int, height: int) -> Place:
    lowest = max(0, count - height)
    least = place.index - max(1, height) + 1
    top = min(lowest, max(least, min(place.index, place.top)))
    return Place(place.key, place.index, max(0, top))
