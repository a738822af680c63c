"""Which silences an Alertmanager should have for what somebody has here."""

from typing import Any

import pytest
from msgspec.structs import replace

from domain.external.payloads import NOW
from watchdeck.domain.alerts.alert import UNDO_WINDOW, Acknowledgement
from watchdeck.domain.external.silence_sync import (
    RemoteSilence,
    SilenceChange,
    plan_changes,
    read_remote_silences,
)
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.datetimes import write_rfc3339

HOUR = 3_600_000
ACK = Acknowledgement(7, 3, "anna", NOW, NOW + HOUR, Severity.HIGH, "on it")
LABELS = {"aa": {"alertname": "Slow", "model": "fraud"}}


def wish(
    now: int = NOW + UNDO_WINDOW, there: tuple[RemoteSilence, ...] = (), ack: Acknowledgement = ACK
) -> tuple[SilenceChange, ...]:
    return plan_changes("c0ffee", {"aa": ack}, LABELS, there, now)


def test_a_silence_has_the_person_the_note_and_the_end_of_the_acknowledgement() -> None:
    [one] = wish()
    assert one.post == {
        "matchers": [
            {"name": "alertname", "value": "Slow", "isRegex": False, "isEqual": True},
            {"name": "model", "value": "fraud", "isRegex": False, "isEqual": True},
        ],
        "startsAt": write_rfc3339(NOW + UNDO_WINDOW),
        "endsAt": write_rfc3339(NOW + HOUR),
        "createdBy": "anna",
        "comment": "watchdeck c0ffee ack 7: on it",
    }


@pytest.mark.parametrize(
    ("now", "there", "count"),
    [
        pytest.param(NOW + UNDO_WINDOW - 1, (), 0, id="it can still be taken back"),
        pytest.param(NOW + HOUR, (), 0, id="it ran out"),
        pytest.param(NOW + UNDO_WINDOW, (RemoteSilence("x", 7, NOW + HOUR),), 0, id="it is there"),
        pytest.param(NOW + HOUR, (RemoteSilence("x", 7, NOW),), 0, id="it ran out there and here"),
    ],
)
def test_what_is_as_it_should_be_is_left_alone(
    now: int, there: tuple[RemoteSilence, ...], count: int
) -> None:
    assert len(wish(now, there)) == count


def test_another_end_is_told_under_the_same_silence() -> None:
    later = replace(ACK, expires_at=NOW + 2 * HOUR)
    [one] = wish(there=(RemoteSilence("x", 7, NOW + HOUR),), ack=later)
    assert one.post is not None
    assert (one.post["id"], one.post["endsAt"]) == ("x", write_rfc3339(NOW + 2 * HOUR))


def test_a_silence_of_what_nobody_has_any_more_is_ended() -> None:
    assert wish(there=(RemoteSilence("x", 7, NOW + HOUR), RemoteSilence("y", 6, NOW + HOUR))) == (
        SilenceChange(6, end="y"),
    )


def test_what_its_source_does_not_list_cannot_be_silenced() -> None:
    assert plan_changes("c0ffee", {"bb": ACK}, LABELS, (), NOW + UNDO_WINDOW) == ()


def silence(**changed: Any) -> dict[str, Any]:
    plain = {
        "id": "x",
        "comment": "watchdeck c0ffee ack 7: on it",
        "status": {"state": "active"},
        "endsAt": "2026-11-23T06:05:10Z",
    }
    return plain | changed


def test_our_silences_are_known_by_their_comment_and_nothing_else_is_ours() -> None:
    listed = [
        silence(),
        silence(comment="watchdeck c0ffee ack 8"),
        silence(comment="watchdeck 0badcafe ack 7"),
        silence(comment="watchdeck c0ffee ack 9x"),
        silence(comment="watchdeck c0ffee ack " + "9" * 99),
        silence(comment="vendor ticket 42"),
        silence(status={"state": "expired"}),
        silence(status="active"),
        7,
    ]
    there = list(read_remote_silences(listed, "c0ffee"))
    assert [one.acknowledgement for one in there] == [7, 8]
    assert list(read_remote_silences({"error": "no"}, "c0ffee")) == []
