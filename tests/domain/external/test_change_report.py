"""A change that another program reports is read, or refused with what would work."""

import pytest

from watchdeck.domain.external.alertmanager import PayloadError
from watchdeck.domain.external.change_report import (
    MAX_CLOCK_SKEW,
    ChangeReport,
    change_time,
    read_change_report,
)

NOW = 1_796_000_000_000


def test_a_report_is_a_deploy_of_now_unless_it_says_otherwise() -> None:
    report = read_change_report(b'{"model": "fraud", "text": "v2"}')
    assert report == ChangeReport("fraud", "v2", "deploy", None)
    assert change_time(report, NOW) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"[1]", "is not a JSON object", id="a list"),
        pytest.param(b'{"model": "fraud"}', "missing required field `text`", id="no text"),
        pytest.param(b'{"model": 3, "text": "v2"}', "$.model", id="a number as a name"),
        pytest.param(b'{"model": "a", "text": "b", "who": "c"}', "`who`", id="an unknown field"),
    ],
)
def test_a_report_that_cannot_be_read_names_the_field(body: bytes, said: str) -> None:
    with pytest.raises(PayloadError) as refused:
        read_change_report(body)
    assert said in str(refused.value)
    assert 'send {"model": "NAME", "what": "deploy", "text": "v2"}' in str(refused.value)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2026-11-23T05:00:00Z", 1_795_410_000_000, id="a text"),
        pytest.param(1_795_410_000_000, 1_795_410_000_000, id="a number"),
        pytest.param(NOW + MAX_CLOCK_SKEW, None, id="a clock a little ahead"),
        pytest.param(NOW + MAX_CLOCK_SKEW + 1, NOW + MAX_CLOCK_SKEW + 1, id="the future"),
    ],
)
def test_a_change_has_the_time_that_it_tells(at: int | str, expected: int | None) -> None:
    assert change_time(ChangeReport("fraud", "v2", at=at), NOW) == expected


@pytest.mark.parametrize(
    ("at", "said"),
    [("yesterday", "is not a time"), (1_795_410_000, "is before the year 2000")],
)
def test_a_time_that_is_none_is_refused(at: int | str, said: str) -> None:
    with pytest.raises(PayloadError, match=said):
        change_time(ChangeReport("fraud", "v2", at=at), NOW)
