import pytest
from msgspec.structs import replace

from domain.alerts.lives import EVERY, RULE, START, ack, firing, found, short
from watchdeck.domain.alerts.acknowledgement import (
    Refusal,
    TakeOver,
    resolve,
    take_over,
    unacknowledge,
    undo_acknowledge,
    undo_refusal,
    undo_resolve,
    undo_take_over,
    undo_unacknowledge,
)
from watchdeck.domain.alerts.alert import AckEnd
from watchdeck.domain.alerts.lifecycle import advance
from watchdeck.domain.alerts.silence import Silence, undo_unsilence
from watchdeck.domain.values.matcher import read_matcher


@pytest.mark.parametrize(
    ("rev", "after", "why"),
    [
        pytest.param(2, 9_999, None, id="for ten seconds"),
        pytest.param(2, 10_000, "it was more than 10s ago", id="no longer"),
        pytest.param(3, 10, "it has moved on since", id="not when something followed from it"),
        pytest.param(None, 10, "it has moved on since", id="not when it is gone"),
    ],
)
def test_what_somebody_did_can_be_taken_back(rev: int | None, after: int, why: str | None) -> None:
    refusal = undo_refusal(START, 2, rev, START + after)
    assert refusal == (None if why is None else Refusal(why))


def test_an_acknowledgement_taken_back_is_free_again() -> None:
    undone = undo_acknowledge(ack(), START + 5)
    assert (undone.ended_at, undone.end_reason) == (START + 5, AckEnd.UNDONE)


def test_one_that_was_given_back_is_its_owners_again() -> None:
    given = unacknowledge(ack(), START + 5)
    assert not isinstance(given, Refusal)
    assert undo_unacknowledge(given, START + 9) == replace(ack(), id=0, at=START + 9)
    assert undo_unacknowledge(given, ack().expires_at) == Refusal("its time is over")


def test_one_that_was_taken_over_is_the_first_owners_again() -> None:
    handed = take_over(firing(), ack(), "max", START + 5)
    assert isinstance(handed, TakeOver)
    undone = undo_take_over(handed, START + 9)
    assert isinstance(undone, TakeOver)
    assert (undone.ended.by, undone.ended.end_reason) == ("max", AckEnd.UNDONE)
    assert (undone.begun.by, undone.begun.expires_at) == ("elena", ack().expires_at)
    assert isinstance(undo_take_over(handed, ack().expires_at), Refusal)


def test_an_alert_called_over_by_mistake_goes_on_as_it_was() -> None:
    before = firing()
    moved = resolve(before, "elena", "wrong row", START + 5)
    assert not isinstance(moved, Refusal)
    after = replace(moved[0], rev=before.rev + 1)
    again, (told,) = undo_resolve(before, after, START + 9)
    assert again == replace(before, rev=after.rev)
    assert short(told) == "reopened"
    assert advance(RULE, EVERY, again, found("T", START + EVERY))[1] == ()


def test_a_silence_that_was_ended_holds_again() -> None:
    made = Silence(1, (read_matcher("a=b"),), "elena", "disks", START, START + 50, rev=2)
    ended = replace(made, ended_at=START + 5, rev=3)
    again = undo_unsilence(ended, START + 9)
    assert again == replace(made, id=0, starts_at=START + 9, rev=1)
    assert undo_unsilence(ended, START + 50) == Refusal("its time is over")
