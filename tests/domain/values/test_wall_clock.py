from watchdeck.domain.values.wall_clock import STABLE_AFTER, TrustedClock, shift_earlier_time

NOON = 1_795_410_000_000
HOUR, DAY = 3_600_000, 86_400_000


def test_a_jump_moves_what_was_made_before_it_and_not_what_a_right_clock_made() -> None:
    assert shift_earlier_time(NOON - HOUR, -HOUR, NOON - HOUR) == NOON - 2 * HOUR
    assert shift_earlier_time(NOON, HOUR, NOON + HOUR) == NOON + HOUR
    assert shift_earlier_time(NOON, NOON, NOON + HOUR) == NOON


def test_a_clock_that_goes_on_evenly_is_trusted() -> None:
    clock = TrustedClock(NOON, 0)
    assert [clock.now(NOON + step * HOUR, step * HOUR) for step in (0, 1, 30)] == [
        NOON,
        NOON + HOUR,
        NOON + 30 * HOUR,
    ]


def test_a_clock_that_jumped_ahead_is_not_trusted_until_it_was_stable_for_a_day() -> None:
    clock = TrustedClock(NOON, 0)
    clock.now(NOON, 0)
    ahead = 400 * DAY
    assert clock.now(NOON + ahead + HOUR, HOUR) == NOON + HOUR
    assert clock.now(NOON + ahead + 2 * HOUR, 2 * HOUR) == NOON + 2 * HOUR
    steady = HOUR + STABLE_AFTER
    assert clock.now(NOON + ahead + steady, steady) == NOON + ahead + steady


def test_a_clock_that_was_ahead_for_a_while_deletes_nothing() -> None:
    clock = TrustedClock(NOON, 0)
    clock.now(NOON, 0)
    assert clock.now(NOON + 400 * DAY, HOUR) == NOON + HOUR
    assert clock.now(NOON + 2 * HOUR, 2 * HOUR) == NOON + 2 * HOUR


def test_a_start_long_after_the_last_stored_time_waits_for_a_day() -> None:
    clock = TrustedClock(NOON, 0)
    assert clock.now(NOON + 40 * DAY, 0) == NOON
    assert clock.now(NOON + 40 * DAY + HOUR, HOUR) == NOON + HOUR
    assert clock.now(NOON + 41 * DAY, DAY) == NOON + 41 * DAY


def test_a_clock_that_was_set_back_is_believed_for_it_deletes_less() -> None:
    clock = TrustedClock(NOON, 0)
    clock.now(NOON, 0)
    assert clock.now(NOON - 40 * DAY, HOUR) == NOON - 40 * DAY
