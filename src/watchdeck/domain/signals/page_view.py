"""A page as one endpoint sees it: the series that its selectors mean, probes left out."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cached_property

from msgspec import Struct

from watchdeck.domain.metrics.selector import read_selector
from watchdeck.domain.metrics.series import Layout, Series, SeriesType


class SeriesIndex(Struct, frozen=True, dict=True):
    """The series of a layout that count for one endpoint.

    Where `model` is given, series that carry `model_label` must carry that model. Series whose
    label in `probe_labels` fits one of `excluded` are health probes and count for nothing.
    """

    layout: Layout
    model: str | None = None
    model_label: str | None = None
    excluded: tuple[str, ...] = ()
    probe_labels: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, list[int]]:
        """The positions of each name, in the page's order."""
        found: dict[str, list[int]] = {}
        for place, series in enumerate(self.layout.series):
            found.setdefault(series.name, []).append(place)
        return found

    @cached_property
    def crowded(self) -> bool:
        """Whether the page speaks of several models while the endpoint is about one."""
        if self.model is None or self.model_label is None:
            return False
        label = self.model_label
        return len({value for s in self.layout.series if (value := s.label(label))}) > 1

    def find(self, selector: str, suffix: str = "") -> tuple[int, ...]:
        """The positions of the series that a selector means."""
        wanted = read_selector(selector)
        series = self.layout.series
        return tuple(
            place
            for place in self.by_name.get(wanted.name + suffix, ())
            if wanted.holds(series[place]) and self._counts(series[place])
        )

    def counters(self, selectors: tuple[str, ...]) -> tuple[int, ...]:
        """The positions of counters; `_total` or `_count` may be left out of a name."""
        return tuple(place for text in selectors for place in self._counter(text))

    def shows(self, selectors: tuple[str, ...]) -> bool:
        """Whether the page has a series of one of these names, whatever its labels."""
        names = [read_selector(text).name for text in selectors]
        return any(name + end in self.by_name for name in names for end in ("", "_total", "_count"))

    def type_of(self, name: str) -> SeriesType | None:
        """The type that the page declares for a name or the family of that name."""
        for end in ("", "_bucket", "_count", "_total"):
            places = self.by_name.get(name + end)
            if places:
                return self.layout.series[places[0]].type
        return None

    def is_excluded(self, path: str) -> bool:
        """Whether a path is one of the probes'; a pattern may hold `*`."""
        return any(fnmatchcase(path, pattern) for pattern in self.excluded)

    def _counter(self, selector: str) -> tuple[int, ...]:
        found = (self.find(selector, end) for end in ("", "_total", "_count"))
        return next((places for places in found if places), ())

    def _counts(self, series: Series) -> bool:
        if self.model is not None and self.model_label is not None:
            said = series.label(self.model_label)
            if said is not None and said != self.model:
                return False
        for label in self.probe_labels:
            value = series.label(label)
            if value and self.is_excluded(value):
                return False
        return True
