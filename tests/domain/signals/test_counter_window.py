import math
from array import array

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


STARTED = 1_000.0
"""When the server of most tests started, in seconds UTC; the first page comes long after."""


class Run:
    """Pages pushed into one window, ten seconds apart."""

    def __init__(self, span: int = 60 * SECOND, first_pages: int = 1) -> None:
        self.window = CounterWindow(span, first_pages)
        self.at = 2_000 * SECOND

    def push(self, page: Layout, *values: float, after: int = 10 * SECOND) -> float:
        """The increase of all requests in the usual window; NaN while it is unknown."""
        self.at += after
        self.window.push(build_plan(KIND, ENDPOINT, page), self.at, array("d", values), 0)
        found = self.window.recent()
        return math.nan if found is None else sum(found.values)

    def serve(self, *values: float, start: float = STARTED, after: int = 10 * SECOND) -> float:
        """Push a page of a process that tells its start, with one counter for each value."""
        codes = ("200", "500", "503")[: len(values)]
        return self.push(layout(*codes, start=True), *values, start, after=after)


def test_the_first_page_is_only_a_base() -> None:
    run = Run()
    assert math.isnan(run.serve(1_000))
    assert run.serve(1_007) == 7


def test_the_first_pages_tell_whether_there_are_several_processes() -> None:
    run = Run(first_pages=4)
    assert math.isnan(run.serve(1_000))
    assert run.window.reason == "", "one page gives no rate anyway"
    assert all(math.isnan(run.serve(1_007 + step)) for step in range(2))
    assert run.window.reason == "the first scrapes tell whether several processes answer here"
    assert run.serve(1_009) == 9
    assert run.window.reason == ""


def test_counters_without_a_start_time_are_compared_from_the_third_page_on() -> None:
    run = Run()
    page = layout("200")
    assert math.isnan(run.push(page, 1_000))
    assert math.isnan(run.push(page, 1_007))
    assert run.push(page, 1_009) == 9


def test_a_series_that_appears_counts_from_0_in_a_process_already_seen() -> None:
    run = Run()
    run.serve(100)
    assert run.serve(101, 5) == 6


@pytest.mark.parametrize("value", [math.nan, -1.0, math.inf])
def test_a_counter_that_is_no_count_gives_no_rate_however_long(value: float) -> None:
    run = Run()
    assert all(math.isnan(run.serve(100 + step, value)) for step in range(30))
    later = [run.serve(200 + 10 * step, 7 + step) for step in range(7)]
    assert [math.isnan(one) for one in later] == [True] * 6 + [False]
    assert later[-1] == 66


def test_a_page_that_was_empty_before_the_first_request_counts_it() -> None:
    run = Run()
    run.serve()
    assert run.serve(190) == 190


def test_a_family_that_comes_and_goes_gives_unknown_and_no_rate_that_sinks() -> None:
    run = Run()
    run.serve(100, 50)
    assert run.serve(110, 55) == 15
    for count in range(6):
        assert math.isnan(run.serve(120 + 10 * count)), "the other series is absent"
    assert math.isnan(run.serve(180, 90)), "what it counted meanwhile is of an unknown time"
    for count in range(1, 7):
        assert math.isnan(run.serve(180 + 10 * count, 90 + 5 * count)) is (count < 6)


def test_a_series_that_left_for_good_is_gone_after_a_usual_window() -> None:
    run = Run()
    run.serve(100, 50)
    found = [run.serve(100 + 10 * count) for count in range(1, 16)]
    assert [math.isnan(one) for one in found] == [True] * 6 + [False] * 9
    assert found[-1] == 60


def test_a_series_that_the_page_had_but_no_signal_needed_gives_only_a_base() -> None:
    run = Run()
    page = Layout(
        (Series("requests", (("model", "a"),)), Series("requests", (("model", "b"),)), START)
    )
    one = Kind("one", "One", signals=KIND.signals, model_labels=("model",))
    named = Endpoint("e", "http://e", model="a")
    run.window.push(build_plan(one, named, page), 0, array("d", [10, 1_000, 1]), 0)
    run.window.push(build_plan(one, ENDPOINT, page), 10_000, array("d", [11, 1_001, 1]), 0)
    run.window.push(build_plan(one, ENDPOINT, page), 20_000, array("d", [12, 1_003, 1]), 0)
    assert run.window.recent() is not None
    assert math.isnan(sum(run.window.recent().values))  # type: ignore[union-attr]


def test_a_restart_is_seen_by_the_start_time_even_when_the_counters_are_larger_already() -> None:
    run = Run()
    run.serve(5)
    assert run.serve(9, start=run.at / 1_000 + 2) == 9
    assert run.window.resets == run.window.restarts(run.at) == 1
    assert run.window.restarts(run.at + 3_600_000) == 0


def test_a_series_that_returns_after_a_restart_counts_from_0() -> None:
    run = Run()
    run.serve(100, 40)
    start = run.at / 1_000 + 2
    assert run.serve(3, start=start) == 3
    assert run.serve(3, 50, start=start) == 53, "50 errors, not the 10 more than before the restart"


def test_a_start_time_that_wavers_by_whole_seconds_is_of_one_process() -> None:
    run = Run()
    run.serve(5)
    assert run.serve(9, start=STARTED + 1) == 4
    assert run.serve(15, start=STARTED) == 10
    assert run.window.processes == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 9.3e18])
def test_a_value_that_is_no_count_makes_the_increase_unknown(bad: float) -> None:
    run = Run()
    run.serve(10)
    assert math.isnan(run.serve(bad))
    assert math.isnan(run.serve(12))
    for count in range(6):
        known = run.serve(13 + count)
    assert known == 6


def test_the_window_begins_at_the_last_page_that_is_old_enough() -> None:
    run = Run()
    for count in range(20):
        run.serve(count)
    found = run.window.recent()
    assert found is not None
    assert (found.values, found.seconds) == ([6.0], 60.0)


def test_a_rate_never_spans_an_outage() -> None:
    run = Run()
    run.serve(1)
    run.serve(2)
    assert math.isnan(run.serve(500, after=91 * SECOND))
    assert run.serve(501) == 1


def test_a_clock_that_was_set_back_empties_the_window() -> None:
    run = Run()
    run.serve(1)
    run.serve(2)
    assert math.isnan(run.serve(3, after=-15 * SECOND))
    assert run.serve(4) == 1


def test_the_same_page_again_is_left_out() -> None:
    run = Run()
    run.serve(1)
    run.serve(2)
    assert run.serve(2, after=0) == 1


def test_the_canaries_sent_in_the_window_are_told_with_it() -> None:
    window, plan = CounterWindow(60_000), build_plan(KIND, ENDPOINT, layout("200", start=True))
    for at, sent in ((0, 5), (10_000, 6), (20_000, 8)):
        window.push(plan, at, array("d", [1.0, STARTED]), sent)
    found = window.recent()
    assert found is not None
    assert found.canaries == 3


def test_series_that_left_for_good_are_forgotten_in_the_end() -> None:
    run = Run()
    for number in range(1_200):
        run.push(layout(f"{number}", start=True), 1.0, STARTED)
    current = run.window._current
    assert current is not None
    assert len(current.counters._departed) == 1_000
    assert ("requests", (("code", "0"),)) not in current.counters._departed


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


def grown(run: Run, minimum: float) -> tuple[float, float] | None:
    """The events of the shortest window with `minimum` of them, and its length (s)."""
    found = run.window.grown(0, minimum)
    return None if found is None else (found.values[0], found.seconds)


def test_the_window_grows_until_it_holds_enough_events() -> None:
    run = Run()
    for count in range(120):
        run.serve(count // 6)
    assert grown(run, 1) == (1, 60)
    events, seconds = grown(run, 10) or (0, 0)
    assert 10 <= events <= 15
    assert abs(seconds - 60 * events) <= 60
    assert grown(run, 20) is None


def test_the_window_grows_to_an_hour_at_most_and_stays_small() -> None:
    run = Run()
    for count in range(1_000):
        run.serve(count)
    events, seconds = grown(run, 300) or (0, 0)
    assert 300 <= events <= 360
    assert seconds == 10 * events
    assert grown(run, 361) is None
    current = run.window._current
    assert current is not None
    assert len(current.counters.begins()) < 25


def test_canaries_are_no_events() -> None:
    window, plan = CounterWindow(60_000), build_plan(KIND, ENDPOINT, layout("200", start=True))
    for number in range(4):
        window.push(plan, number * 10_000, array("d", [8.0 * number, STARTED]), number)
    assert window.grown(0, 22, canaries=True) is None
    assert window.grown(0, 22) is not None


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 10**4), st.integers(1, 50)),
        min_size=2,
        max_size=4,
    ),
    st.lists(st.integers(0, 3), min_size=60, max_size=120),
)
def test_the_rates_of_several_processes_add_up_or_are_unknown(
    workers: list[tuple[int, int, int]], turns: list[int]
) -> None:
    """Each process serves at a steady rate; whichever answers, no other rate is ever told."""
    run, truth = Run(), float(sum(rate for *_, rate in workers))
    seen = set[int]()
    for number, turn in enumerate(turns):
        worker = turn % len(workers)
        seen.add(worker)
        before, failed, rate = workers[worker]
        increase = run.serve(before + 10 * rate * number, failed, start=STARTED + 1.37 * worker)
        if len(seen) == len(workers) and not math.isnan(increase):
            found = run.window.recent()
            assert found is not None
            assert found.values[0] / found.seconds == pytest.approx(truth)


def test_two_processes_that_answer_by_turns_are_told_together_in_time() -> None:
    run = Run()
    told = []
    for number in range(40):
        before, start = ((50_000, 1_000.1), (41_000, 1_000.4))[number % 2]
        run.serve(before + 10 * number, start=start)
        found = run.window.recent()
        if found is not None:
            told.append((found.values[0] / found.seconds, found.seconds, 10 * number))
    assert run.window.has_several
    assert run.window.reason == ""
    assert [rate for rate, _, _ in told] == pytest.approx([2.0] * len(told))
    assert all(seconds <= passed for _, seconds, passed in told), "no time counts that was not seen"


def test_the_window_of_several_processes_grows_too() -> None:
    run = Run()
    for number in range(120):
        before, start = ((500, 1_000.1), (90, 1_000.4))[number % 2]
        run.serve(before + number // 6, start=start)
    events, seconds = grown(run, 20) or (0, 0)
    assert seconds > 120
    assert events == pytest.approx(seconds / 30, rel=0.15)
    assert grown(run, 500) is None


def test_a_process_that_nobody_saw_for_long_is_gone_and_the_others_are_known_again() -> None:
    run = Run()
    for number in range(40):
        run.serve(100 + 10 * number, start=1_000 + number % 2 * 7.5)
    for number in range(40, 200):
        run.serve(100 + 10 * number, start=1_000)
    assert (run.window.processes, run.window.reason) == (1, "")
    assert run.serve(2_100, start=1_000) == 60


def test_a_clock_that_was_set_back_empties_the_window_of_all_processes() -> None:
    run = Run()
    for number in range(40):
        run.serve(100 + 10 * number, start=1_000 + number % 2 * 7.5)
    assert math.isnan(run.serve(500, start=1_000, after=-100 * SECOND))


def test_a_new_process_among_several_makes_the_rates_unknown_until_all_were_seen() -> None:
    run = Run()
    for number in range(40):
        run.serve(100 + 10 * number, start=1_000 + number % 2 * 7.5)
    assert math.isnan(run.serve(3, start=run.at / 1_000))
    assert "3 processes answer here in turn" in run.window.reason


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1, 1, 0)])
def test_processes_that_nothing_tells_apart_are_doubted(order: tuple[int, ...]) -> None:
    run, page = Run(), layout("200", "500")
    for number in range(60):
        counts = ((800_000.0, 4_000.0), (790_000.0, 9_000.0))[order[number % len(order)]]
        assert math.isnan(run.push(page, counts[0] + number, counts[1])) or number < len(order)
    assert "several processes answer" in run.window.reason
    assert run.window.resets == 0, "none of them restarted"


def test_a_restart_without_a_start_time_is_one_and_is_compared_anew() -> None:
    run, page = Run(), layout("200", "500")
    for number in range(10):
        run.push(page, 1_000 + number, 10)
    found = [run.push(page, number, 0) for number in range(1, 6)]
    assert [math.isnan(one) for one in found] == [True, True, False, False, False]
    assert found[-1] == 4
    assert run.window.resets == 1


def test_a_counter_that_fell_in_the_same_process_is_unknown_for_a_usual_window() -> None:
    run = Run()
    run.serve(1_000, 500)
    run.serve(1_010, 505)
    assert math.isnan(run.serve(1_020, 1)), "a model was loaded anew"
    for count in range(1, 7):
        assert math.isnan(run.serve(1_020 + 10 * count, 1 + count)) is (count < 6)


def test_a_leap_of_counters_without_a_start_time_is_no_rate() -> None:
    run, page = Run(), layout("200")
    for number in range(5):
        run.push(page, 100 + number)
    assert math.isnan(run.push(page, 500_000))
    assert run.window.resets == 0


def pages(least: int) -> st.SearchStrategy[list[tuple[int, dict[str, float]]]]:
    page = st.dictionaries(st.sampled_from("abc"), st.integers(0, 50).map(float), min_size=least)
    return st.lists(st.tuples(st.integers(1, 90_000), page), min_size=1, max_size=25)


@given(pages(0))
def test_no_increase_is_ever_negative_whatever_comes_and_goes(
    steps: list[tuple[int, dict[str, float]]],
) -> None:
    run = Run()
    for after, page in steps:
        increase = run.push(layout(*page), *page.values(), after=after)
        assert math.isnan(increase) or increase >= 0


@given(st.lists(st.tuples(st.integers(5, 80), st.integers(0, 50), st.booleans()), max_size=40))
def test_the_window_equals_a_naive_sum_over_all_pages(
    steps: list[tuple[int, int, bool]],
) -> None:
    """Of a process that tells its start, restarts included; unknown only after a gap."""
    run, count, start, total = Run(), 0, STARTED, 0.0
    totals: list[tuple[float, float]] = []
    for number, (seconds, served, restarted) in enumerate(steps):
        if restarted and number:
            start, count = run.at / 1_000 + seconds / 2, 0
        count += served
        total += served
        increase = run.serve(float(count), start=start, after=seconds * SECOND)
        now = run.at / 1_000
        totals.append((now, total))
        before = [pair for pair in totals if pair[0] <= now - 60]
        inside = before[-1:] + [pair for pair in totals if pair[0] > now - 60]
        base = next(pair for pair in inside if pair[0] >= now - 90)
        if base[0] == now:
            assert math.isnan(increase)
        else:
            assert increase == total - base[1]
