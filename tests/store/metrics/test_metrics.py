"""What scrapes bring is kept whole, found again, and lost by nothing but its age."""

import json
import math
import sqlite3
import subprocess
import sys
from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.metrics.scrape import Frame, Identity, ModelState, Outcome, Scrape, Truncation
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts, Slo
from watchdeck.domain.values.units import Milliseconds, Ratio
from watchdeck.errors import StoreError
from watchdeck.store.files.connection import open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import frame_key, frame_time
from watchdeck.store.metrics.history import read_series, read_signals
from watchdeck.store.metrics.latest import read_facts, read_heartbeat, read_latest, read_latest_at
from watchdeck.store.metrics.segments import DAY, HOUR
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import prepare

NOW = 1_790_000_000_000
FRAUD = EndpointFacts(
    "fraud",
    "http://fraud",
    10_000,
    labels={"team": "risk"},
    serves=("card payments",),
    slo=Slo(Ratio(0.999), Milliseconds(200), None),
)
SIGNALS = signal_layout(("latency_p95", "request_rate"))
PAGE = Layout((Series("a"), Series("b", (("x", "1"),), SeriesType.COUNTER)))


def scrape(at: int, p95: float = 0.2, **more: object) -> Scrape:
    # outcome, up, ready, availability, request_rate, latency_p95, low, high, tls, duration
    known = {"outcome": 0, "up": 1, "ready": 1, "request_rate": 5, "latency_p95": p95}
    known |= {"latency_p95.low": 0.1, "latency_p95.high": 0.25, "scrape_duration": 0.01}
    values = array("d", [known.get(series.name, math.nan) for series in SIGNALS.series])
    made = Scrape("fraud", at, 0.01, Outcome.OK, Frame(SIGNALS, values))
    return replace(made, **more)


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    made = StoreDirectory(tmp_path / "store")
    prepare(made)
    return made


@pytest.fixture
def writer(directory: StoreDirectory) -> Iterator[MetricsWriter]:
    made = MetricsWriter(directory, Retention(), clock=lambda: NOW)
    made.start()
    made.register([FRAUD])
    yield made
    made.close()


def test_the_newest_scrape_comes_back_whole(
    directory: StoreDirectory, writer: MetricsWriter
) -> None:
    sent = scrape(
        NOW,
        detail="why",
        failures=1,
        kind="mlserver",
        model_state=ModelState.LOADING,
        model_detail="soon",
        identity=Identity("1.2", 5, 3, 1),
        truncation=Truncation(1, 2, 3, 4),
        not_measurable=("queue_time", "saturation"),
        outcome=Outcome.TIMED_OUT,
    )
    writer.submit(scrape(NOW - 10_000))
    writer.submit(sent)
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        (latest,) = read_latest(db)
    assert latest.facts == FRAUD
    told = "at outcome detail failures kind model_state model_detail identity not_measurable"
    assert [getattr(latest, n) for n in told.split()] == [getattr(sent, n) for n in told.split()]
    assert latest.cut == sent.truncation
    p95 = latest.signals["latency_p95"]
    assert (p95.value, p95.low, p95.high) == (0.2, 0.1, 0.25)
    assert "availability" not in latest.signals


def test_signals_and_series_come_back_over_time(
    directory: StoreDirectory, writer: MetricsWriter
) -> None:
    for n in range(5):
        page = Frame(PAGE, array("d", [n, 10 * n]))
        writer.submit(scrape(NOW + 10_000 * n, p95=n / 10, series=page))
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        p95, unknown = read_signals(
            db, "fraud", ("latency_p95", "accuracy"), NOW + 10_000, NOW + 40_000
        )
        b = read_series(db, "fraud", 'b{x="1"}', NOW, NOW + 60_000)
    assert (p95.times, p95.values) == (
        [NOW + 10_000, NOW + 20_000, NOW + 30_000],
        [0.1, 0.2, 0.3],
    )
    assert unknown.times == []
    assert (p95.every, b.values) == (10_000, [0, 10, 20, 30, 40])


def test_a_layout_that_changes_leaves_a_gap_where_a_series_was_absent(
    directory: StoreDirectory, writer: MetricsWriter
) -> None:
    other = Layout((Series("c"),))
    writer.submit(scrape(NOW, series=Frame(PAGE, array("d", [1, 2]))))
    writer.submit(scrape(NOW + 1_000, series=Frame(other, array("d", [3]))))
    writer.submit(scrape(NOW + 2_000, series=Frame(PAGE, array("d", [4, 5]))))
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        a = read_series(db, "fraud", "a", NOW, NOW + 60_000)
    assert (a.times, a.values) == ([NOW, NOW + 2_000], [1, 4])


def test_a_thinned_history_keeps_its_extremes(
    directory: StoreDirectory, writer: MetricsWriter
) -> None:
    for n in range(100):
        writer.submit(scrape(NOW + 1_000 * n, p95=9.0 if n == 55 else 1.0))
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        (p95,) = read_signals(db, "fraud", ("latency_p95",), NOW, NOW + 100_000, points=10)
    assert (len(p95.times), p95.every) == (10, 10_000)
    assert p95.high is not None
    assert max(p95.high) == 9.0
    assert max(p95.values) == pytest.approx(1.8)


def test_a_moment_of_the_past_is_read_as_it_was(
    directory: StoreDirectory, writer: MetricsWriter
) -> None:
    writer.submit(scrape(NOW, p95=0.1))
    writer.submit(scrape(NOW + 10_000, p95=0.4))
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        (before,) = read_latest_at(db, NOW + 9_999)
        assert read_latest_at(db, NOW - 1) == ()
    assert (before.at, before.signals["latency_p95"].value) == (NOW, 0.1)


def test_an_endpoint_that_left_the_fleet_is_no_longer_shown_and_keeps_its_history(
    directory: StoreDirectory, writer: MetricsWriter
) -> None:
    writer.submit(scrape(NOW))
    writer.register([replace(FRAUD, name="search")])
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        assert [facts.name for facts in read_facts(db)] == ["search"]
        assert read_latest(db) == ()
        assert read_signals(db, "fraud", ("up",), NOW, NOW + 1)[0].values == [1]


def test_the_heartbeat_comes_back(directory: StoreDirectory, writer: MetricsWriter) -> None:
    beat = CollectorStatus(7, "1", NOW - 5, NOW, blind="no name can be resolved")
    writer.submit_heartbeat(beat)
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        assert read_heartbeat(db) == beat


def test_what_a_newer_collector_says_beyond_what_is_known_is_left_out(
    directory: StoreDirectory, writer: MetricsWriter
) -> None:
    beat = CollectorStatus(7, "2", NOW - 5, NOW)
    writer.submit_heartbeat(beat)
    writer.close()
    with closing(open_writable(directory.metrics)) as db, transaction(db):
        newer = json.dumps(asdict(beat) | {"mood": "good"})
        db.execute("update heartbeat set beat = ?", (newer,))
    with closing(open_readonly(directory.metrics)) as db:
        assert read_heartbeat(db) == beat


def test_the_writer_folds_by_itself_while_it_writes(directory: StoreDirectory) -> None:
    begin = NOW - NOW % HOUR
    times = iter(range(begin, begin + 5 * HOUR, 600_000))
    clock = [begin]
    writer = MetricsWriter(directory, Retention(), clock=lambda: clock[0])
    writer.start()
    writer.register([FRAUD])
    for at in times:
        clock[0] = at
        writer.submit(scrape(at, p95=(at - begin) / HOUR))
        while writer.status().queued:
            pass
    writer.close()
    assert writer.status().problem == ""
    with closing(open_readonly(directory.metrics)) as db:
        (p95,) = read_signals(db, "fraud", ("latency_p95",), begin, begin + 5 * HOUR)
        (frames,) = db.execute("select count(*) from frame").fetchone()
        (segments,) = db.execute("select count(*) from segment").fetchone()
    assert p95.values == [minute / 60 for minute in range(0, 300, 10)]
    assert (frames < 24, segments >= 2) == (True, True)


def test_a_segment_that_cannot_be_read_is_said_and_costs_no_scrape(
    directory: StoreDirectory,
) -> None:
    with closing(sqlite3.connect(directory.metrics, isolation_level=None)) as db:
        db.execute(
            "insert into segment (endpoint, stream, level, layout, first, last, count, b)"
            " values (1, 1, 0, 7, :day, :day, 1, x'00')",
            {"day": NOW - 2 * DAY},
        )
    writer = MetricsWriter(directory, Retention(), clock=lambda: NOW)
    writer.start()
    writer.register([FRAUD])
    sent = 0
    while "cannot be tidied" not in writer.status().problem:
        writer.submit(scrape(NOW + sent))
        sent += 1
        while writer.status().queued:
            pass
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        (up,) = read_signals(db, "fraud", ("up",), NOW, NOW + sent)
    assert len(up.times) == sent


def test_a_queue_that_nobody_empties_drops_the_oldest_and_counts(
    directory: StoreDirectory,
) -> None:
    writer = MetricsWriter(directory, Retention(), clock=lambda: NOW, capacity=3)
    for n in range(5):
        writer.submit(scrape(NOW + n))
    assert (writer.status().queued, writer.status().dropped) == (3, 2)


def test_endpoints_that_cannot_be_registered_are_an_error_at_once(tmp_path: Path) -> None:
    writer = MetricsWriter(StoreDirectory(tmp_path / "gone"), Retention(), clock=lambda: NOW)
    writer.start()
    with pytest.raises(StoreError, match="gone"):
        writer.register([FRAUD])
    writer.close()


def test_a_scrape_of_an_endpoint_that_nobody_registered_is_left_out(
    directory: StoreDirectory, writer: MetricsWriter
) -> None:
    writer.submit(scrape(NOW, endpoint="churn"))
    writer.submit(scrape(NOW))
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        assert [latest.facts.name for latest in read_latest(db)] == ["fraud"]
        assert read_series(db, "churn", "a", NOW, NOW + 1).times == []


def test_a_store_that_cannot_be_written_is_named_and_written_again_when_it_can(
    directory: StoreDirectory,
) -> None:
    writer = MetricsWriter(directory, Retention(), clock=lambda: NOW)
    writer.start()
    writer.register([FRAUD])
    blocker = sqlite3.connect(directory.metrics, isolation_level=None)
    blocker.execute("begin exclusive")
    writer.submit(scrape(NOW))
    while not writer.status().problem:
        pass
    assert "busy" in writer.status().problem or "locked" in writer.status().problem
    assert writer.status().queued == 1
    blocker.close()
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        assert len(read_latest(db)) == 1


KILLED = """
import sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_metrics import FRAUD, NOW, MetricsWriter, Retention, StoreDirectory, scrape
writer = MetricsWriter(StoreDirectory(Path(sys.argv[1])), Retention(), clock=lambda: NOW)
writer.start()
writer.register([FRAUD])
n = 0
while True:
    writer.submit(scrape(NOW + n))
    while writer.status().queued:
        pass
    n += 1
    print(n, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_was_acknowledged(directory: StoreDirectory) -> None:
    command = [sys.executable, "-c", KILLED, str(directory.path), str(Path(__file__).parent)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(20)][-1]
    child.kill()
    child.communicate()
    with closing(open_readonly(directory.metrics)) as db:
        (up,) = read_signals(db, "fraud", ("up",), 0, NOW + 1_000_000)
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    assert len(up.times) >= acknowledged


@given(st.integers(0, (1 << 20) - 1), st.integers(0, (1 << 42) - 1), st.integers(0, 1))
@settings(max_examples=500)
def test_a_key_holds_its_time_and_fits_an_integer(endpoint: int, at: int, stream: int) -> None:
    made = frame_key(endpoint, at, stream)
    assert (frame_time(made), made & 1, made >> 43) == (at, stream, endpoint)
    assert made < 1 << 63
