"""The layouts of one endpoint: few, although its labels may change with every scrape."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct, field

from watchdeck.domain.metrics.series import Layout, Series

LAYOUTS = 16
"""New layouts an endpoint may have in an hour; the store keeps a segment for each."""

READS = 22
"""Reads that earn a new layout: 16 an hour at a scrape every ten seconds."""

Share = Callable[[tuple[Series, ...]], Layout]


class AlignedValues(Struct, frozen=True):
    """Values and the layout they fit; `missing` series of the page had no place in it."""

    layout: Layout
    values: array[float]
    missing: int = 0


class _Union(Struct):
    """The series of many layouts; `waiting` are those that the last page had and it has not."""

    layout: Layout
    waiting: frozenset[Series] = frozenset()
    places: dict[Series, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = {series: place for place, series in enumerate(self.layout.series)}

    def spread(self, series: Sequence[Series], values: array[float]) -> AlignedValues:
        """The values in the union's places; NaN for what the page does not have."""
        spread = array("d", [math.nan]) * len(self.layout)
        missing = 0
        for one, value in zip(series, values, strict=True):
            place = self.places.get(one)
            if place is None:
                missing += 1
            else:
                spread[place] = value
        return AlignedValues(self.layout, spread, missing)


class EndpointLayouts:
    """A page has its own layout while its endpoint has credit for new ones, then a union.

    The union has NaN for what a page lacks. It takes in what two pages in a row had and it had
    not, as credit allows; labels that are new every time never get in. A page that comes twice in
    a row ends the union.
    """

    def __init__(self, share: Share, most: int) -> None:
        self.reads = 0
        self._share = share
        self._most = most
        self._credit = LAYOUTS * READS
        self._paid_at = 0
        self._recent: deque[Layout] = deque(maxlen=LAYOUTS)
        self._union: _Union | None = None
        self._previous: tuple[Series, ...] = ()

    @property
    def united(self) -> bool:
        """Whether pages are read into a union now."""
        return self._union is not None

    def fit(
        self, series: tuple[Series, ...], values: array[float], known: Layout | None = None
    ) -> AlignedValues:
        """The layout of a page with these series, and its values in that layout's order.

        `known` is the layout of these very series, where somebody has it already.
        """
        again = series == self._previous
        self._previous = series
        if self._union is None or again:
            own = self._own(series, known)
            if own is not None:
                self._union = None
                return AlignedValues(own, values)
        if self._union is None:
            merged = dict.fromkeys(one for layout in self._recent for one in layout.series)
            self._union = _Union(self._share(tuple(merged)[-self._most :]))
        self._grow(self._union, series)
        return self._union.spread(series, values)

    def _own(self, series: tuple[Series, ...], known: Layout | None) -> Layout | None:
        for layout in reversed(self._recent):
            if layout.series == series:
                return layout
        if not self._pay():
            return None
        layout = known or self._share(series)
        self._recent.append(layout)
        return layout

    def _grow(self, union: _Union, series: tuple[Series, ...]) -> None:
        fresh = tuple(one for one in series if one not in union.places)
        lasting = tuple(one for one in fresh if one in union.waiting)
        union.waiting = frozenset(fresh)
        if lasting and self._pay():
            grown = (*union.layout.series, *lasting)
            self._union = _Union(self._share(grown if len(grown) <= self._most else series))

    def _pay(self) -> bool:
        earned = self.reads - self._paid_at
        self._paid_at = self.reads
        self._credit = min(LAYOUTS * READS, self._credit + earned)
        if self._credit < READS:
            return False
        self._credit -= READS
        return True
