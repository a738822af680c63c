"""The sentence of a rule reads as it says, prints back the same, and tells where it is wrong."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.metrics.signal import AWAITED, SIGNALS
from watchdeck.domain.rules.condition import (
    LONGEST,
    Condition,
    ConditionError,
    format_condition,
    read_condition,
)
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
from watchdeck.domain.values.units import Unit

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SLOWNESS = Threshold("latency_p95", True, Limit(0.2))
SPENT = Unsupported("spend", ("spend_rate",), "spend_rate > 5 USD/h")


@pytest.mark.parametrize(
    ("text", "test", "hold"),
    [
        pytest.param("latency_p95 > 200ms for 5m", SLOWNESS, 5 * MINUTE, id="the newest sample"),
        pytest.param("p95>200 ms", SLOWNESS, 0, id="as a filter would say it"),
        pytest.param(
            "avg(latency_p95) > 200ms over 10m for 5m",
            Threshold("latency_p95", True, Limit(0.2), None, Aggregate.MEAN, 10 * MINUTE),
            5 * MINUTE,
            id="the mean of a window",
        ),
        pytest.param(
            "error_ratio > 5% over 5m",
            Threshold("error_ratio", True, Limit(0.05), None, Aggregate.MEAN, 5 * MINUTE),
            0,
            id="a window means its mean",
        ),
        pytest.param(
            "min(queue_depth) > 20 for 1m over 5m",
            Threshold("queue_depth", True, Limit(20), None, Aggregate.LEAST, 5 * MINUTE),
            MINUTE,
            id="in any order",
        ),
        pytest.param(
            "latency_p95 > 2x slo",
            Threshold("latency_p95", True, Limit(promises=2)),
            0,
            id="so many times the promise",
        ),
        pytest.param(
            "availability < slo",
            Threshold("availability", False, Limit(promises=1)),
            0,
            id="less than was promised",
        ),
        pytest.param(
            "saturation > 90% until < 80%",
            Threshold("saturation", True, Limit(0.9), Limit(0.8)),
            0,
            id="until well below",
        ),
        pytest.param(
            "tls_days_left < 2w", Threshold("tls_days_left", False, Limit(14)), 0, id="weeks"
        ),
        pytest.param(
            "request_rate < 30/m", Threshold("request_rate", False, Limit(0.5)), 0, id="a minute"
        ),
        pytest.param("burn(availability) fast", Burn("availability", FAST), 0, id="burns fast"),
        pytest.param("burn(error_ratio) slow", Burn("error_ratio", SLOW), 0, id="burns slowly"),
        pytest.param(
            "burn(error_ratio) > 14.4 over 1h and 5m",
            Burn("error_ratio", (BurnRateWindows(HOUR, 5 * MINUTE, 14.4),)),
            0,
            id="burns over two windows",
        ),
        pytest.param("absent", Absent(), 0, id="absent for three intervals"),
        pytest.param("absent for 2m", Absent(2 * MINUTE), 0, id="absent for a time"),
        pytest.param("down", FailedScrapes(), 0, id="down"),
        pytest.param(
            "down after 3 for 1m", FailedScrapes(3), MINUTE, id="down after more failures"
        ),
        pytest.param("anomaly(request_rate)", Anomaly("request_rate"), 0, id="unusual"),
        pytest.param("anomaly(p95) above", Anomaly("latency_p95", True), 0, id="unusually much"),
        pytest.param(
            "anomaly(request_rate) below seasonal",
            Anomaly("request_rate", False, seasonal=True),
            0,
            id="unusually little for the hour",
        ),
        pytest.param(
            "anomaly(p95) below beyond 8 and 5",
            Anomaly("latency_p95", False, 8, 5),
            0,
            id="unusual by other measures",
        ),
        pytest.param(
            "request_rate < 50% of last week",
            WeekBefore("request_rate", False, 0.5, HOUR),
            0,
            id="half of the week before",
        ),
        pytest.param(
            "latency_p95 > 2x last week over 3h for 10m",
            WeekBefore("latency_p95", True, 2, 3 * HOUR),
            10 * MINUTE,
            id="twice the week before",
        ),
        pytest.param("spend_rate > 5 USD/h for 1h", SPENT, HOUR, id="waits for money"),
        pytest.param(
            "avg( drift_share ) > 20 % for 1h over 1d",
            Unsupported("drift", ("drift_share",), "avg(drift_share) > 20% over 1d"),
            HOUR,
            id="waits for drift",
        ),
    ],
)
def test_a_sentence_reads_as_it_says_and_prints_back(text: str, test: Test, hold: int) -> None:
    assert read_condition(text) == Condition(test, hold)
    assert read_condition(format_condition(test, hold)) == Condition(test, hold)


@pytest.mark.parametrize(
    ("text", "position", "said", "hint"),
    [
        pytest.param(" ", 0, "is empty", "latency_p95 > 200ms", id="nothing"),
        pytest.param("x" * 301, LONGEST, "longer than 300", "", id="a novel"),
        pytest.param("latency_p59 > 1s", 0, "is no signal", "mean 'latency_p", id="a slip"),
        pytest.param(
            "wibble > 1s", 0, "'wibble' is no signal", "Such as latency_p95", id="unknown"
        ),
        pytest.param("latency_p95", 11, "'>' or '<' is missing", "", id="half a sentence"),
        pytest.param("latency_p95 > ", 14, "the end is no value", "with its unit", id="no value"),
        pytest.param("latency_p95 >= 1s", 12, "before '>='", "mean '>'", id="or equal"),
        pytest.param("latency_p95 > 5%", 14, "is a time, and 5% is none", "200ms", id="a share?"),
        pytest.param("latency_p95 > 200", 14, "has no unit", "ms, s, m", id="no unit"),
        pytest.param("error_ratio > 5ms", 14, "is a share", "Write it as 5%.", id="a time?"),
        pytest.param("error_ratio > 105%", 14, "more than the whole", "99.9%", id="too much"),
        pytest.param("request_rate > 5m", 15, "is a rate", "Write it as 5/s.", id="minutes?"),
        pytest.param("memory_bytes > 5", 15, "has no unit", "GiB", id="five of what?"),
        pytest.param("queue_depth > 20/s", 14, "is a number", "Write it as 20.", id="a rate?"),
        pytest.param("tls_days_left < 14h", 16, "is days", "Write it as 14d.", id="hours?"),
        pytest.param("queue_depth > 9999999999999", 14, "too much", "20", id="beyond a float"),
        pytest.param("p99 > slo", 6, "promises nothing of latency_p99", "error_ratio", id="no SLO"),
        pytest.param("availability > slo", 15, "is kept", "availability < slo", id="turned round"),
        pytest.param("p95 > 2s until < 3s", 17, "still true", "Exchange", id="never over"),
        pytest.param("p95 > slo until < 1s", 18, "depends on the SLO", "", id="two measures"),
        pytest.param("p95 > 1s fro 5m", 9, "'fro' is too much", "mean 'for'", id="a typing slip"),
        pytest.param("p95 > 1s for 5", 13, "has no unit", "ms, s, m", id="five of what time?"),
        pytest.param("p95 > 1s for 0s", 13, "not between 1s and 31d", "", id="no time"),
        pytest.param("p95 > 1s for 5m for 6m", 20, "'for' stands here twice", "", id="twice"),
        pytest.param("avg(p95) > 1s", 11, "avg of how long?", "over 5m", id="a mean of nothing"),
        pytest.param(
            "last(p95) > 1s over 5m", 12, "not of a window", "Leave", id="the last of all"
        ),
        pytest.param("avrg(p95) > 1s", 0, "is not a function", "'avg'", id="no aggregate"),
        pytest.param(
            "burn(p95) fast", 5, "no budget to burn", "burn(availability)", id="no budget"
        ),
        pytest.param("burn(availability) quick", 19, "how fast", "fast, slow", id="how fast?"),
        pytest.param(
            "burn(availability) > 6 over 5m and 1h", 35, "not shorter", "1h and 5m", id="windows"
        ),
        pytest.param(
            "burn(availability)" + " or".join([" > 6 over 1h and 5m"] * 5),
            125,
            "at most 4",
            "",
            id="a heap of windows",
        ),
        pytest.param("anomaly(up)", 8, "yes or no", "Write down.", id="not a measure"),
        pytest.param("anomaly(p95) beyond 4 and 7", 26, "between 1 and 4", "", id="high and low"),
        pytest.param("down after 2.5", 11, "no whole number", "", id="half a failure"),
        pytest.param("down after 5m", 11, "is not a number", "", id="a time of failures"),
        pytest.param("p95 > 50% of last week", 6, "like the last", "150%", id="always true"),
        pytest.param("max(p95) > 2x last week", 11, "by their mean", "max", id="two aggregates"),
        pytest.param("spend_rate > 5furl", 13, "is no value", "5 USD/h", id="no currency"),
        pytest.param("p95 > \x1b[31m", 6, "'^[' has no place", "", id="what a terminal obeys"),
        pytest.param("drift_share > 5ms", 14, "is a share", "5%", id="a unit of what is awaited"),
    ],
)
def test_a_wrong_sentence_is_told_where_why_and_what_would_work(
    text: str, position: int, said: str, hint: str
) -> None:
    with pytest.raises(ConditionError) as refused:
        read_condition(text)
    assert refused.value.position == position
    assert said in refused.value.text
    assert hint in refused.value.hint
    assert str(refused.value).startswith(refused.value.text)


def times(least: int = 1, most: int = 31 * 86_400) -> st.SearchStrategy[int]:
    return st.integers(least, most).map(lambda seconds: seconds * 1_000)


holds = st.one_of(st.just(0), times())
shares = st.one_of(st.just(0.0), st.floats(1e-9, 1))
VALUES: dict[Unit, st.SearchStrategy[float]] = {
    Unit.RATIO: shares,
    Unit.SECONDS: st.integers(0, 10**12).map(lambda ms: ms / 1_000),
    Unit.BYTES: st.integers(0, 10**15).map(float),
    Unit.DAYS: st.integers(0, 10_000).map(float),
    Unit.PER_SECOND: st.floats(1e-9, 1e12),
    Unit.COUNT: st.floats(1e-9, 1e12),
    Unit.STATE: st.sampled_from([0.0, 1.0]),
    Unit.CELSIUS: st.integers(0, 200).map(float),
}
promises = st.floats(0.01, 1_000)
PROMISED = {"availability": False, "latency_p95": True, "error_ratio": True}


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    name = draw(st.sampled_from([*SIGNALS]))
    above = draw(st.booleans())
    window = draw(holds)
    over = [one for one in Aggregate if one is not Aggregate.LAST]
    aggregate = draw(st.sampled_from(over)) if window else Aggregate.LAST
    if PROMISED.get(name) is above and draw(st.booleans()):
        some = sorted(draw(st.lists(promises, min_size=1, max_size=2)))
        limits = [Limit(promises=one) for one in reversed(some)]
    else:
        values = st.lists(VALUES[SIGNALS[name].unit], min_size=1, max_size=2)
        limits = [Limit(one) for one in sorted(draw(values), reverse=above)]
    clear = limits[1] if len(limits) > 1 else None
    return Threshold(name, above, limits[0], clear, aggregate, window)


@st.composite
def pairs(draw: st.DrawFn) -> BurnRateWindows:
    short, long = sorted(draw(st.lists(times(), min_size=2, max_size=2, unique=True)))
    return BurnRateWindows(long, short, draw(st.floats(0.01, 100_000)))


@st.composite
def others(draw: st.DrawFn) -> Test:
    name = draw(st.sampled_from([n for n, one in SIGNALS.items() if one.unit is not Unit.STATE]))
    above = draw(st.booleans())
    low, high = sorted(draw(st.lists(st.floats(1, 100), min_size=2, max_size=2)))
    ratio = draw(st.floats(1.01, 10_000) if above else st.floats(0.01, 0.99))
    some = tuple(draw(st.lists(pairs(), min_size=1, max_size=4)))
    burn = Burn(draw(st.sampled_from(["availability", "error_ratio"])), some)
    tests: list[Test] = [
        burn,
        FailedScrapes(draw(st.integers(1, 100))),
        Anomaly(name, draw(st.sampled_from([None, True, False])), high, low, draw(st.booleans())),
        WeekBefore(name, above, ratio, draw(times())),
    ]
    return draw(st.sampled_from(tests))


@given(st.one_of(thresholds(), others()), holds)
def test_every_test_prints_as_a_sentence_that_reads_as_it(test: Test, hold: int) -> None:
    assert read_condition(format_condition(test, hold)) == Condition(test, hold)


WORDS = [
    *SIGNALS, *AWAITED, *Aggregate, "p95", "slo", "x", "2x", "5%", "200ms", "1h", "5m", "14.4", "(",
    ")", ">", "<", ">=", "over", "until", "for", "and", "or", "of", "last", "week", "burn", "fast",
    "anomaly", "above", "beyond", "absent", "down", "after", "USD/h", "5/s", "20", "%", "1e9", "-1",
]  # fmt: skip


def heaps(text: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return st.lists(text, max_size=14).map(" ".join)


@given(st.one_of(st.text(max_size=320), heaps(st.sampled_from(WORDS)), heaps(st.text(max_size=9))))
def test_no_text_raises_anything_but_a_when_error_and_what_reads_prints_back(text: str) -> None:
    with suppress(ConditionError):
        when = read_condition(text)
        assert read_condition(format_condition(when.test, when.hold)) == when


@given(heaps(st.sampled_from(WORDS)))
def test_an_error_is_at_a_character_and_is_safe_to_show(text: str) -> None:
    said = next(refusals(text), None)
    assert said is None or (0 <= said.position <= len(text) and str(said).isprintable())


def refusals(text: str) -> Iterator[ConditionError]:
    try:
        read_condition(text)
    except ConditionError as error:
        yield error
