"""The layouts of an endpoint's pages, kept few even if its labels change with every scrape."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from functools import cached_property

from msgspec import Struct

from watchdeck.domain.metrics.series import Layout, Series

MAX_LAYOUTS = 16
"""Most new layouts of an endpoint in an hour: the store writes a segment for each."""

PAGES_PER_LAYOUT = 22
"""Pages to read for each new layout: at a scrape every 10 s this allows 16 layouts an hour."""

ShareLayout = Callable[[tuple[Series, ...]], Layout]
"""Returns the one shared layout of these series."""


class AlignedValues(Struct, frozen=True):
    """A page's values in the order of a layout; `missing` counts its series outside that layout."""

    layout: Layout
    values: array[float]
    missing: int = 0


class _AlignedLayout(Struct, dict=True):
    """A layout, and the values of pages in its order."""

    layout: Layout

    @cached_property
    def positions(self) -> dict[Series, int]:
        """The position of each series; made only for pages in another order (100 bytes each)."""
        return {series: position for position, series in enumerate(self.layout.series)}

    def align(self, series: Sequence[Series], values: array[float]) -> AlignedValues:
        """The values in the layout's order; NaN for each series that the page does not have."""
        aligned = array("d", [math.nan]) * len(self.layout)
        missing = 0
        for one, value in zip(series, values, strict=True):
            position = self.positions.get(one)
            if position is None:
                missing += 1
            else:
                aligned[position] = value
        return AlignedValues(self.layout, aligned, missing)


class _Credit(Struct):
    """How many new layouts an endpoint may have: MAX_LAYOUTS at once, and as many an hour."""

    left: int = MAX_LAYOUTS * PAGES_PER_LAYOUT
    page: int = 0

    def spend(self, page: int) -> bool:
        """Take one layout at the page of this number; False when there is none left."""
        self.left = min(MAX_LAYOUTS * PAGES_PER_LAYOUT, self.left + page - self.page)
        self.page = page
        if self.left < PAGES_PER_LAYOUT:
            return False
        self.left -= PAGES_PER_LAYOUT
        return True


class EndpointLayouts:
    """Chooses a page's layout (its series in order); limits the new layouts of an endpoint.

    Within the limit, the layout of a page has exactly its series; a page with the series of an
    earlier one in another order shares its layout. Beyond the limit, pages share a union: a layout
    with the series of recent pages, and NaN for those that a page lacks. A series is added to the
    union only after two pages in a row had it, so labels that are new in every scrape never get in.
    Additions have a limit of their own: they are possible when every page had another layout
    before. Two pages in a row with the same series end the union.
    """

    def __init__(self, share: ShareLayout, max_series: int) -> None:
        self.pages = 0
        self._share = share
        self._max_series = max_series
        self._layouts_left, self._additions_left = _Credit(), _Credit()
        self._recent: deque[_AlignedLayout] = deque(maxlen=MAX_LAYOUTS)
        self._union: _AlignedLayout | None = None
        self._candidates: frozenset[Series] = frozenset()
        self._previous: tuple[Series, ...] = ()

    @property
    def has_union(self) -> bool:
        """Whether pages share a union layout now, because the limit was reached."""
        return self._union is not None

    def align(
        self, series: tuple[Series, ...], values: array[float], known: Layout | None = None
    ) -> AlignedValues:
        """The layout for a page with these series, and its values in that layout's order.

        `known` is the layout of exactly these series, if the caller has it already.
        """
        repeated = series == self._previous
        self._previous = series
        if self._union is None or repeated:
            own = self._align_to_own(series, values, known)
            if own is not None:
                self._union = None
                return own
        if self._union is None:
            merged = dict.fromkeys(one for known in self._recent for one in known.layout.series)
            self._union = _AlignedLayout(self._share(tuple(merged)[-self._max_series :]))
        return self._extend_union(self._union, series).align(series, values)

    def _align_to_own(
        self, series: tuple[Series, ...], values: array[float], known: Layout | None
    ) -> AlignedValues | None:
        """The values in a layout of exactly these series, in any order; None beyond the limit."""
        for one in reversed(self._recent):
            if one.layout.series == series:
                return AlignedValues(one.layout, values)
        wanted, size = frozenset(series), len(series)
        of_size = (one for one in self._recent if len(one.layout) == size)
        same = next((one for one in of_size if wanted == frozenset(one.layout.series)), None)
        if same is not None:
            return same.align(series, values)
        if not self._layouts_left.spend(self.pages):
            return None
        layout = known or self._share(series)
        self._recent.append(_AlignedLayout(layout))
        return AlignedValues(layout, values)

    def _extend_union(self, union: _AlignedLayout, series: tuple[Series, ...]) -> _AlignedLayout:
        new = tuple(one for one in series if one not in union.positions)
        repeated = tuple(one for one in new if one in self._candidates)
        self._candidates = frozenset(new)
        if repeated and self._additions_left.spend(self.pages):
            extended = (*union.layout.series, *repeated)
            fits = len(extended) <= self._max_series
            self._union = union = _AlignedLayout(self._share(extended if fits else series))
        return union
