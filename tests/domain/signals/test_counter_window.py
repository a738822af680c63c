import math
from array import array
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import CounterWindow, window_length
from watchdeck.domain.signals.plan_builder import build_plan

SECOND = 1_000
KIND = Kind("made_up", "Made up", signals=(SignalSpec("request_rate", rate=("requests",)),))
ENDPOINT = Endpoint("e", "http://e")
START = Series("process_start_time_seconds", (), SeriesType.GAUGE)


def layout(*codes: str, start: bool = False) -> Layout:
    series = [Series("requests", (("code", code),), SeriesType.COUNTER) for code in codes]
    return Layout((*series, START) if start else tuple(series))


class Run:
    """Pages pushed into one window, ten seconds apart."""

    def __init__(self, span: int = 60 * SECOND) -> None:
        self.window = CounterWindow(span)
        self.at = 0

    def push(self, page: Layout, *values: float, after: int = 10 * SECOND) -> float:
        """The increase of all requests in the window; NaN while there is nothing to compare."""
        self.at += after
        plan = build_plan(KIND, ENDPOINT, page)
        self.window.push(plan, self.at, array("d", values), 0)
        found = self.window.increases()
        return math.nan if found is None else sum(found[0])


def test_the_first_scrape_is_only_a_base() -> None:
    run = Run()
    assert math.isnan(run.push(layout("200"), 1_000))
    assert run.push(layout("200"), 1_007) == 7


def test_a_counter_that_went_down_began_again_from_0() -> None:
    run = Run()
    page = layout("200", "500")
    run.push(page, 100, 10)
    assert run.push(page, 4, 11) == 5
    assert run.window.resets == 1
    assert run.push(page, 6, 11) == 7


def test_a_series_that_appears_counts_from_0_in_a_process_already_seen() -> None:
    run = Run()
    run.push(layout("200"), 100)
    assert run.push(layout("200", "500"), 101, 5) == 6


def test_a_page_that_was_empty_before_the_first_request_counts_it() -> None:
    run = Run()
    run.push(Layout())
    assert run.push(layout("200"), 190) == 190


def test_a_series_that_left_and_came_back_goes_on_from_where_it_was() -> None:
    run = Run()
    run.push(layout("200", "500"), 100, 50)
    assert run.push(layout("200"), 101) == 1
    assert run.push(layout("200", "500"), 102, 53) == 5


def test_what_a_vanished_series_counted_stays_in_the_window() -> None:
    run = Run()
    run.push(layout("200", "500"), 100, 50)
    assert run.push(layout("200", "500"), 100, 58) == 8
    assert run.push(layout("200"), 100) == 8


def test_a_series_that_the_page_had_but_no_signal_needed_gives_only_a_base() -> None:
    run = Run()
    page = Layout((Series("requests", (("model", "a"),)), Series("requests", (("model", "b"),))))
    one = Kind("one", "One", signals=KIND.signals, model_label="model")
    named = Endpoint("e", "http://e", model="a")
    run.window.push(build_plan(one, named, page), 0, array("d", [10, 1_000]), 0)
    run.window.push(build_plan(one, ENDPOINT, page), 10_000, array("d", [11, 1_001]), 0)
    found = run.window.increases()
    assert found is not None
    assert sum(found[0]) == 1


def test_a_restart_is_seen_by_the_start_time_even_when_the_counters_are_larger_already() -> None:
    run = Run()
    page = layout("200", start=True)
    run.push(page, 5, 1.0)
    assert run.push(page, 9, 12.0) == 9
    assert run.window.resets == 1


def test_another_process_behind_a_load_balancer_does_not_count_its_whole_life() -> None:
    run = Run()
    page = layout("200", start=True)
    run.push(page, 1_000, 1_000_000.0, after=2_000_000 * SECOND)
    assert run.push(page, 900_000, 5_000.0) == 0
    assert run.push(page, 900_010, 5_000.0) == 10
    assert run.window.resets == 0


def test_a_restart_told_by_a_start_time_that_wavers_is_none() -> None:
    run = Run()
    page = layout("200", start=True)
    run.push(page, 5, 1_000.0)
    assert run.push(page, 9, 1_000.4) == 4


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 9.3e18])
def test_a_value_that_is_no_count_is_passed_over(bad: float) -> None:
    run = Run()
    page = layout("200")
    run.push(page, 10)
    assert run.push(page, bad) == 0
    assert run.push(page, 12) == 2


def test_a_first_value_that_is_no_count_does_not_make_the_next_one_a_burst() -> None:
    run = Run()
    page = layout("200")
    run.push(page, math.nan)
    assert run.push(page, 5_000) == 0
    assert run.push(page, 5_001) == 1


def test_the_window_begins_at_the_last_scrape_that_is_old_enough() -> None:
    run = Run()
    page = layout("200")
    for count in range(20):
        run.push(page, count)
    found = run.window.increases()
    assert found is not None
    assert (found[0], found[1]) == ([6.0], 60.0)


def test_nothing_is_compared_across_a_gap_of_two_windows() -> None:
    run = Run()
    page = layout("200")
    run.push(page, 1)
    assert math.isnan(run.push(page, 500, after=121 * SECOND))
    assert run.push(page, 501) == 1


def test_a_clock_that_was_set_back_empties_the_window() -> None:
    run = Run()
    page = layout("200")
    run.push(page, 1)
    run.push(page, 2)
    assert math.isnan(run.push(page, 3, after=-15 * SECOND))
    assert run.push(page, 4) == 1


def test_the_canaries_sent_in_the_window_are_told_with_it() -> None:
    window, plan = CounterWindow(60_000), build_plan(KIND, ENDPOINT, layout("200"))
    for at, sent in ((0, 5), (10_000, 6), (20_000, 8)):
        window.push(plan, at, array("d", [1.0]), sent)
    found = window.increases()
    assert found is not None
    assert found[2] == 3


def test_series_that_left_for_good_are_forgotten_in_the_end() -> None:
    run = Run()
    for number in range(1_200):
        run.push(layout(f"{number}"), 1.0)
    assert len(run.window._departed) == 1_000
    assert 'code="0"' not in {str(series) for series in run.window._departed}


@pytest.mark.parametrize(
    ("every", "span"),
    [
        pytest.param(1_000, 60_000, id="a minute at least"),
        pytest.param(10_000, 60_000, id="a minute"),
        pytest.param(60_000, 360_000, id="six scrapes"),
    ],
)
def test_a_window_is_a_minute_or_six_scrapes(every: int, span: int) -> None:
    assert window_length(every) == span


def test_availability_needs_ten_probes_and_forgets_after_an_hour() -> None:
    window = CounterWindow(60_000)
    for minute in range(9):
        window.add_probe(minute * 60_000, good=True)
    assert math.isnan(window.availability(9 * 60_000))
    window.add_probe(9 * 60_000, good=False)
    assert window.availability(9 * 60_000) == 0.9
    window.preload([10 * 60_000], [False])
    assert window.availability(10 * 60_000) == 9 / 11
    assert window.availability(60 * 60_000) == 8 / 10
    assert math.isnan(window.availability(61 * 60_000))


@given(st.lists(st.tuples(st.integers(-5_000, 60_000), st.booleans()), min_size=1, max_size=200))
def test_availability_is_the_plain_ratio_of_the_hour(steps: list[tuple[int, bool]]) -> None:
    window, at, kept = CounterWindow(60_000), 10_000_000, list[tuple[int, bool]]()
    for step, good in steps:
        at += step
        window.add_probe(at, good)
        kept = [(then, well) for then, well in kept if then <= at] + [(at, good)]
    kept = [(then, well) for then, well in kept if then > at - 3_600_000]
    found = window.availability(at)
    if len(kept) < 10:
        assert math.isnan(found)
    else:
        assert found == sum(well for _, well in kept) / len(kept)


def test_an_hour_of_fast_probes_stays_small() -> None:
    window = CounterWindow(60_000)
    for at in range(0, 20 * 3_600_000, 5_000):
        window.add_probe(at, good=True)
    assert len(window._probes._marks) < 3_000
    assert window.availability(20 * 3_600_000) == 1.0


@dataclass
class Naive:
    """The same sums, from all pages ever seen, in the plainest way."""

    pages: list[tuple[int, dict[str, float]]]

    def increase(self, span: int) -> float:
        known: dict[str, float] = {}
        total, totals = 0.0, list[tuple[int, float]]()
        for number, (at, page) in enumerate(self.pages):
            for code, value in page.items():
                old = known.get(code, value if number == 0 else 0.0)
                total += value - old if value >= old else value
            known |= page
            totals.append((at, total))
        now, last = totals[-1]
        inside = [pair for pair in totals if pair[0] >= now - 2 * span]
        before = [pair for pair in inside if pair[0] <= now - span]
        base = before[-1] if before else inside[0]
        return math.nan if base[0] == now else last - base[1]


def pages(least: int) -> st.SearchStrategy[list[tuple[int, dict[str, float]]]]:
    page = st.dictionaries(st.sampled_from("abc"), st.integers(0, 50).map(float), min_size=least)
    return st.lists(st.tuples(st.integers(1, 90_000), page), min_size=1, max_size=25)


@given(pages(1))
def test_the_window_equals_a_naive_sum_over_all_pages(
    steps: list[tuple[int, dict[str, float]]],
) -> None:
    run, seen = Run(), list[tuple[int, dict[str, float]]]()
    for after, page in steps:
        found = run.push(layout(*page), *page.values(), after=after)
        seen.append((run.at, page))
        assert found == pytest.approx(Naive(seen).increase(60 * SECOND), nan_ok=True)


@given(pages(0))
def test_no_increase_is_ever_negative_whatever_comes_and_goes(
    steps: list[tuple[int, dict[str, float]]],
) -> None:
    run = Run()
    for after, page in steps:
        found = run.push(layout(*page), *page.values(), after=after)
        assert math.isnan(found) or found >= 0
