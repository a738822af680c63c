"""What a collector that starts anew must remember of its predecessor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.store.files.connection import reading
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.history import read_signals

AN_HOUR = 3_600_000


def recent_probes(
    directory: StoreDirectory, endpoints: Sequence[Endpoint], now: int
) -> Iterator[tuple[str, list[int], list[bool]]]:
    """The probes of the last hour by endpoint: their times (ms UTC), and whether each was good.

    A probe was good when the scrape was up and the model, where it can say so, was ready.
    """
    with closing(reading(directory.metrics)) as db:
        for endpoint in endpoints:
            up, ready = read_signals(db, endpoint.name, ("up", "ready"), now - AN_HOUR, now)
            good = [u == 1 and r != 0 for u, r in zip(up.values, ready.values, strict=True)]
            yield endpoint.name, up.times, good
