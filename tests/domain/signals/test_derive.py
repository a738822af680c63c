from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Outcome
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import CounterWindow
from watchdeck.domain.signals.derive import (
    DerivedSignals,
    ProbeFacts,
    derive_signals,
    failed_signals,
    identity,
)
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.domain.signals.probe_window import ProbeWindow

BOUNDS = ("0.1", "0.5", "1", "+Inf")
CODES = ("200", "500")
KIND = Kind(
    "made_up",
    "Made up",
    signals=(
        SignalSpec("request_rate", rate=("hits",)),
        SignalSpec("error_ratio", increase=('hits{code="500"}',), over=("hits",)),
        SignalSpec("latency_p50", histogram=("took",), quantile=0.5),
        SignalSpec("latency_p95", histogram=("took",), quantile=0.95),
        SignalSpec("latency_mean", mean=("took",)),
        SignalSpec("queue_depth", gauge=("queue",), aggregate="max"),
    ),
)
ENDPOINT = Endpoint("e", "http://e")
LAYOUT = Layout(
    (
        *(Series("hits", (("code", code),), SeriesType.COUNTER) for code in CODES),
        *(
            Series("took_bucket", (("code", code), ("le", bound)), SeriesType.HISTOGRAM)
            for code in CODES
            for bound in BOUNDS
        ),
        *(Series("took_sum", (("code", code),), SeriesType.HISTOGRAM) for code in CODES),
        *(Series("took_count", (("code", code),), SeriesType.HISTOGRAM) for code in CODES),
        Series("queue", (("shard", "0"),), SeriesType.GAUGE),
        Series("queue", (("shard", "1"),), SeriesType.GAUGE),
        Series("process_start_time_seconds", (), SeriesType.GAUGE),
    )
)
STARTED = 1_000_000.0


@dataclass
class Server:
    """A server that counts requests by code and time, and may be restarted."""

    times: tuple[list[float], list[float]]
    queue: tuple[float, float] = (0.0, 0.0)
    start: float = STARTED

    def page(self) -> array[float]:
        limits = [float(bound) for bound in BOUNDS]
        return array(
            "d",
            [
                *(len(times) for times in self.times),
                *(sum(t <= limit for t in times) for times in self.times for limit in limits),
                *(sum(times) for times in self.times),
                *(len(times) for times in self.times),
                *self.queue,
                self.start,
            ],
        )


def named(out: array[float], kind: Kind = KIND) -> dict[str, float]:
    layout = build_plan(kind, ENDPOINT, LAYOUT).signal_layout
    return {series.name: value for series, value in zip(layout.series, out, strict=True)}


BATCH = st.tuples(
    st.booleans(),
    st.lists(st.sampled_from([0.05, 0.3, 0.7, 2.0]), max_size=40),
    st.lists(st.sampled_from([0.05, 2.0]), max_size=20),
)


def naive(pages: list[array[float]]) -> dict[str, float]:
    """The signals of the newest page, position by position and step by step."""
    steps = list(pairwise(pages))[-6:]
    grown = [
        sum(new[place] - (old[place] if old[-1] == new[-1] else 0) for old, new in steps)
        for place in range(len(LAYOUT) - 3)
    ]
    by_name = {str(series): value for series, value in zip(LAYOUT.series, grown, strict=False)}
    hits, failed = grown[0] + grown[1], grown[1]
    buckets = [
        sum(by_name[f'took_bucket{{code="{code}",le="{bound}"}}'] for code in CODES)
        for bound in BOUNDS
    ]
    total, count = grown[10] + grown[11], grown[12] + grown[13]
    return {
        "request_rate": hits / (10.0 * len(steps)),
        "error_ratio": failed / hits if hits >= 20 else math.nan,
        "latency_p50": walked(0.5, buckets),
        "latency_p95": walked(0.95, buckets),
        "latency_mean": total / count if count else math.nan,
    }


def walked(share: float, buckets: list[float]) -> float:
    """A quantile found by walking the buckets."""
    if buckets[-1] < 20:
        return math.nan
    counts = list(accumulate(buckets, max))
    rank, low, before = share * counts[-1], 0.0, 0.0
    for bound, count in zip(BOUNDS, counts, strict=True):
        if count >= rank:
            inside = (rank - before) / (count - before) if count > before else 1.0
            return low if bound == "+Inf" else low + (float(bound) - low) * inside
        low, before = float(bound), count
    return math.nan


@given(st.lists(BATCH, min_size=2, max_size=7))
def test_signals_equal_a_naive_reading_of_every_page(
    batches: list[tuple[bool, list[float], list[float]]],
) -> None:
    server, window, probes = Server(([], [])), CounterWindow(60_000), ProbeWindow()
    pages: list[array[float]] = []
    out: dict[str, float] = {}
    for number, (restarted, good, bad) in enumerate(batches):
        if restarted:
            server = Server(([], []), start=STARTED + 10 * number)
        server.times[0].extend(good)
        server.times[1].extend(bad)
        pages.append(server.page())
        plan = build_plan(KIND, ENDPOINT, LAYOUT)
        at = round(STARTED * 1_000) + 10_000 * number
        out = named(derive_signals(plan, window, probes, at, pages[-1]).values)
    wanted = naive(pages)
    assert {name: out[name] for name in wanted} == pytest.approx(wanted, nan_ok=True)
    for name in ("latency_p50", "latency_p95"):
        if not math.isnan(out[name]):
            assert out[f"{name}.low"] <= out[name] <= out[f"{name}.high"]
    assert out["request_rate"] >= 0
    assert math.isnan(out["error_ratio"]) or 0 <= out["error_ratio"] <= 1


def twice(server: Server, facts: ProbeFacts = ProbeFacts()) -> dict[str, float]:  # noqa: B008 - frozen
    """The signals of a server that did all its work within ten seconds."""
    plan, window, probes = build_plan(KIND, ENDPOINT, LAYOUT), CounterWindow(60_000), ProbeWindow()
    derive_signals(plan, window, probes, 0, Server(([], [])).page())
    return named(derive_signals(plan, window, probes, 10_000, server.page(), facts).values)


def test_three_requests_are_no_error_ratio_and_no_quantile_but_a_rate() -> None:
    signals = twice(Server(([0.05], [0.05, 0.05])))
    assert signals["request_rate"] == pytest.approx(0.3)
    assert signals["latency_mean"] == pytest.approx(0.05)
    assert math.isnan(signals["error_ratio"])
    assert math.isnan(signals["latency_p95"])


def test_counters_that_stand_still_are_a_real_0() -> None:
    signals = twice(Server(([], [])))
    assert signals["request_rate"] == 0.0
    assert math.isnan(signals["error_ratio"])


def test_slower_than_the_last_bucket_is_said_as_more_than() -> None:
    signals = twice(Server(([2.0] * 30, [])))
    assert signals["latency_p95"] == signals["latency_p95.low"] == 1.0
    assert signals["latency_p95.high"] == math.inf


def test_the_largest_of_several_gauges_is_told() -> None:
    assert twice(Server(([], []), queue=(3.0, 7.0)))["queue_depth"] == 7.0
    assert twice(Server(([], []), queue=(3.0, math.nan)))["queue_depth"] == 3.0
    assert math.isnan(twice(Server(([], []), queue=(math.nan, math.inf)))["queue_depth"])


def test_the_scrape_itself_is_told_beside_the_page() -> None:
    facts = ProbeFacts(scrape_duration=0.012, tls_days_left=80.5, ready=True, signals_missing=2)
    signals = twice(Server(([], [])), facts)
    assert (signals["outcome"], signals["up"], signals["ready"]) == (0.0, 1.0, 1.0)
    assert (signals["scrape_duration"], signals["tls_days_left"]) == (0.012, 80.5)
    assert (signals["restarts"], signals["signals_missing"]) == (0.0, 2.0)
    assert math.isnan(signals["availability"])


def derive_once(
    kind: Kind, page: array[float], answered: dict[str, float], layout: Layout = LAYOUT
) -> tuple[dict[str, float], DerivedSignals]:
    """The signals of one page, and of probes that answered with signals."""
    plan = build_plan(kind, ENDPOINT, layout)
    derived = derive_signals(
        plan, CounterWindow(60_000), ProbeWindow(), 0, page, probe_signals=answered
    )
    columns = [series.name for series in plan.signal_layout.series]
    return dict(zip(columns, derived.values, strict=True)), derived


def test_what_probes_brought_fills_what_the_page_does_not_tell() -> None:
    kind = Kind("k", "K", signals=(SignalSpec("queue_depth", gauge=("nothing",)),))
    answered = {"queue_depth": 16.0, "not_a_column": 1.0}
    signals, _ = derive_once(kind, Server(([], [])).page(), answered)
    assert signals["queue_depth"] == 16.0
    signals, _ = derive_once(KIND, Server(([], []), queue=(1.0, 2.0)).page(), answered)
    assert signals["queue_depth"] == 2.0


def test_what_a_probe_brought_is_left_out_and_counted_outside_the_bounds_of_its_unit() -> None:
    kind = Kind("k", "K", signals=(SignalSpec("saturation", gauge=("nothing",)),))
    signals, derived = derive_once(kind, Server(([], [])).page(), {"saturation": 37.0})
    assert math.isnan(signals["saturation"])
    assert derived.out_of_range == 1


GPU = Kind(
    "gpu",
    "GPU",
    signals=(
        SignalSpec("gpu_utilization", gauge=("util",), aggregate="mean", scale=1e-2),
        SignalSpec("gpu_temperature", gauge=("temp",), aggregate="max"),
        SignalSpec("gpu_memory_ratio", gauge=("used",), over=("used", "free")),
    ),
)
GPU_LAYOUT = Layout(
    tuple(
        Series(name, (("gpu", gpu),), SeriesType.GAUGE)
        for name in ("util", "temp", "used", "free")
        for gpu in "01"
    )
)
BLANK = [
    *(4_294_967_295.0, 2_147_483_632.0, 2_147_483_635.0, 140_737_488_355_328.0),
    *(9_223_372_036_854_775_794.0, 18_446_744_073_709_551_615.0, math.inf, -101.0),
]


@pytest.mark.parametrize("blank", [*BLANK, 808_334_905.0, 2_619.0])
def test_a_value_that_no_measurement_has_is_left_out_and_counted(blank: float) -> None:
    page = array("d", [40, blank, 60, blank, 3, 3, 1, 1])
    signals, derived = derive_once(GPU, page, {}, GPU_LAYOUT)
    assert signals["gpu_utilization"] == pytest.approx(0.4)
    assert signals["gpu_temperature"] == 60
    assert signals["gpu_memory_ratio"] == 0.75
    assert derived.out_of_range == 2


def test_a_gauge_that_has_only_impossible_values_says_why_it_is_unknown() -> None:
    page = array("d", [180, 250, 60, 50, 3, 3, 1, 1])
    signals, derived = derive_once(GPU, page, {}, GPU_LAYOUT)
    assert math.isnan(signals["gpu_utilization"])
    assert derived.remarks == {
        "gpu_utilization": "the page has no value now that its unit can have"
    }


def test_a_doubt_about_a_gauge_is_told_beside_its_value() -> None:
    kind = Kind("k", "K", signals=(SignalSpec("queue_depth", gauge=("queue",), remark="or more"),))
    layout = Layout((Series("queue", (), SeriesType.GAUGE),))
    assert derive_once(kind, array("d", [3]), {}, layout)[1].remarks == {"queue_depth": "or more"}


def test_a_counter_that_left_the_page_is_the_reason_of_an_unknown_rate() -> None:
    window, probes = CounterWindow(60_000), ProbeWindow()
    names = [("hits", "200"), ("hits", "500")]
    for number in range(3):
        given_series = [Series(name, (("code", code),), SeriesType.COUNTER) for name, code in names]
        layout = Layout((*given_series, Series("process_start_time_seconds")))
        page = array("d", [*[float(number)] * len(names), STARTED])
        plan = build_plan(KIND, ENDPOINT, layout)
        derived = derive_signals(plan, window, probes, 10_000 * number, page)
        names = names[:1] if number else names
    assert "left the page" in derived.remarks["request_rate"]


@pytest.mark.parametrize("blank", BLANK[:-1])
def test_a_ratio_with_a_blank_part_is_unknown(blank: float) -> None:
    page = array("d", [40, 60, 50, 50, 3, blank, 1, 1])
    signals, derived = derive_once(GPU, page, {}, GPU_LAYOUT)
    assert math.isnan(signals["gpu_memory_ratio"])
    assert derived.out_of_range > 0


@given(st.lists(st.floats(), min_size=8, max_size=8))
def test_no_value_of_a_page_leads_outside_the_bounds_of_a_unit(page: list[float]) -> None:
    signals, _ = derive_once(GPU, array("d", page), {}, GPU_LAYOUT)
    for name in ("gpu_utilization", "gpu_memory_ratio"):
        assert math.isnan(signals[name]) or 0 <= signals[name] <= 1
    assert math.isnan(signals["gpu_temperature"]) or -60 <= signals["gpu_temperature"] <= 200


def test_gauges_are_unknown_while_several_processes_answer_by_turns() -> None:
    plan, window, probes = build_plan(KIND, ENDPOINT, LAYOUT), CounterWindow(60_000), ProbeWindow()
    for number in range(40):
        server = Server(([0.05] * 10 * number, []), queue=(number, 0), start=number % 2 * 9.5)
        derived = derive_signals(plan, window, probes, 1_000_000 + 10_000 * number, server.page())
    signals = named(derived.values)
    assert signals["request_rate"] == pytest.approx(2.0)
    assert signals["error_ratio"] == 0.0
    assert math.isnan(signals["queue_depth"])
    assert "one of several processes" in derived.remarks["queue_depth"]
    assert identity(plan, window, server.page()).started_at is None


def test_processes_that_were_not_seen_for_long_enough_are_the_reason_of_an_unknown_rate() -> None:
    plan, window, probes = build_plan(KIND, ENDPOINT, LAYOUT), CounterWindow(60_000), ProbeWindow()
    for number in range(20):
        server = Server(([0.05] * number, []), start=number % 2 * 9.5)
        derived = derive_signals(plan, window, probes, 1_000_000 + 1_000 * number, server.page())
    assert window.reason == ""
    assert math.isnan(named(derived.values)["request_rate"])
    assert derived.remarks["request_rate"].endswith("some not seen for long enough")


def test_what_moves_counts_where_a_counter_stands_at_0() -> None:
    kind = Kind(
        "k",
        "K",
        signals=(
            SignalSpec("request_rate", rate=("done",)),
            SignalSpec("latency_mean", mean=("took",)),
        ),
    )
    names = ("done", "took_sum", "took_count", "process_start_time_seconds")
    plan = build_plan(kind, ENDPOINT, Layout(tuple(Series(name) for name in names)))
    window, probes = CounterWindow(60_000), ProbeWindow()
    for number in range(3):
        page = array("d", [0, number, 20 * number, STARTED])
        derived = derive_signals(plan, window, probes, 10_000 * number, page)
    assert derived.values[plan.slots["request_rate"]] == 2.0
    assert derived.remarks["request_rate"] == "done stands at 0 while took_count grows"
    derived = derive_signals(plan, window, probes, 30_000, array("d", [1, 3, 60, STARTED]))
    assert derived.values[plan.slots["request_rate"]] == pytest.approx(1 / 30)
    assert "request_rate" not in derived.remarks


def test_more_failures_than_requests_are_no_share() -> None:
    kind = Kind("k", "K", signals=(SignalSpec("error_ratio", increase=("bad",), over=("all",)),))
    names = ("bad", "all", "process_start_time_seconds")
    plan = build_plan(kind, ENDPOINT, Layout(tuple(Series(name) for name in names)))
    window, probes = CounterWindow(60_000), ProbeWindow()
    for number in range(2):
        page = array("d", [90 * number, 30 * number, STARTED])
        derived = derive_signals(plan, window, probes, 10_000 * number, page)
    assert math.isnan(derived.values[plan.slots["error_ratio"]])


def test_a_failed_scrape_tells_only_of_itself_in_the_same_layout() -> None:
    probes = ProbeWindow()
    for at in range(10):
        probes.add(at, good=at < 5)
    facts = ProbeFacts(Outcome.TIMED_OUT, ready=False, scrape_duration=5.0)
    frame = failed_signals(KIND, ENDPOINT, CounterWindow(60_000), probes, 10, facts)
    assert frame.layout is build_plan(KIND, ENDPOINT, LAYOUT).signal_layout
    signals = named(frame.values)
    assert signals["outcome"] == OUTCOME_CODES[Outcome.TIMED_OUT]
    assert (signals["up"], signals["ready"], signals["availability"]) == (0.0, 0.0, 0.5)
    assert signals["scrape_duration"] == 5.0
    assert math.isnan(signals["request_rate"])
    assert math.isnan(signals["restarts"])


def test_a_failed_scrape_of_an_unknown_kind_has_a_frame_too() -> None:
    window, facts = CounterWindow(60_000), ProbeFacts(Outcome.DNS)
    frame = failed_signals(None, ENDPOINT, window, ProbeWindow(), 0, facts)
    assert [series.name for series in frame.layout.series][:2] == ["outcome", "up"]
    assert frame.values[0] == OUTCOME_CODES[Outcome.DNS]


@pytest.mark.parametrize("started", [0.0, -1.0, 1e12, math.nan, math.inf])
def test_a_start_that_can_be_none_is_not_told(started: float) -> None:
    layout = Layout((Series("process_start_time_seconds", (), SeriesType.GAUGE),))
    plan, window = build_plan(KIND, ENDPOINT, layout), CounterWindow(60_000)
    values = array("d", [started])
    derive_signals(plan, window, ProbeWindow(), 0, values)
    assert identity(plan, window, values).started_at is None
