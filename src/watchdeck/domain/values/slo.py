"""What was promised of a model."""

from __future__ import annotations

from msgspec import Struct

from watchdeck.domain.values.units import Milliseconds, Ratio


class Slo(Struct, frozen=True):
    """What was promised; a part that is None was not promised.

    `latency_p95` is a duration; `availability` and `error_ratio` are shares of one.
    """

    availability: Ratio | None = None
    latency_p95: Milliseconds | None = None
    error_ratio: Ratio | None = None
