import itertools

from hypothesis import given
from hypothesis import strategies as st

from domain.notifications.made import NOW, hook, message, raised
from watchdeck.domain.notifications.grouping import (
    GROUP_WINDOW,
    GroupWindows,
    assign_group,
    group_windows,
)
from watchdeck.domain.notifications.outbox import OutboxEntry
from watchdeck.domain.notifications.routing import AlertContext, Routing, route
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.receivers import Route

ROUTING = Routing(channels=(hook("phone"),), routes=(Route(to=("phone",)),))
HIGH, CRITICAL, LOW = Severity.HIGH, Severity.CRITICAL, Severity.LOW


def placed(*arrivals: tuple[int, Severity]) -> list[tuple[str, int]]:
    """The part of a fold, and how long after now it is sent, of messages in their order."""
    windows: GroupWindows = {}
    found = []
    for at, severity in arrivals:
        where = assign_group("g", severity, windows, NOW + at)
        windows |= group_windows([where.name])
        found.append((where.name, where.not_before - NOW))
    return found


def test_the_first_page_goes_at_once_and_the_next_of_its_window_wait_together() -> None:
    first, second, third = placed((0, HIGH), (100, HIGH), (29_999, HIGH))
    assert first[1] == 0
    assert second == third
    assert second[1] == GROUP_WINDOW
    assert second[0] != first[0]


def test_a_page_after_the_window_goes_at_once() -> None:
    first, second = placed((0, HIGH), (GROUP_WINDOW, HIGH))
    assert (first[1], second[1]) == (0, GROUP_WINDOW)
    assert first[0] != second[0]


def test_the_worst_waits_for_nobody() -> None:
    at = [when for _, when in placed((0, HIGH), (5_000, CRITICAL), (6_000, CRITICAL))]
    assert at == [0, 5_000, GROUP_WINDOW]


def test_a_notice_waits_for_company_and_holds_up_no_page() -> None:
    at = [when for _, when in placed((0, LOW), (5_000, HIGH), (6_000, LOW))]
    assert at == [GROUP_WINDOW, 5_000, GROUP_WINDOW]


def test_a_clock_that_was_set_back_opens_a_window_of_its_own() -> None:
    [_, back] = placed((0, HIGH), (-60_000, HIGH))
    assert back[1] == -60_000


def test_fifty_models_under_four_rules_are_three_messages_at_most() -> None:
    windows: GroupWindows = {}
    rows: list[OutboxEntry] = []
    pairs = itertools.product(
        range(50), zip(("down", "slow", "full", "late"), Severity, strict=True)
    )
    for number, (model, (rule, severity)) in enumerate(pairs):
        alert = raised(number, f"m{model}", rule, severity)
        rows += route(message(alert), AlertContext(alert), ROUTING, NOW + number * 100, windows)
    told = [row for row in rows if row.channel == "phone"]
    assert len(told) == 200
    assert len({row.group for row in told}) <= 3


@given(
    st.lists(
        st.tuples(st.integers(0, 29_999), st.sampled_from(Severity)), min_size=1, max_size=60
    ).map(sorted)
)
def test_a_window_is_three_messages_at_most_and_a_page_is_always_early(
    arrivals: list[tuple[int, Severity]],
) -> None:
    found = placed(*arrivals)
    assert len({fold for fold, _ in found}) <= 3
    pages = [index for index, (_, severity) in enumerate(arrivals) if severity.is_paging]
    if pages:
        assert found[pages[0]][1] == arrivals[pages[0]][0]
    assert all(
        when <= at + GROUP_WINDOW for (at, _), (_, when) in zip(arrivals, found, strict=True)
    )


def test_the_names_of_folds_alone_tell_the_windows_after_a_restart() -> None:
    fold = assign_group("g", HIGH, {}, NOW).name
    again = assign_group("g", HIGH, group_windows([fold, f"{fold}#7", "", "else"]), NOW + 1_000)
    assert again.not_before == NOW + GROUP_WINDOW
