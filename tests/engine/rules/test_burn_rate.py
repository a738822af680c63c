"""Budgets, against the same arithmetic over a plain list of all samples."""

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.rules.rule import Burn, BurnRateWindows
from watchdeck.engine.rules.burn_rate import (
    LEVELS,
    LONGEST_WINDOW,
    MINIMUM_BAD_EVENTS,
    BudgetConsumption,
    ErrorBudget,
)
from watchdeck.engine.rules.conditions import BurnRateCondition, ScrapeValues

HOUR, MINUTE = 3_600_000, 60_000
FAST = (BurnRateWindows(HOUR, 5 * MINUTE, 14.4), BurnRateWindows(6 * HOUR, 30 * MINUTE, 6.0))
SLOW = (BurnRateWindows(24 * HOUR, 2 * HOUR, 3.0), BurnRateWindows(72 * HOUR, 6 * HOUR, 1.0))
PROBED = ErrorBudget(0.001, 1 / 5_000)


def width_for(span: int) -> int:
    return next(width for width, reach in LEVELS if reach >= span)


def plain(samples: list[tuple[int, float, float]], span: int) -> tuple[float, float]:
    """Bad and total of the cells that lie wholly within a window."""
    at, width = samples[-1][0], width_for(span)
    seen = [one for one in samples if one[0] // width > (at - span) // width]
    return sum(bad for _, bad, _ in seen), sum(total for _, _, total in seen)


STEPS = st.lists(
    st.tuples(st.integers(1_000, 2 * HOUR), st.integers(0, 3), st.integers(3, 9)),
    min_size=1,
    max_size=120,
)


@given(STEPS)
def test_a_burn_is_what_a_list_of_all_samples_says(steps: list[tuple[int, int, int]]) -> None:
    burned, samples, at = BudgetConsumption(), list[tuple[int, float, float]](), 10 * LONGEST_WINDOW
    burned.register_pairs(FAST + SLOW, 0.01)
    burned.fill(())
    for step, lost, count in steps:
        at += step
        burned.add(at, lost, count)
        samples.append((at, lost, count))
    found = burned.burn_rates(FAST + SLOW, ErrorBudget(0.01, 0.0, 0))
    for speed in found:
        for span, said in ((speed.pair.long, speed.long), (speed.pair.short, speed.short)):
            bad, total = plain(samples, span)
            assert said == pytest.approx(bad / (0.01 * total))
    fast = any(
        min(speed.long, speed.short) > speed.pair.factor
        and plain(samples, speed.pair.long)[0] >= MINIMUM_BAD_EVENTS
        for speed in found
    )
    assert bool(burned.burns_too_fast(FAST + SLOW, ErrorBudget(0.01, 0.0, 0))) is fast
    assert not (burned.is_quiet and fast)


def outage(good_hours: float, every: int = 5_000) -> tuple[BudgetConsumption, int]:
    burned, first = BudgetConsumption(), 10 * LONGEST_WINDOW
    start = first + round(good_hours * HOUR)
    burned.fill((at, 0.0, 1.0) for at in range(first, start, every))
    return burned, start


def seconds_until_fast(burned: BudgetConsumption, start: int) -> float:
    for number in range(60):
        burned.add(start + 5_000 * number, 1.0, 1.0)
        if burned.burns_too_fast(FAST, PROBED):
            return number * 5.0
    return math.inf


@pytest.mark.parametrize("good_hours", [1.0, 0.0, 72.0])
def test_a_total_outage_is_fast_within_52_seconds_and_a_poll(good_hours: float) -> None:
    assert seconds_until_fast(*outage(good_hours)) <= 57.0


def test_one_failed_probe_of_a_new_endpoint_is_no_fast_burn() -> None:
    burned, start = outage(0.0)
    burned.add(start, 1.0, 1.0)
    assert not burned.burns_too_fast(FAST, PROBED)


def test_three_requests_are_no_error_ratio() -> None:
    burned = BudgetConsumption()
    burned.fill([(LONGEST_WINDOW, 3.0, 3.0)])
    assert burned.burn_rates(FAST, ErrorBudget(0.01, 0.0, min_samples=50)) == ()


def test_few_losses_and_losses_of_long_ago_are_quiet() -> None:
    burned = BudgetConsumption()
    burned.register_pairs(FAST, 0.01)
    burned.add(LONGEST_WINDOW, 1.0, 100.0)
    assert burned.is_quiet
    burned.add(LONGEST_WINDOW + MINUTE, 50.0, 100.0)
    burned.add(LONGEST_WINDOW + 30 * MINUTE, 0.0, 100.0)
    assert not burned.is_quiet
    burned.add(LONGEST_WINDOW + 31 * MINUTE, 0.0, 100.0)
    assert burned.is_quiet


def test_a_promise_of_everything_burns_with_the_first_loss() -> None:
    burned = BudgetConsumption()
    burned.fill([(LONGEST_WINDOW, 1.0, 1.0)])
    assert burned.burns_too_fast(FAST, ErrorBudget(0.0, 0.0))


def test_a_window_that_is_longer_than_what_was_seen_is_told_as_what_was_seen() -> None:
    budget, burned = ErrorBudget(0.01, 0.0), BudgetConsumption()
    burned.fill([(LONGEST_WINDOW + at * MINUTE, 5.0, 10.0) for at in range(11)])
    condition = BurnRateCondition(Burn("error_ratio", SLOW), budget, burned)
    sample = ScrapeValues(LONGEST_WINDOW, array("d"), {})
    assert "(50x over 10m, 50x over 10m)" in condition.measure(sample, LONGEST_WINDOW).why


def test_a_clock_set_back_a_little_loses_nothing() -> None:
    burned = BudgetConsumption()
    burned.fill([(LONGEST_WINDOW, 1.0, 1.0), (LONGEST_WINDOW - 2_000, 1.0, 1.0)])
    (speed, _) = burned.burn_rates(FAST, ErrorBudget(0.5, 0.0))
    assert speed.long == 2.0


def test_one_failure_never_burns_a_budget_too_fast_however_small_it_is() -> None:
    """99.9 % are promised, and one of a batch of 55 requests fails."""
    budget, pairs = ErrorBudget(0.001, 0.0, 50), FAST
    burned = BudgetConsumption()
    burned.register_pairs(pairs, budget.share)
    burned.fill(())
    at = 10 * LONGEST_WINDOW
    burned.add(at, 1.0, 55.0)
    assert burned.burns_too_fast(pairs, budget) is False
    burned.add(at + 5_000, 2.0, 55.0)
    assert burned.burns_too_fast(pairs, budget) is True


def test_requests_are_not_judged_before_their_history_is_known() -> None:
    budget, burned = ErrorBudget(0.01, 0.0, 10), BudgetConsumption()
    burned.register_pairs(FAST, budget.share)
    burned.awaits_history = True
    burned.add(10 * LONGEST_WINDOW, 50.0, 100.0)
    assert burned.burns_too_fast(FAST, budget) is None
    burned.fill([(10 * LONGEST_WINDOW - 1_800_000, 0.0, 100_000.0), (10 * LONGEST_WINDOW, 50, 100)])
    assert burned.burns_too_fast(FAST, budget) is False


@given(STEPS, STEPS)
def test_a_loaded_budget_goes_on_as_the_one_that_was_dumped(
    before: list[tuple[int, int, int]], after: list[tuple[int, int, int]]
) -> None:
    budget, at = ErrorBudget(0.01, 0.0, 0), 10 * LONGEST_WINDOW
    dumped, loaded = BudgetConsumption(), BudgetConsumption()
    for one in (dumped, loaded):
        one.register_pairs(FAST + SLOW, budget.share)
    for step, lost, count in before:
        at += step
        dumped.add(at, lost, count)
    dumped.complete = True
    assert loaded.load(dumped.dump())
    for step, lost, count in after:
        at += step
        dumped.add(at, lost, count)
        loaded.add(at, lost, count)
    assert loaded.burn_rates(FAST + SLOW, budget) == dumped.burn_rates(FAST + SLOW, budget)
    assert (loaded.is_quiet, loaded.complete) == (dumped.is_quiet, True)


@pytest.mark.parametrize("state", [b"", b"garbage", BudgetConsumption().dump()[:-9]])
def test_a_dump_that_cannot_be_read_changes_nothing(state: bytes) -> None:
    budget = BudgetConsumption()
    budget.add(10 * LONGEST_WINDOW, 1.0, 2.0)
    before = budget.dump()
    assert not budget.load(state)
    assert budget.dump() == before
