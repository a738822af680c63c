"""Frames become segments, days and hours, and what is old or too much goes, a little at a time."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from store.metrics.made import PAGE, T0, Metrics, made, minutes, window
from watchdeck.domain.metrics.series import Layout, Series
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.values.units import Bytes, Milliseconds
from watchdeck.errors import StoreCorrupt
from watchdeck.store.files.connection import corruption_as_error, open_readonly, transaction
from watchdeck.store.files.filesystem import BALLAST_SIZE, Ballast
from watchdeck.store.metrics.backfill import ScrapeHistory, insert_history, pack_history
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.metrics.history import read_series, read_signals
from watchdeck.store.metrics.housekeeping import StoreSize, find_due_spans, measure_size
from watchdeck.store.metrics.latest import read_latest_at
from watchdeck.store.metrics.raw import read_raw
from watchdeck.store.metrics.rollups import HourlyAggregate, read_hours, read_rollup_end
from watchdeck.store.metrics.segments import DAY, HOUR, find_segments


@pytest.fixture
def metrics(tmp_path: Path) -> Iterator[Metrics]:
    store = made(tmp_path)
    yield store
    store.db.close()


def test_an_hour_is_folded_ten_minutes_after_its_end(metrics: Metrics) -> None:
    metrics.scrape(minutes(0, 90))
    metrics.tidy(T0 + HOUR + 10 * 60_000 - 1)
    assert (metrics.count("frame"), metrics.count("segment")) == (90, 0)
    metrics.tidy(T0 + 2 * HOUR)
    assert (metrics.count("frame"), metrics.count("segment")) == (30, 1)


def test_a_day_becomes_one_segment_and_its_hours(metrics: Metrics) -> None:
    metrics.scrape(minutes(0, 26 * 60))
    for hour in range(1, 28):
        metrics.tidy(T0 + hour * HOUR + 15 * 60_000)
    day, first, second = find_segments(metrics.db, window(0, 30 * 60))
    assert [day.count, first.count, second.count] == [24 * 60, 60, 60]
    assert read_rollup_end(metrics.db, metrics.layouts, 1, Stream.SERIES) == T0 + DAY
    rises = read_hours(
        metrics.db, metrics.layouts, window(0, 30 * 60), ["hits_total"], HourlyAggregate.INCREASE
    )
    assert rises["hits_total"].values.tolist() == [59, *[60] * 23]


def test_what_a_counter_rose_by_over_midnight_is_counted_once(metrics: Metrics) -> None:
    metrics.scrape(minutes(0, 48 * 60))
    for hour in range(1, 52):
        metrics.tidy(T0 + hour * HOUR + 15 * 60_000)
    rises = read_hours(
        metrics.db, metrics.layouts, window(0, 48 * 60), ["hits_total"], HourlyAggregate.INCREASE
    )
    assert rises["hits_total"].values.sum() == 48 * 60 - 1


def test_a_scrape_that_comes_late_joins_its_day(metrics: Metrics) -> None:
    metrics.fill([0])
    metrics.scrape([T0 + 30_000])
    metrics.tidy(T0 + 2 * HOUR)
    metrics.tidy(T0 + DAY + HOUR)
    (day,) = find_segments(metrics.db, window(0, 24 * 60))
    assert day.count == 24 * 60 + 1
    counts = read_hours(
        metrics.db, metrics.layouts, window(0, 60), ["level"], HourlyAggregate.COUNT
    )
    assert counts["level"].values.tolist() == [61]


def test_a_future_hour_is_left_alone(metrics: Metrics) -> None:
    metrics.scrape(minutes(600, 660))
    assert list(find_due_spans(metrics.db, T0)) == []


def test_a_layout_that_nothing_has_any_more_goes(metrics: Metrics) -> None:
    metrics.scrape(minutes(0, 5), layout=Layout((Series("gone"),)))
    metrics.scrape(minutes(DAY // 60_000, DAY // 60_000 + 60))
    metrics.tidy(T0 + 2 * HOUR)
    metrics.db.execute("delete from segment")
    metrics.tidy(T0 + DAY + 2 * HOUR)
    metrics.tidy(T0 + 2 * DAY + 2 * HOUR)
    assert metrics.db.execute("select columns from layout").fetchall() == [
        ('["level", "hits_total"]',)
    ]
    metrics.scrape(minutes(4_000, 4_001), layout=Layout((Series("gone"),)))
    assert metrics.count("layout") == 2


def test_what_is_older_than_it_may_be_goes(tmp_path: Path) -> None:
    metrics = made(tmp_path, raw=Milliseconds(2 * DAY), rollups=Milliseconds(40 * DAY))
    metrics.fill([0, 1, 2, 90])
    metrics.scrape(minutes(0, 1))
    metrics.tidy(T0 + 4 * DAY)
    first = find_segments(metrics.db, window(0, 200_000))[0]
    assert (metrics.count("frame"), first.first) == (0, T0 + DAY)
    metrics.tidy(T0 + 120 * DAY)
    assert find_segments(metrics.db, window(0, 200_000)) == []
    level = read_hours(
        metrics.db, metrics.layouts, window(0, 200_000), ["level"], HourlyAggregate.LOW
    )
    assert level["level"].times.min() == T0 + 90 * DAY
    metrics.db.close()


def test_a_store_near_its_budget_thins_out_series_first(tmp_path: Path) -> None:
    metrics = made(tmp_path, budget=Bytes(1 << 20))
    metrics.fill(range(60), noise=True)
    metrics.fill(range(60), Stream.SIGNALS, noise=True)
    before = measure_size(metrics.db, metrics.directory.metrics, 1 << 20)
    budget = int(before.used / 0.85)
    metrics.db.close()
    metrics = Metrics(metrics.directory, Retention(Milliseconds(90 * DAY), budget=Bytes(budget)))
    metrics.tidy(T0 + 60 * DAY)
    assert measure_size(metrics.db, metrics.directory.metrics, budget).share < 0.80
    left = find_segments(metrics.db, window(0, 60 * 1_440))
    assert 0 < len(left) < 60
    assert left[-1].last == T0 + 60 * DAY - 60_000
    assert len(find_segments(metrics.db, window(0, 60 * 1_440, Stream.SIGNALS))) == 60
    metrics.db.close()


@pytest.mark.parametrize(
    ("share", "kept", "said"),
    [
        pytest.param(0.5, list(Stream), "", id="there is room"),
        pytest.param(0.92, [Stream.SIGNALS], "92% of its budget: series are", id="no series"),
        pytest.param(0.97, [], "97% of its budget: history is not kept", id="no history"),
    ],
)
def test_what_is_not_kept_for_want_of_room_is_said(
    share: float, kept: list[Stream], said: str
) -> None:
    weight = StoreSize(int(share * 1_000), 1_000)
    assert [stream for stream in Stream if weight.has_room_for(stream)] == kept
    assert said in str(weight)
    assert bool(said) == bool(str(weight))


def test_free_pages_go_back_to_the_disk(metrics: Metrics) -> None:
    noise = Layout(tuple(Series(f"n{n}") for n in range(2_000)))
    metrics.scrape(minutes(0, 900), layout=noise)
    metrics.db.execute("pragma wal_checkpoint(truncate)").fetchall()
    large = metrics.directory.metrics.stat().st_size
    metrics.db.execute("delete from frame")
    metrics.tidy(T0, steps=20)
    metrics.db.execute("pragma wal_checkpoint(truncate)").fetchall()
    assert large > 14_000_000
    assert metrics.directory.metrics.stat().st_size < 10_000_000


def test_ballast_is_taken_once_and_given_back(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path, 1 << 30)
    ballast.reserve()
    ballast.reserve()
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [
        ("ballast", BALLAST_SIZE)
    ]
    ballast.release()
    ballast.release()
    assert list(tmp_path.iterdir()) == []


def test_a_small_budget_has_a_small_ballast(tmp_path: Path) -> None:
    assert Ballast(tmp_path, 64 << 20).size == 2 << 20


def test_a_month_is_read_from_its_hours(metrics: Metrics) -> None:
    metrics.fill(range(40), Stream.SIGNALS)
    start, end = T0 + 5 * DAY, T0 + 35 * DAY
    (level,) = read_signals(metrics.db, "fraud", ("level",), start, end, points=100)
    assert (len(level.times), level.every) == (100, 30 * DAY // 100)
    assert level.low is not None
    assert level.high is not None
    middle = (level.times[50] - T0) / 60_000
    assert level.values[50] == pytest.approx(middle, abs=60)
    assert level.low[50] < level.values[50] < level.high[50]
    assert min(level.low) == (start - T0) / 60_000
    assert max(level.high) == (end - T0) / 60_000 - 1


def test_a_long_window_ends_with_what_is_not_rolled_up_yet(metrics: Metrics) -> None:
    metrics.fill(range(30), Stream.SIGNALS)
    metrics.scrape(minutes(30 * 1_440, 30 * 1_440 + 90), Stream.SIGNALS)
    (level,) = read_signals(
        metrics.db, "fraud", ("level",), T0, T0 + 30 * DAY + 2 * HOUR, points=200
    )
    assert level.high is not None
    assert level.high[-1] == 30 * 1_440 + 89


def test_hours_stand_in_for_scrapes_that_are_no_longer_kept(metrics: Metrics) -> None:
    metrics.fill(range(2), Stream.SIGNALS)
    metrics.db.execute("delete from segment where first < :day", {"day": T0 + DAY})
    (level,) = read_signals(metrics.db, "fraud", ("level",), T0, T0 + 2 * DAY)
    assert (level.every, level.times[0], level.values[0]) == (HOUR, T0 + HOUR // 2, 29.5)
    assert (len(level.times), level.times[24]) == (24 + 1_440, T0 + DAY)


def test_a_series_is_found_in_segments_by_its_name(metrics: Metrics) -> None:
    metrics.fill([0])
    hits = read_series(metrics.db, "fraud", "hits_total", T0 + HOUR, T0 + 2 * HOUR)
    assert hits.values == [float(minute) for minute in range(60, 120)]


@pytest.mark.parametrize("place", [0, 9, 17, 40], ids=lambda place: f"byte {place}")
def test_a_damaged_segment_is_named_and_read_as_nothing_else(metrics: Metrics, place: int) -> None:
    metrics.fill([0])
    ((blob,),) = metrics.db.execute("select b from segment").fetchall()
    broken = blob[:place] + bytes([blob[place] ^ 0xFF]) + blob[place + 1 : 60]
    metrics.db.execute("update segment set b = :b", {"b": broken})
    path = metrics.directory.metrics
    with pytest.raises(StoreCorrupt, match="damaged"), corruption_as_error(path):
        read_raw(metrics.db, metrics.layouts, window(0, 1_440), ["hits_total", "level"])


KILLED = """
import sys
from pathlib import Path
from store.metrics.made import T0, Metrics, made, minutes
from watchdeck.store.metrics.rollups import HOUR
metrics = made(Path(sys.argv[1]))
for hour in range(400):
    metrics.scrape(minutes(60 * hour, 60 * hour + 60))
    print(hour, flush=True)
    metrics.tidy(T0 + (hour + 1) * HOUR + 15 * 60_000, steps=8)
"""


@pytest.mark.parametrize("hours", [3, 25, 30, 50])
def test_a_process_killed_while_it_folds_loses_nothing(tmp_path: Path, hours: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    done = [int(child.stdout.readline()) for _ in range(hours)][-1]
    child.kill()
    child.communicate()
    with closing(open_readonly(tmp_path / "store" / "metrics.db")) as db:
        level = read_series(db, "fraud", "level", T0, T0 + 1_000 * HOUR)
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    assert len(level.values) >= (done + 1) * 60
    assert level.values == np.arange(len(level.values)).tolist()


def test_a_past_that_was_scraped_less_often_is_not_stale_between_two_scrapes(
    metrics: Metrics,
) -> None:
    metrics.answer(minutes(0, 30))
    for folded in (False, True):
        if folded:
            metrics.tidy(T0 + 2 * HOUR)
        (latest,) = read_latest_at(metrics.db, T0 + 20 * 60_000 + 45_000)
        assert (latest.at, latest.facts.every) == (T0 + 20 * 60_000, 60_000)


def test_a_hole_does_not_make_the_past_look_rarely_scraped(metrics: Metrics) -> None:
    metrics.answer([*minutes(0, 5), T0 + 50 * 60_000])
    (latest,) = read_latest_at(metrics.db, T0 + 50 * 60_000 + 1)
    assert latest.facts.every == 60_000


def test_points_of_the_past_stand_as_far_apart_as_they_were_scraped(metrics: Metrics) -> None:
    metrics.db.execute("""update endpoint set facts = replace(facts, '60000', '2000')""")
    metrics.fill([0], Stream.SIGNALS)
    (level,) = read_signals(metrics.db, "fraud", ("level",), T0, T0 + HOUR)
    assert (level.every, len(level.times)) == (60_000, 60)


def test_a_day_that_goes_on_is_not_taken_for_rolled_up(metrics: Metrics) -> None:
    times = np.arange(T0, T0 + DAY + 150 * 60_000, 60_000)
    values = np.stack([np.arange(len(times), dtype=np.float64)] * 2, axis=1)
    with transaction(metrics.db):
        insert_history(
            metrics.db, [pack_history(ScrapeHistory("fraud", Stream.SIGNALS, PAGE, times, values))]
        )
    metrics.scrape(minutes(24 * 60 + 150, 24 * 60 + 170), Stream.SIGNALS)
    (level,) = read_signals(metrics.db, "fraud", ("level",), T0, T0 + 2 * DAY, points=20)
    assert level.high is not None
    assert max(level.high) == 24 * 60 + 169
    assert read_rollup_end(metrics.db, metrics.layouts, 1, Stream.SIGNALS) == T0 + DAY


def test_a_long_log_is_cut_as_soon_as_nobody_reads(metrics: Metrics) -> None:
    path = metrics.directory.metrics
    with closing(open_readonly(path)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from segment").fetchall()
        metrics.db.execute("create table large as select zeroblob(65 << 20) as b")
        metrics.tidy(T0)
        held = metrics.keeper.problem
    metrics.tidy(T0 + HOUR)
    assert "some process still reads an old state" in held
    assert metrics.keeper.problem == ""
    assert path.with_name(f"{path.name}-wal").stat().st_size == 0
