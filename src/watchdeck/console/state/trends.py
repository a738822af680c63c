"""The last hour of every model in a few values: what the deck's sparklines show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress

from msgspec import Struct

from watchdeck.console.state.board_source import OpenSource
from watchdeck.domain.board.board import History
from watchdeck.errors import StoreError

SLOTS = 12
SPAN = 3_600_000
STEP = SPAN // SLOTS
"""Five minutes a value; a newer one is read when they are over."""

MOST = 200
"""Models whose trend is read at once: 3 ms each, on a thread of its own."""


class Sparkline(Struct, frozen=True):
    """Means of five minutes each, the oldest first; NaN where nothing is known."""

    latency: tuple[float, ...]
    errors: tuple[float, ...]


def read_trends(open_source: OpenSource, names: Iterable[str], now: int) -> Mapping[str, Sparkline]:
    """The trends of these models in the hour that ends with the running five minutes.

    A model that cannot be read has none: the board itself says why.
    """
    end = -(-now // STEP) * STEP
    found = {}
    source = open_source()
    try:
        for name in list(names)[:MOST]:
            with suppress(StoreError):
                read = source.history(name, ("latency_p95", "error_ratio"), end - SPAN, end)
                found[name] = Sparkline(*(slot_means(one, end) for one in read))
    finally:
        source.close()
    return found


def slot_means(history: History, end: int) -> tuple[float, ...]:
    """The mean of what is known in each slot before `end` (ms UTC)."""
    slots: list[list[float]] = [[] for _ in range(SLOTS)]
    for at, value in zip(history.times, history.values, strict=True):
        slot = (at - (end - SPAN)) // STEP
        if 0 <= slot < SLOTS and math.isfinite(value):
            slots[slot].append(value)
    return tuple(sum(slot) / len(slot) if slot else math.nan for slot in slots)
