"""The meter."""

from watchdeck.console.terminal.traffic import RATE_PERIOD, Traffic, TrafficMeter


def test_it_counts_what_went_and_what_did_not() -> None:
    meter = TrafficMeter()
    meter.count_frame()
    meter.count_sent(100, 1.0)
    meter.count_skipped()
    meter.count_dropped(7)
    meter.record_lag(0.25)
    expected = Traffic(sent=100, frames=1, skipped=1, rate=10.0, lag=0.25, held=True, dropped=7)
    assert meter.read(2.0, held=True) == expected


def test_a_rate_is_of_the_last_seconds_and_falls_to_nothing() -> None:
    meter = TrafficMeter()
    for second in range(20):
        meter.count_sent(50, float(second))
    assert meter.read(19.0, held=False).rate == 50.0
    assert meter.read(19.0 + RATE_PERIOD, held=False).rate == 0.0
    assert meter.read(19.0 + RATE_PERIOD, held=False).sent == 1_000
