"""The signals that the pages of an endpoint have given, to notice those that are gone."""

from __future__ import annotations

from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.signals.plan import Plan

_DAY = 86_400_000


class ExpectedSignals:
    """The signals that an endpoint's page gave at some time, and those that it gives no more.

    After a restart many servers show a series only from its first event. An absent signal is
    therefore missing only where the page names every series from its start, or shows series that it
    never had before, as after a rename. What is missing for a day is not expected any more.
    """

    def __init__(self, expected: tuple[str, ...] = ()) -> None:
        self._expected = frozenset(expected)
        self._layout: Layout | None = None
        self._complete: Plan | None = None
        self._known_names: frozenset[str] = frozenset()
        self._is_renamed = False
        self._missing_since: int | None = None
        self.missing: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The expected signals, in alphabetical order."""
        return tuple(sorted(self._expected))

    def add_page(self, plan: Plan, at: int, *, names_all_series: bool) -> int | None:
        """The number of missing signals of a page read at `at` (ms UTC); None when unknown."""
        if plan is self._complete:
            return 0
        absent = self._expected - plan.present - {*plan.not_measurable}
        if plan.layout is not self._layout:
            self._add_names(plan.layout, has_absent=bool(absent))
        self._expected |= plan.present
        if absent and not (names_all_series or self._is_renamed):
            self.missing, self._complete = (), None
            return None
        self.missing = tuple(sorted(absent))
        if not absent:
            self._missing_since, self._is_renamed = None, False
            self._complete = plan
            return 0
        self._complete = None
        self._missing_since = at if self._missing_since is None else self._missing_since
        if at - self._missing_since >= _DAY:
            self._expected, self.missing = plan.present, ()
        return len(self.missing)

    def _add_names(self, layout: Layout, *, has_absent: bool) -> None:
        """Note the names on a new layout, and whether it has new ones in place of known ones."""
        self._layout = layout
        names = frozenset(series.name for series in layout.series)
        if has_absent and self._known_names and names - self._known_names:
            self._is_renamed = True
        if not has_absent:
            self._known_names |= names
