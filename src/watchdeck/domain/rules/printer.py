"""The sentence of a test: what `read_when` reads as just this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.limits import decimal, write_limit
from watchdeck.domain.rules.rule import (
    FAST,
    SLOW,
    Absent,
    Aggregate,
    Anomaly,
    Burn,
    BurnRateWindows,
    FailedScrapes,
    Limit,
    Test,
    Threshold,
    Unsupported,
    WeekBefore,
)
from watchdeck.domain.values.units import Milliseconds, Ratio


def format_condition(test: Test, hold: int = 0) -> str:
    """The sentence that reads as this test, held for so long (ms)."""
    return f"{_WRITERS[type(test)](test)}{_clause('for', hold)}"


def _clause(word: str, time: int) -> str:
    return f" {word} {Milliseconds(time)}" if time else ""


def _write_threshold(test: Threshold) -> str:
    usual = test.aggregate in (Aggregate.LAST, Aggregate.MEAN)
    subject = test.signal if usual else f"{test.aggregate}({test.signal})"
    over, under = (">", "<") if test.above else ("<", ">")
    clear = "" if test.clear is None else f" until {under} {_write_limit(test, test.clear)}"
    limit = _write_limit(test, test.limit)
    return f"{subject} {over} {limit}{_clause('over', test.window)}{clear}"


def _write_limit(test: Threshold, limit: Limit) -> str:
    if limit.promises is None:
        return write_limit(SIGNALS[test.signal].unit, limit.value)
    return "slo" if limit.promises == 1 else f"{decimal(limit.promises)}x slo"


def _write_burn(test: Burn) -> str:
    speed = {FAST: "fast", SLOW: "slow"}.get(test.pairs)
    return f"burn({test.signal}) {speed or ' or '.join(map(_write_pair, test.pairs))}"


def _write_pair(pair: BurnRateWindows) -> str:
    long, short = Milliseconds(pair.long), Milliseconds(pair.short)
    return f"> {decimal(pair.factor)} over {long} and {short}"


def _write_anomaly(test: Anomaly) -> str:
    side = {None: "", True: " above", False: " below"}[test.above]
    season = " seasonal" if test.seasonal else ""
    usual = Anomaly(test.signal, test.above, seasonal=test.seasonal)
    beyond = f" beyond {decimal(test.high)} and {decimal(test.low)}" if test != usual else ""
    return f"anomaly({test.signal}){side}{season}{beyond}"


def _write_week_before(test: WeekBefore) -> str:
    sign = ">" if test.above else "<"
    return f"{test.signal} {sign} {Ratio(test.ratio)} of last week{_clause('over', test.window)}"


_WRITERS: dict[type[Any], Callable[[Any], str]] = {
    Threshold: _write_threshold,
    Burn: _write_burn,
    Absent: lambda test: f"absent{_clause('for', test.after)}",
    FailedScrapes: lambda test: (
        "down" if test == FailedScrapes() else f"down after {test.failures}"
    ),
    Anomaly: _write_anomaly,
    WeekBefore: _write_week_before,
    Unsupported: lambda test: test.text,
}
