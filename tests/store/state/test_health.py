"""Health now and then."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.stores import state
from watchdeck.domain.board.board import Health, HealthChange
from watchdeck.store.files.connection import Connection, transaction
from watchdeck.store.state.health import read_health, read_health_history, record_health


def change(at: int, health: Health = Health.OK, endpoint: str = "fraud") -> HealthChange:
    return HealthChange(endpoint, at, health, "cause", f"why at {at}")


def record(db: Connection, *changes: HealthChange) -> None:
    with transaction(db):
        record_health(db, changes)


def test_a_model_that_was_never_judged_has_no_health(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert read_health(db) == {}
        assert read_health(db, 5) == {}
        assert read_health_history(db, "fraud", 0, 5) == ()


def test_the_health_of_a_moment_is_the_newest_change_until_then(tmp_path: Path) -> None:
    ok, down, other = change(10), change(20, Health.DOWN), change(15, endpoint="churn")
    with state(tmp_path) as db:
        record(db, ok, down, other)
        assert read_health(db) == {"churn": other, "fraud": down}
        assert read_health(db, 9) == {}
        assert read_health(db, 10) == {"fraud": ok}
        assert read_health(db, 19) == {"churn": other, "fraud": ok}
        assert read_health(db, 20) == {"churn": other, "fraud": down}


def test_what_is_stored_last_is_so_whatever_its_time_says(tmp_path: Path) -> None:
    """The clock was set back: a state must not hide behind an earlier one until it caught up."""
    first, last = change(20), change(10, Health.DOWN)
    with state(tmp_path) as db:
        record(db, first)
        record(db, last)
        assert read_health(db) == {"fraud": last}
        assert read_health_history(db, "fraud", 0, 30) == (last, first)


def test_a_change_that_is_recorded_again_replaces_itself(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        record(db, change(10, Health.WARNING))
        record(db, change(10, Health.CRITICAL))
        assert read_health_history(db, "fraud", 0, 30) == (change(10, Health.CRITICAL),)
        assert read_health(db) == {"fraud": change(10, Health.CRITICAL)}


@pytest.mark.parametrize(
    ("start", "end", "times"),
    [
        pytest.param(15, 25, [10, 20], id="led by the one in force at the start"),
        pytest.param(20, 30, [20], id="the end is not in it"),
        pytest.param(5, 11, [10], id="nothing was in force at the start"),
        pytest.param(40, 50, [30], id="only the one in force"),
        pytest.param(0, 10, [], id="before everything"),
    ],
)
def test_a_history_covers_its_window(
    tmp_path: Path, start: int, end: int, times: list[int]
) -> None:
    with state(tmp_path) as db:
        record(db, change(10), change(20), change(30), change(12, endpoint="churn"))
        assert [one.at for one in read_health_history(db, "fraud", start, end)] == times


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(list(Health))), max_size=12))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_moment_shows_what_a_plain_list_would(
    tmp_path: Path, told: list[tuple[int, Health]]
) -> None:
    kept: dict[int, Health] = {}
    with state(tmp_path / str(len(list(tmp_path.iterdir())))) as db:
        for at, health in told:
            record(db, change(at, health))
            kept[at] = health
        for moment in range(-1, 22):
            known = [at for at in kept if at <= moment]
            found = read_health(db, moment).get("fraud")
            assert (found and found.health) == (kept[max(known)] if known else None)
        newest = told[-1][1] if told else None
        found = read_health(db).get("fraud")
        assert (found and found.health) == newest
