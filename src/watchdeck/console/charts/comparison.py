"""What a chart is compared with: the same signal, earlier."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from watchdeck.domain.board.board import Change

_DAY = 86_400_000


class ChartComparison(Struct, frozen=True):
    """An earlier stretch, named by its distance `by` (ms) or by the change it ended with."""

    words: str
    by: int = 0
    change: Change | None = None

    def shift(self, end: int) -> int:
        """How much earlier (ms) the stretch lies than the one that ends at `end` (ms UTC)."""
        return self.by if self.change is None else max(1, end - self.change.at)


YESTERDAY = ChartComparison("yesterday", _DAY)
LAST_WEEK = ChartComparison("last week", 7 * _DAY)


def next_comparison(
    chosen: ChartComparison | None, changes: Iterable[Change], moment: int
) -> ChartComparison | None:
    """What comes after `chosen`: nothing, yesterday, last week, before the change.

    The change is the newest one at or before `moment` (ms UTC); without one there is none.
    """
    if chosen is None:
        return YESTERDAY
    if chosen == YESTERDAY:
        return LAST_WEEK
    if chosen != LAST_WEEK:
        return None
    known = [change for change in changes if change.at <= moment]
    newest = max(known, key=lambda change: (change.at, change.id), default=None)
    return None if newest is None else ChartComparison(f"before the {newest.what}", change=newest)
