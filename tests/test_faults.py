import asyncio
import logging

import pytest

from log_lines import lines_of
from watchdeck.faults import FaultCounter


def test_a_turn_that_fails_is_counted_and_named_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = FaultCounter("the heartbeat")
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            with faults.catch():
                raise KeyError("s3cret")
    assert faults.count == 2
    assert faults.problem.startswith("the heartbeat failed with KeyError at test_faults.py:")
    assert faults.problem.endswith("(2 so far)")
    first, second = lines_of(caplog)
    assert first.startswith('<3>unexpected exception loop="the heartbeat" fault="KeyError at test_')
    assert second.endswith(" count=2")
    assert "s3cret" not in first + second + caplog.text


def test_a_turn_that_ends_well_clears_the_problem_and_not_the_count() -> None:
    faults = FaultCounter("the heartbeat")
    with faults.catch():
        raise KeyError
    with faults.catch():
        pass
    assert (faults.problem, faults.count) == ("", 1)


def test_a_cancellation_is_no_fault() -> None:
    faults = FaultCounter("the heartbeat")
    with pytest.raises(asyncio.CancelledError), faults.catch():
        raise asyncio.CancelledError
    assert faults.count == 0


def test_a_fault_of_one_part_is_not_called_over_by_the_turn_of_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = FaultCounter("the delivery")
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            with faults.catch():
                faults.record(KeyError("s3cret"))
    first, second = lines_of(caplog)
    assert first == '<3>unexpected exception loop="the delivery" fault=KeyError'
    assert second.endswith(" count=2")


def test_a_loop_that_fails_three_times_in_a_row_fails_lastingly() -> None:
    faults = FaultCounter("the poll")
    lasting = []
    for turn in ("fault", "fault", "well", "fault", "fault", "fault", "well"):
        with faults.catch():
            if turn == "fault":
                raise KeyError
        lasting.append(bool(faults.lasting))
    assert lasting == [False] * 5 + [True, False]
    assert faults.lasting == ""
