"""A rule is played over history by the code that judges it live, and says what it cannot know."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from store.stores import NOW
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Outcome
from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.settings.endpoint import EndpointFacts, Slo
from watchdeck.domain.values.units import Milliseconds, Ratio
from watchdeck.engine.backtest.replay import Firing, Replay, lookback, replay
from watchdeck.store.metrics.raw import Block

EVERY, MINUTE = 10_000, 60_000
SLO = Slo(Ratio(0.999), Milliseconds(200), Ratio(0.01))
FRAUD = EndpointFacts("fraud", "http://fraud", EVERY, slo=SLO)
COLUMNS = ("outcome", "up", "ready", "latency_p95", "error_ratio", "request_rate")
OK, LOST = OUTCOME_CODES[Outcome.OK], OUTCOME_CODES[Outcome.TIMED_OUT]


def rule(words: str, min_samples: int = 1) -> Rule:
    when = read_condition(words)
    return Rule("it", words, when.test, hold=when.hold, min_samples=min_samples)


def good(p95: float = 0.1, ready: float = 1.0) -> tuple[float, ...]:
    return (OK, 1.0, ready, p95, 0.001, 40.0)


BAD = (LOST, 0.0, math.nan, math.nan, math.nan, math.nan)


def block(rows: Sequence[tuple[float, ...]], start: int = NOW, every: int = EVERY) -> Block:
    times = [start + number * every for number in range(len(rows))]
    return Block(COLUMNS, times, np.array(rows, np.float64))


def play(words: Rule, *blocks: Block, start: int = NOW) -> Replay:
    return replay(words, FRAUD, "mlserver", blocks, start)


def spans(told: Replay) -> list[tuple[int, int | None]]:
    """From and until, in scrapes since the beginning."""
    return [
        ((one.at - NOW) // EVERY, None if one.until is None else (one.until - NOW) // EVERY)
        for one in told.firings
    ]


def test_it_fires_after_its_hold_and_ends_after_calm_samples() -> None:
    rows = [good()] * 6 + [good(0.4)] * 12 + [good(0.5)] + [good()] * 12
    told = play(rule("latency_p95 > slo for 1m"), block(rows))
    [firing] = told.firings
    assert spans(told) == [(12, 25)]
    assert firing == Firing(
        "fraud", NOW + 12 * EVERY, NOW + 25 * EVERY, "latency_p95 400 ms > 200 ms", 0.5
    )
    assert (told.first, told.last) == (NOW, NOW + 30 * EVERY)
    assert (told.every, told.samples) == (EVERY, len(rows))
    assert (told.unknown, told.uncollected) == (0, 0)


def test_what_is_not_over_has_no_end() -> None:
    told = play(rule("latency_p95 > 200ms"), block([good()] * 3 + [good(0.4), good(0.9)]))
    assert spans(told) == [(3, None)]
    assert told.firings[0].peak == 0.9


def test_a_dip_shorter_than_the_hold_is_no_firing() -> None:
    rows = ([good(0.4)] * 3 + [good()] * 3) * 10
    assert play(rule("latency_p95 > 200ms for 1m"), block(rows)).firings == ()


def test_what_comes_back_soon_is_the_same_firing() -> None:
    rows = [good(0.4)] * 3 + [good()] * 20 + [good(0.4)] * 3 + [good()] * 20
    told = play(rule("latency_p95 > 200ms"), block(rows))
    assert [one.reopened for one in told.firings] == [1]
    assert spans(told) == [(0, 32)]


def test_failed_scrapes_resolve_nothing_and_are_told_as_unknown() -> None:
    rows = [good(0.4)] * 3 + [BAD] * 30 + [good(0.4)] * 2 + [good()] * 10
    told = play(rule("latency_p95 > 200ms"), block(rows))
    assert spans(told) == [(0, 41)]
    assert told.unknown == 30


def test_two_failed_scrapes_are_down_and_one_is_not() -> None:
    rows = [good()] * 3 + [BAD] + [good()] * 3 + [BAD] * 5 + [good()] * 10
    assert spans(play(rule("down"), block(rows))) == [(8, 18)]


def test_a_model_that_says_that_it_is_not_ready_is_down_at_once() -> None:
    rows = [good()] * 3 + [good(ready=0.0)] * 5 + [good()] * 10
    assert spans(play(rule("down"), block(rows))) == [(3, 14)]


def test_a_window_is_a_mean_and_needs_what_lies_before() -> None:
    words = rule("latency_p95 > 200ms over 1m")
    rows = [good()] * 6 + [good(0.7)] + [good()] * 9
    told = play(words, block(rows), start=NOW)
    assert lookback(words) == MINUTE
    assert told.unknown > 0
    assert play(words, block(rows, start=NOW - 6 * EVERY)).unknown == 0


def test_what_lies_before_the_beginning_fires_nothing() -> None:
    rows = [good(0.4)] * 10 + [good()] * 10
    told = play(rule("latency_p95 > 200ms"), block(rows, NOW - 15 * EVERY))
    assert (told.firings, told.samples) == ((), 5)


def test_a_budget_burns_after_a_minute_of_outage() -> None:
    words = rule("burn(availability) > 14.4 over 1h and 5m", min_samples=10)
    told = play(words, block([good()] * 400 + [BAD] * 30), start=NOW)
    [firing] = told.firings
    assert 0 < firing.at - (NOW + 400 * EVERY) <= MINUTE
    assert lookback(words) == 3 * 24 * 60 * MINUTE
    assert told.unknown > 0


def test_requests_burn_their_own_budget() -> None:
    failing = (OK, 1.0, 1.0, 0.1, 0.5, 40.0)
    words = rule("burn(error_ratio) > 14.4 over 1h and 5m", min_samples=50)
    assert len(play(words, block([good()] * 400 + [failing] * 200)).firings) == 1


def test_a_hole_is_a_time_in_which_nobody_collected_and_holds_what_was() -> None:
    slow = rule("latency_p95 > 200ms for 1m")
    after = block([good(0.4)] * 5, NOW + 5 * EVERY + 60 * MINUTE)
    told = play(slow, block([good(0.4)] * 5), after)
    assert told.uncollected == 60 * MINUTE
    assert spans(told) == [((after.times[1] - NOW) // EVERY, None)]
    assert play(rule("absent"), block([good()] * 5), after).firings == ()


@pytest.mark.parametrize(
    "every", [pytest.param(60_000, id="less"), pytest.param(20_000, id="more")]
)
def test_history_of_another_pace_is_played_at_that_pace(every: int) -> None:
    rows = [good(0.4)] * 30 + [good()] * 30
    told = play(rule("latency_p95 > 200ms for 2m"), block(rows, every=every))
    assert told.every == every
    [firing] = told.firings
    assert firing.at == NOW + 2 * MINUTE
    assert firing.until is not None
    assert firing.until - (NOW + 30 * every) == 60_000 // every * every


def test_a_pace_that_changes_within_a_block_is_noticed() -> None:
    slow, fast = block([good()] * 200, every=MINUTE), block([good()] * 200, NOW + 200 * MINUTE)
    both = Block(COLUMNS, slow.times + fast.times, np.vstack([slow.values, fast.values]))
    told = play(rule("latency_p95 > 200ms"), both)
    assert (told.uncollected, told.samples) == (0, 400)


def test_an_older_layout_without_the_signal_is_unknown() -> None:
    bare = Block(("outcome", "ready"), [NOW, NOW + EVERY], np.array([[OK, 1.0], [OK, 1.0]]))
    told = play(rule("latency_p95 > 200ms"), bare, block([good(0.4)] * 2, NOW + 2 * EVERY))
    assert (told.unknown, len(told.firings)) == (2, 1)


def test_no_history_is_not_a_quiet_history() -> None:
    assert play(rule("down")) == Replay("fraud")
