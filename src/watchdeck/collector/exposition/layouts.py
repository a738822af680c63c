"""The layouts of an endpoint's pages, kept few even if its labels change with every scrape."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct, field

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


class _Union(Struct):
    """A layout of the series of several pages; `candidates` are new series of the last page."""

    layout: Layout
    candidates: frozenset[Series] = frozenset()
    positions: dict[Series, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.positions = {series: position for position, series in enumerate(self.layout.series)}

    def align(self, series: Sequence[Series], values: array[float]) -> AlignedValues:
        """The values in the union's order; NaN for each series that the page does not have."""
        aligned = array("d", [math.nan]) * len(self.layout)
        missing = 0
        for one, value in zip(series, values, strict=True):
            position = self.positions.get(one)
            if position is None:
                missing += 1
            else:
                aligned[position] = value
        return AlignedValues(self.layout, aligned, missing)


class EndpointLayouts:
    """Chooses a page's layout (its series in order); limits the new layouts of an endpoint.

    Within the limit, the layout of a page has exactly its series. Beyond the limit, pages share a
    union: a layout with the series of recent pages, and NaN for those that a page lacks. A series
    is added to the union only after two pages in a row had it, so labels that are new in every
    scrape never get in. Two pages in a row with the same series end the union.
    """

    def __init__(self, share: ShareLayout, max_series: int) -> None:
        self.pages = 0
        self._share = share
        self._max_series = max_series
        self._credit = MAX_LAYOUTS * PAGES_PER_LAYOUT
        self._credited_at = 0
        self._recent: deque[Layout] = deque(maxlen=MAX_LAYOUTS)
        self._union: _Union | None = None
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
            own = self._own_layout(series, known)
            if own is not None:
                self._union = None
                return AlignedValues(own, values)
        if self._union is None:
            merged = dict.fromkeys(one for layout in self._recent for one in layout.series)
            self._union = _Union(self._share(tuple(merged)[-self._max_series :]))
        self._extend_union(self._union, series)
        return self._union.align(series, values)

    def _own_layout(self, series: tuple[Series, ...], known: Layout | None) -> Layout | None:
        for layout in reversed(self._recent):
            if layout.series == series:
                return layout
        if not self._spend_credit():
            return None
        layout = known or self._share(series)
        self._recent.append(layout)
        return layout

    def _extend_union(self, union: _Union, series: tuple[Series, ...]) -> None:
        new = tuple(one for one in series if one not in union.positions)
        repeated = tuple(one for one in new if one in union.candidates)
        union.candidates = frozenset(new)
        if repeated and self._spend_credit():
            extended = (*union.layout.series, *repeated)
            fits = len(extended) <= self._max_series
            self._union = _Union(self._share(extended if fits else series))

    def _spend_credit(self) -> bool:
        earned = self.pages - self._credited_at
        self._credited_at = self.pages
        self._credit = min(MAX_LAYOUTS * PAGES_PER_LAYOUT, self._credit + earned)
        if self._credit < PAGES_PER_LAYOUT:
            return False
        self._credit -= PAGES_PER_LAYOUT
        return True
