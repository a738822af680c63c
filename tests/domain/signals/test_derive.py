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
from watchdeck.domain.signals.derive import derive_signals, failed_signals, identity
from watchdeck.domain.signals.plan_builder import build_plan

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
    )
)


@dataclass
class Server:
    """A server that counts requests by code and time, and may be restarted."""

    times: tuple[list[float], list[float]]
    queue: tuple[float, float] = (0.0, 0.0)

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
        sum(
            new[place] - old[place] if new[place] >= old[place] else new[place]
            for old, new in steps
        )
        for place in range(len(LAYOUT) - 2)
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


def grew(old: float, new: float) -> float:
    return new - old if new >= old else new


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


@given(st.lists(BATCH, min_size=2, max_size=12))
def test_signals_equal_a_naive_reading_of_every_page(
    batches: list[tuple[bool, list[float], list[float]]],
) -> None:
    server, window = Server(([], [])), CounterWindow(60_000)
    pages: list[array[float]] = []
    out: dict[str, float] = {}
    for number, (restarted, good, bad) in enumerate(batches):
        if restarted:
            server = Server(([], []))
        server.times[0].extend(good)
        server.times[1].extend(bad)
        pages.append(server.page())
        plan = build_plan(KIND, ENDPOINT, LAYOUT)
        out = named(derive_signals(plan, window, 10_000 * number, pages[-1]))
    wanted = naive(pages)
    assert {name: out[name] for name in wanted} == pytest.approx(wanted, nan_ok=True)
    for name in ("latency_p50", "latency_p95"):
        if not math.isnan(out[name]):
            assert out[f"{name}.low"] <= out[name] <= out[f"{name}.high"]
    assert out["request_rate"] >= 0
    assert math.isnan(out["error_ratio"]) or 0 <= out["error_ratio"] <= 1


def twice(server: Server, **told: float) -> dict[str, float]:
    """The signals of a server that did all its work within ten seconds."""
    window, plan = CounterWindow(60_000), build_plan(KIND, ENDPOINT, LAYOUT)
    derive_signals(plan, window, 0, Server(([], [])).page())
    return named(derive_signals(plan, window, 10_000, server.page(), **told))  # type: ignore[arg-type]


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
    signals = twice(Server(([], [])), scrape_duration=0.012, tls_days_left=80.5, ready=True)
    assert (signals["outcome"], signals["up"], signals["ready"]) == (0.0, 1.0, 1.0)
    assert (signals["scrape_duration"], signals["tls_days_left"]) == (0.012, 80.5)
    assert math.isnan(signals["availability"])


def test_what_probes_brought_fills_what_the_page_does_not_tell() -> None:
    kind = Kind("k", "K", signals=(SignalSpec("queue_depth", gauge=("nothing",)),))
    plan = build_plan(kind, ENDPOINT, LAYOUT)
    page = Server(([], [])).page()
    answered = {"queue_depth": 16.0, "not_a_column": 1.0}
    out = derive_signals(plan, CounterWindow(60_000), 0, page, probe_signals=answered)
    assert out[plan.slots["queue_depth"]] == 16.0
    plan = build_plan(KIND, ENDPOINT, LAYOUT)
    page = Server(([], []), queue=(1.0, 2.0)).page()
    out = derive_signals(plan, CounterWindow(60_000), 0, page, probe_signals=answered)
    assert out[plan.slots["queue_depth"]] == 2.0


def test_a_failed_scrape_tells_only_of_itself_in_the_same_layout() -> None:
    window = CounterWindow(60_000)
    for at in range(10):
        window.add_probe(at, good=at < 5)
    frame = failed_signals(
        KIND, ENDPOINT, window, 10, Outcome.TIMED_OUT, ready=False, scrape_duration=5.0
    )
    assert frame.layout is build_plan(KIND, ENDPOINT, LAYOUT).signal_layout
    signals = named(frame.values)
    assert signals["outcome"] == OUTCOME_CODES[Outcome.TIMED_OUT]
    assert (signals["up"], signals["ready"], signals["availability"]) == (0.0, 0.0, 0.5)
    assert signals["scrape_duration"] == 5.0
    assert math.isnan(signals["request_rate"])


def test_a_failed_scrape_of_an_unknown_kind_has_a_frame_too() -> None:
    frame = failed_signals(None, ENDPOINT, CounterWindow(60_000), 0, Outcome.DNS)
    assert [series.name for series in frame.layout.series][:2] == ["outcome", "up"]
    assert frame.values[0] == OUTCOME_CODES[Outcome.DNS]


def test_resets_are_counted_for_servers_that_tell_no_start() -> None:
    window, plan = CounterWindow(60_000), build_plan(KIND, ENDPOINT, LAYOUT)
    page = Server(([0.05] * 5, [])).page()
    derive_signals(plan, window, 0, page)
    derive_signals(plan, window, 10_000, Server(([0.05], [])).page())
    assert identity(plan, window, page).resets == 1


@pytest.mark.parametrize("started", [0.0, -1.0, 1e12, math.nan, math.inf])
def test_a_start_that_can_be_none_is_not_told(started: float) -> None:
    layout = Layout((Series("process_start_time_seconds", (), SeriesType.GAUGE),))
    plan, window = build_plan(KIND, ENDPOINT, layout), CounterWindow(60_000)
    values = array("d", [started])
    derive_signals(plan, window, 0, values)
    assert identity(plan, window, values).started_at is None
