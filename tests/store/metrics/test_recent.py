"""The last hour of an endpoint, as a collector that starts again needs it."""

from __future__ import annotations

import math
from array import array
from contextlib import closing
from pathlib import Path

from store.metrics.made import PAGE, T0, Metrics
from watchdeck.domain.metrics.scrape import Frame
from watchdeck.domain.metrics.series import SeriesType
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.store.files.connection import transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import Stream, add_frame
from watchdeck.store.metrics.recent import RecentReader

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
NOW = T0 + 2 * HOUR


def metrics(folder: Path) -> Metrics:
    return Metrics(StoreDirectory(folder / "store"))


def test_pages_before_the_usual_window_are_thinned_to_one_a_minute(tmp_path: Path) -> None:
    made = metrics(tmp_path)
    made.scrape(range(NOW - 10 * MINUTE, NOW, 10 * SECOND))
    with closing(made.db) as db:
        found = RecentReader(db).read("fraud", NOW - HOUR, NOW - 2 * MINUTE, NOW)
    times = [page.at for page in found.pages]
    assert times[:8] == [*range(NOW - 10 * MINUTE, NOW - 2 * MINUTE, MINUTE)]
    assert times[8:] == [*range(NOW - 2 * MINUTE, NOW, 10 * SECOND)]
    names = [series.name for series in PAGE.series]
    assert all([one.name for one in page.layout.series] == names for page in found.pages)
    assert [page.values[0] for page in found.pages] == [(at - T0) / MINUTE for at in times]


def test_counters_stay_counters_and_only_the_time_asked_for_is_read(tmp_path: Path) -> None:
    made = metrics(tmp_path)
    made.scrape([NOW - HOUR - MINUTE, NOW - HOUR, NOW - MINUTE, NOW])
    with closing(made.db) as db:
        found = RecentReader(db).read("fraud", NOW - HOUR, NOW - HOUR, NOW)
    assert [page.at for page in found.pages] == [NOW - HOUR, NOW - MINUTE]
    types = {series.name: series.type for series in found.pages[0].layout.series}
    assert types["hits_total"] is SeriesType.COUNTER
    assert found.pages[0].layout is found.pages[1].layout


def test_a_probe_is_good_when_the_server_answered_and_did_not_say_that_it_is_not_ready(
    tmp_path: Path,
) -> None:
    made, layout = metrics(tmp_path), signal_layout(())
    names = [series.name for series in layout.series]
    states = [(1.0, 1.0), (1.0, 0.0), (0.0, math.nan), (1.0, math.nan)]
    with transaction(made.db):
        for number, (up, ready) in enumerate(states):
            row = array("d", [0.0] * len(names))
            row[names.index("up")], row[names.index("ready")] = up, ready
            at = NOW - HOUR + number
            add_frame(made.db, made.layouts, 1, at, Stream.SIGNALS, Frame(layout, row))
    with closing(made.db) as db:
        found = RecentReader(db).read("fraud", NOW - HOUR, NOW, NOW)
    assert found.probes == [
        (NOW - HOUR + number, good) for number, good in enumerate((True, False, False, True))
    ]
    assert found.pages == []


def test_an_endpoint_that_was_never_scraped_has_no_past(tmp_path: Path) -> None:
    made = metrics(tmp_path)
    with closing(made.db) as db:
        found = RecentReader(db).read("fraud", NOW - HOUR, NOW, NOW)
    assert (found.pages, found.probes) == ([], [])
