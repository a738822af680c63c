"""Signals that disappear from a page, and signals that are only not there yet."""

from __future__ import annotations

from array import array

import pytest

from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.series import Layout, Series
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.expected_signals import ExpectedSignals
from watchdeck.domain.signals.plan_builder import build_plan

KIND = Kind(
    "k",
    "K",
    signals=(
        SignalSpec("request_rate", rate=("requests",)),
        SignalSpec("queue_depth", gauge=("queue",)),
        SignalSpec("in_flight", gauge=("running",)),
    ),
)
DAY = 86_400_000


def add(expected: ExpectedSignals, *names: str, at: int = 0, all_named: bool = False) -> int | None:
    layout = Layout(tuple(Series(name) for name in names))
    plan = build_plan(KIND, Endpoint("e", "http://e"), layout)
    assert len(plan.layout) == len(array("d", [0.0] * len(names)))
    return expected.add_page(plan, at, names_all_series=all_named)


def test_nothing_is_missing_on_the_pages_that_an_endpoint_has_always_had() -> None:
    expected = ExpectedSignals()
    assert [add(expected, "requests", "queue") for _ in range(3)] == [0, 0, 0]
    assert expected.names == ("queue_depth", "request_rate")


def test_a_page_that_names_all_its_series_lacks_what_it_had_at_once() -> None:
    expected = ExpectedSignals()
    add(expected, "requests", "queue", "running", all_named=True)
    assert add(expected, "other", all_named=True) == 3
    assert list(expected.missing) == ["in_flight", "queue_depth", "request_rate"]
    assert add(expected, "requests", "queue", "running", all_named=True) == 0
    assert list(expected.missing) == []


def test_a_server_that_names_a_series_at_its_first_event_is_idle_after_a_restart() -> None:
    expected = ExpectedSignals()
    add(expected, "requests", "queue")
    assert add(expected, "queue") is None, "the first request has not come yet"
    assert add(expected, "requests", "queue") == 0


@pytest.mark.parametrize("renamed", [("new_requests", "queue"), ("new_requests", "new_queue")])
def test_new_names_in_place_of_known_ones_are_a_rename(renamed: tuple[str, ...]) -> None:
    expected = ExpectedSignals()
    add(expected, "requests", "queue")
    count = sum(name.startswith("new") for name in renamed)
    assert add(expected, *renamed) == count
    assert add(expected, *renamed) == count, "it stays one"
    assert add(expected, "requests", "queue") == 0


def test_what_an_earlier_collector_expected_is_expected() -> None:
    expected = ExpectedSignals(("queue_depth", "request_rate"))
    assert add(expected, "requests", all_named=True) == 1


def test_what_is_missing_for_a_day_is_not_expected_any_more() -> None:
    expected = ExpectedSignals()
    add(expected, "requests", "queue", all_named=True)
    assert add(expected, "queue", at=1, all_named=True) == 1
    assert add(expected, "queue", at=DAY, all_named=True) == 1
    assert add(expected, "queue", at=DAY + 1, all_named=True) == 0
    assert expected.names == ("queue_depth",)
