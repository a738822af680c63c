"""What one channel is sent at once: the worst first, one line each, and a count of the rest."""

import pytest

from domain.notifications.made import NOW
from watchdeck.domain.notifications.outbox import (
    MAX_LINES,
    Notification,
    NotificationClass,
    OutboxRow,
    build_notification,
)
from watchdeck.domain.rules.rule import Severity


def row(number: int, kind: str = "page", **payload: object) -> OutboxRow:
    return OutboxRow(
        *(number, "hook", kind, number, payload, f"episode/{number}", "slot", ""),
        *(NOW + number, NOW, 0, None, None, None, ""),
    )


def slow(number: int, severity: Severity = Severity.LOW) -> OutboxRow:
    model = f"model-{number}"
    return row(number, text=f"{model} is slow", severity=severity, model=model, rule="slow", at=NOW)


def sent(*rows: OutboxRow) -> Notification:
    return build_notification("n1", rows)


def test_one_alert_is_the_title_and_the_line() -> None:
    one = sent(slow(7, Severity.HIGH))
    assert (one.title, one.lines) == ("[SEV 2] model-7 is slow", ("model-7 is slow",))
    assert (one.rows, one.episodes, one.at) == ((7,), (7,), NOW + 7)


def test_the_worst_alert_is_the_title_and_the_others_are_counted() -> None:
    many = sent(slow(1), slow(2, Severity.CRITICAL), slow(3))
    assert many.severity is Severity.CRITICAL
    assert many.title == "[SEV 1] model-2 is slow (and 2 more: 3 models, 1 rule)"
    assert many.lines == ("model-2 is slow", "model-1 is slow", "model-3 is slow")


@pytest.mark.parametrize("extra", [0, 1, 50])
def test_only_so_many_alerts_are_listed(extra: int) -> None:
    lines = sent(*map(slow, range(MAX_LINES + extra))).lines
    assert lines[MAX_LINES:] == ((f"and {extra} more",) if extra else ())


def test_a_row_without_a_text_is_named_by_its_kind() -> None:
    bare = sent(row(1, "digest"))
    assert (bare.kind, bare.severity) == (NotificationClass.CALL, Severity.LOW)
    assert bare.lines == ("digest",)
