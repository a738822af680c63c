from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.collector.scrape.manager import ScrapeSchedule, jitter_of, schedule_of
from watchdeck.domain.settings.endpoint import Endpoint

SECONDS = st.floats(0.1, 3_600)
PHASES = st.floats(0, 1, exclude_max=True)


def endpoint(name: str) -> Endpoint:
    return Endpoint(name=name, url="http://a.example")


def test_endpoints_are_spread_evenly_and_the_same_after_every_start() -> None:
    phases = [schedule_of(endpoint(f"model-{n}")).phase for n in range(1_000)]
    tenths = Counter(int(phase * 10) for phase in phases)
    assert min(tenths.values()) > 70
    assert schedule_of(endpoint("fraud")).phase == pytest.approx(0.7246, abs=1e-4)
    assert jitter_of(endpoint("fraud")).random() == jitter_of(endpoint("fraud")).random()


@given(SECONDS, PHASES, st.floats(0, 1e6))
def test_the_first_scrape_comes_soon_and_the_second_on_the_beat(
    every: float, phase: float, now: float
) -> None:
    beat = ScrapeSchedule(every, phase)
    first, second = beat.first(now, 2), beat.second(now, 2)
    assert now <= first <= now + 2
    assert every / 2 <= second - first + 1e-6
    assert second - first <= 1.5 * every + 1e-6
    on_the_beat = (second - now) / every - phase
    assert on_the_beat == pytest.approx(round(on_the_beat), abs=1e-6)


@given(SECONDS, st.floats(0, 1e5), st.floats(-1, 100))
def test_a_slow_scrape_leaves_beats_out_and_stays_on_the_grid(
    every: float, planned: float, late: float
) -> None:
    now = planned + late * every
    following, missed = ScrapeSchedule(every, 0).next_after(planned, now)
    assert following >= min(now, planned + every) - 1e-6
    assert following - planned == pytest.approx((1 + missed) * every)
    assert missed == 0 or following - now <= every + 1e-6


@given(SECONDS, st.floats(0, 1e6))
def test_what_is_due_about_then_begins_together_and_never_early(every: float, due: float) -> None:
    beat = ScrapeSchedule(every, 0)
    moment = beat.wake_time(due)
    assert -1e-6 <= moment - due <= 0.1 + 1e-6
    assert moment - due <= every * 0.02 + 1e-6
    assert beat.wake_time(moment - 1e-3) == pytest.approx(moment)


def test_a_scrape_within_its_interval_misses_nothing() -> None:
    assert ScrapeSchedule(10, 0).next_after(100, 109) == (110, 0)
    assert ScrapeSchedule(10, 0).next_after(100, 110) == (110, 0)
    assert ScrapeSchedule(10, 0).next_after(100, 111) == (120, 1)
    assert ScrapeSchedule(10, 0).next_after(100, 145) == (150, 4)
