import pytest
from msgspec.structs import replace

from domain.alerts.lives import START, ack, firing, short
from watchdeck.domain.alerts.acknowledgement import (
    DEFAULT_DURATIONS,
    MAX_DURATION,
    REMINDER_LEAD,
    Refusal,
    TakeOver,
    acknowledge,
    expired_acknowledgement,
    is_reminder_due,
    is_restored,
    renewed_acknowledgement,
    resolve,
    take_over,
    unacknowledge,
)
from watchdeck.domain.alerts.alert import AckEnd, Acknowledgement, AlertState, EndReason, Episode
from watchdeck.domain.rules.rule import Severity

MINUTE = 60_000
OVER = firing(condition=AlertState.OK, ended_at=START)
PENDING = firing(condition=AlertState.PENDING)


@pytest.mark.parametrize(
    ("severity", "minutes"),
    [
        pytest.param(Severity.CRITICAL, 30, id="severity 1 for half an hour"),
        pytest.param(Severity.HIGH, 120, id="severity 2 for two hours"),
        pytest.param(Severity.MEDIUM, 480, id="severity 3 for eight hours"),
        pytest.param(Severity.LOW, 1_440, id="severity 4 for a day"),
    ],
)
def test_an_acknowledgement_always_has_an_end(severity: Severity, minutes: int) -> None:
    taken = acknowledge(firing(severity), None, "elena", START)
    assert taken == Acknowledgement(0, 1, "elena", START, START + minutes * MINUTE, severity)
    assert DEFAULT_DURATIONS[severity] == minutes * MINUTE


def test_somebody_may_say_for_how_long_and_why() -> None:
    taken = acknowledge(firing(), None, "elena", START, expires_at=START + 5, note="on it")
    assert isinstance(taken, Acknowledgement)
    assert (taken.expires_at, taken.note) == (START + 5, "on it")


@pytest.mark.parametrize(
    ("episode", "live", "expires_at", "why"),
    [
        pytest.param(firing(), ack(), None, "elena took it 0.4s ago", id="another was first"),
        pytest.param(
            firing(), ack("max"), None, "you have it already, for 1h 59m more", id="it is theirs"
        ),
        pytest.param(OVER, None, None, "it is over", id="it is over"),
        pytest.param(PENDING, None, None, "it does not fire yet", id="it does not fire yet"),
        pytest.param(
            firing(), None, START, "an acknowledgement must end later than it begins",
            id="it would be over at once",
        ),
        pytest.param(
            firing(), None, START + MAX_DURATION + 401, "an acknowledgement lasts 7d at most",
            id="it would last too long",
        ),
    ],
)  # fmt: skip
def test_an_acknowledgement_is_refused_and_says_why(
    episode: Episode, live: Acknowledgement | None, expires_at: int | None, why: str
) -> None:
    refused = acknowledge(episode, live, "max", START + 400, expires_at=expires_at)
    assert refused == Refusal(why)


def test_who_comes_long_after_is_told_so_in_minutes() -> None:
    assert acknowledge(firing(), ack(), "max", START + 200_000) == Refusal(
        "elena took it 3m 20s ago"
    )


def test_taking_over_ends_the_one_and_begins_the_other() -> None:
    handed = take_over(firing(), ack(), "max", START + 9, "elena is asleep")
    assert isinstance(handed, TakeOver)
    assert (handed.ended.ended_at, handed.ended.end_reason) == (START + 9, AckEnd.TAKEN_OVER)
    assert (handed.begun.by, handed.begun.at, handed.begun.note) == (
        "max",
        START + 9,
        "elena is asleep",
    )


@pytest.mark.parametrize(
    ("episode", "live", "why"),
    [
        pytest.param(firing(), None, "nobody has it; acknowledge it", id="from nobody"),
        pytest.param(firing(), ack("max"), "you have it already, for 2h more", id="from oneself"),
        pytest.param(OVER, ack(), "it is over", id="when it is over"),
    ],
)
def test_nobody_takes_over(episode: Episode, live: Acknowledgement | None, why: str) -> None:
    assert take_over(episode, live, "max", START) == Refusal(why)


def test_what_is_given_back_is_nobodys() -> None:
    given = unacknowledge(ack(), START + 5)
    assert isinstance(given, Acknowledgement)
    assert (given.ended_at, given.end_reason) == (START + 5, AckEnd.UNACKED)
    assert unacknowledge(None, START) == Refusal("nobody has it")


def test_a_resolve_by_hand_needs_a_note() -> None:
    moved = resolve(firing(), "elena", " disk replaced ", START + 5)
    assert not isinstance(moved, Refusal)
    episode, (step,) = moved
    assert (episode.end_reason, episode.ended_at) == (EndReason.MANUAL, START + 5)
    assert (short(step), step.why) == ("resolved", "elena: disk replaced")
    assert isinstance(resolve(firing(), "elena", "  ", START), Refusal)
    assert resolve(OVER, "elena", "again", START) == Refusal("it is over")


@pytest.mark.parametrize(
    ("episode", "at", "reason"),
    [
        pytest.param(firing(), 7_199_999, None, id="it holds until its time is over"),
        pytest.param(firing(), 7_200_000, AckEnd.EXPIRED, id="A14: its time is over"),
        pytest.param(firing(Severity.CRITICAL), 1, AckEnd.WORSE, id="A12: it got worse"),
        pytest.param(firing(Severity.MEDIUM), 1, None, id="getting better breaks nothing"),
        pytest.param(OVER, 1, AckEnd.RESOLVED, id="A6: the alert is over"),
    ],
)
def test_an_acknowledgement_ends_by_itself(
    episode: Episode, at: int, reason: AckEnd | None
) -> None:
    ended = expired_acknowledgement(ack(), episode, START + at)
    assert (ended and ended.end_reason) == reason


@pytest.mark.parametrize(
    ("lasts", "at", "expected"),
    [
        pytest.param(120, 109, False, id="not eleven minutes before"),
        pytest.param(120, 110, True, id="A14: ten minutes before it expires"),
        pytest.param(120, 120, False, id="not when it has expired"),
        pytest.param(15, 5, False, id="not right after it was taken"),
        pytest.param(15, 10, True, id="a short one is reminded of late"),
        pytest.param(10, 9, False, id="one of ten minutes not at all"),
    ],
)
def test_its_owner_is_reminded(lasts: int, at: int, *, expected: bool) -> None:
    assert is_reminder_due(ack(lasts=lasts * MINUTE), START + at * MINUTE) is expected
    assert REMINDER_LEAD == 10 * MINUTE


@pytest.mark.parametrize(
    ("reason", "severity", "at", "kept"),
    [
        pytest.param(AckEnd.RESOLVED, Severity.HIGH, 9, True, id="A10: it reopens as it was"),
        pytest.param(AckEnd.RESOLVED, Severity.LOW, 9, True, id="A10: it reopens as less"),
        pytest.param(AckEnd.RESOLVED, Severity.CRITICAL, 9, False, id="A10: it reopens worse"),
        pytest.param(AckEnd.RESOLVED, Severity.HIGH, 7_200_000, False, id="its time is over"),
        pytest.param(AckEnd.UNACKED, Severity.HIGH, 9, False, id="it had been given back"),
    ],
)
def test_a_reopened_episode_keeps_its_owner(
    reason: AckEnd, severity: Severity, at: int, *, kept: bool
) -> None:
    last = replace(ack(), ended_at=START + 5, end_reason=reason, rev=2)
    again = renewed_acknowledgement(last, firing(severity), START + at)
    assert (again is not None) is kept
    if again is not None:
        assert again == replace(ack(), id=0, at=START + at)


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        pytest.param(replace(ack(), end_reason=AckEnd.RESOLVED), True, id="its end was undone"),
        pytest.param(replace(ack(), end_reason=AckEnd.UNACKED), False, id="given back before"),
        pytest.param(
            replace(ack("ben"), end_reason=AckEnd.RESOLVED), False, id="somebody else had it"
        ),
    ],
)
def test_a_restored_acknowledgement_is_no_deed_of_its_owner(
    ended: Acknowledgement, *, expected: bool
) -> None:
    again = replace(ack(), id=9, at=START + 60_000)
    assert is_restored(again, [ended, again]) is expected
