import math

from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.signals.probe_window import ProbeWindow


def test_availability_needs_ten_probes_and_forgets_after_an_hour() -> None:
    window = ProbeWindow()
    for minute in range(9):
        window.add(minute * 60_000, good=True)
    assert math.isnan(window.availability(9 * 60_000))
    window.add(9 * 60_000, good=False)
    assert window.availability(9 * 60_000) == 0.9
    window.preload([10 * 60_000], [False])
    assert window.availability(10 * 60_000) == 9 / 11
    assert window.availability(60 * 60_000) == 8 / 10
    assert math.isnan(window.availability(61 * 60_000))


@given(st.lists(st.tuples(st.integers(-5_000, 60_000), st.booleans()), min_size=1, max_size=200))
def test_availability_is_the_plain_ratio_of_the_hour(steps: list[tuple[int, bool]]) -> None:
    window, at, kept = ProbeWindow(), 10_000_000, list[tuple[int, bool]]()
    for step, good in steps:
        at += step
        window.add(at, good=good)
        kept = [(then, well) for then, well in kept if then <= at] + [(at, good)]
    kept = [(then, well) for then, well in kept if then > at - 3_600_000]
    found = window.availability(at)
    if len(kept) < 10:
        assert math.isnan(found)
    else:
        assert found == sum(well for _, well in kept) / len(kept)


def test_an_hour_of_fast_probes_stays_small() -> None:
    window = ProbeWindow()
    for at in range(0, 20 * 3_600_000, 5_000):
        window.add(at, good=True)
    assert len(window._marks) < 3_000
    assert window.availability(20 * 3_600_000) == 1.0
