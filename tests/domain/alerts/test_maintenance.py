from datetime import UTC, datetime

import pytest

from watchdeck.domain.alerts.maintenance import (
    Maintenance,
    MaintenanceWindow,
    Recurrence,
    window_at,
)
from watchdeck.domain.values.matcher import read_matcher

HOUR = 3_600_000
SUNDAY = 6
TUESDAY = 1
MATCHERS = (read_matcher("owner=risk"),)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def window(opens: str, closes: str) -> MaintenanceWindow:
    return MaintenanceWindow(ms(opens), ms(closes))


def planned(
    minute: int, lasts: int, *days: int, zone: str = "Europe/Berlin", **more: object
) -> Maintenance:
    weeks = more.pop("weeks", ())
    recurrence = Recurrence(minute, lasts, days, weeks)  # type: ignore[arg-type]
    return Maintenance("disks", MATCHERS, recurrence=recurrence, zone=zone, **more)  # type: ignore[arg-type]


SUNDAYS = planned(2 * 60, 2 * HOUR, SUNDAY)
NIGHTS = planned(23 * 60, 3 * HOUR, TUESDAY, zone="UTC")


@pytest.mark.parametrize(
    ("work", "at", "expected"),
    [
        pytest.param(
            SUNDAYS, "2026-01-04T01:30", window("2026-01-04T01:00", "2026-01-04T03:00"),
            id="winter: two o'clock in Berlin is one o'clock UTC",
        ),
        pytest.param(
            SUNDAYS, "2026-07-05T00:30", window("2026-07-05T00:00", "2026-07-05T02:00"),
            id="summer: two o'clock in Berlin is midnight UTC",
        ),
        pytest.param(
            SUNDAYS, "2026-03-29T01:30", window("2026-03-29T01:00", "2026-03-29T02:00"),
            id="an hour that the clock skips opens at the change, and closes at four o'clock",
        ),
        pytest.param(
            SUNDAYS, "2026-10-25T00:30", window("2026-10-25T00:00", "2026-10-25T03:00"),
            id="an hour that the clock shows twice opens at the first, and closes at four o'clock",
        ),
        pytest.param(
            planned(22 * 60, 6 * HOUR), "2026-03-29T01:30",
            window("2026-03-28T21:00", "2026-03-29T02:00"),
            id="a night from ten to four is short when clocks go forward",
        ),
        pytest.param(
            planned(22 * 60, 6 * HOUR), "2026-10-25T02:30",
            window("2026-10-24T20:00", "2026-10-25T03:00"),
            id="a night from ten to four is long when clocks go back",
        ),
        pytest.param(
            planned(150, HOUR), "2026-10-25T00:45", window("2026-10-25T00:30", "2026-10-25T01:00"),
            id="closed when clocks go back to before it opened",
        ),
        pytest.param(
            planned(60, HOUR + HOUR // 2), "2026-10-25T01:15",
            window("2026-10-25T01:00", "2026-10-25T01:30"),
            id="open again when clocks go back to before it closed",
        ),
        pytest.param(SUNDAYS, "2026-01-04T00:59", None, id="not before it opens"),
        pytest.param(SUNDAYS, "2026-01-04T03:00", None, id="not when it closes"),
        pytest.param(SUNDAYS, "2026-01-05T01:30", None, id="not on another day"),
        pytest.param(
            NIGHTS, "2026-01-07T01:59", window("2026-01-06T23:00", "2026-01-07T02:00"),
            id="over midnight it is the day's that it opened on",
        ),
        pytest.param(NIGHTS, "2026-01-06T01:59", None, id="and not the day's before"),
        pytest.param(
            planned(0, 60 * HOUR, 5, zone="UTC"), "2026-01-05T11:59",
            window("2026-01-03T00:00", "2026-01-05T12:00"), id="longer than two days",
        ),
        pytest.param(
            planned(120, HOUR, TUESDAY, zone="UTC", weeks=(2,)), "2026-01-13T02:30",
            window("2026-01-13T02:00", "2026-01-13T03:00"), id="the second Tuesday",
        ),
        pytest.param(
            planned(120, HOUR, TUESDAY, zone="UTC", weeks=(2,)), "2026-01-06T02:30", None,
            id="not the first",
        ),
        pytest.param(
            planned(120, HOUR, SUNDAY, zone="UTC", weeks=(-1,)), "2026-02-22T02:30",
            window("2026-02-22T02:00", "2026-02-22T03:00"), id="the last Sunday",
        ),
        pytest.param(
            planned(120, HOUR, zone="UTC", ends_at=ms("2026-01-04T02:30")), "2026-01-04T02:15",
            window("2026-01-04T02:00", "2026-01-04T02:30"), id="no longer than there is any at all",
        ),
        pytest.param(
            Maintenance("once", MATCHERS, "", ms("2026-01-04T02:00"), ms("2026-01-04T04:00")),
            "2026-01-04T02:00", window("2026-01-04T02:00", "2026-01-04T04:00"), id="just once",
        ),
        pytest.param(
            Maintenance("once", MATCHERS, "", ms("2026-01-04T02:00"), ms("2026-01-04T04:00")),
            "2026-01-04T04:00", None, id="and no more",
        ),
        pytest.param(
            planned(120, HOUR, zone="UTC", ends_at=ms("2026-01-04T02:30")), "2026-01-05T02:15",
            None, id="not after the end of all windows",
        ),
    ],
)  # fmt: skip
def test_planned_work_is_open(
    work: Maintenance, at: str, expected: MaintenanceWindow | None
) -> None:
    assert window_at(work, ms(at)) == expected


def test_of_two_windows_that_overlap_the_one_that_closes_last_counts() -> None:
    daily = planned(0, 30 * HOUR, zone="UTC")
    assert window_at(daily, ms("2026-01-04T03:00")) == window(
        "2026-01-04T00:00", "2026-01-05T06:00"
    )


def test_planned_work_may_name_severities() -> None:
    assert not SUNDAYS.has_severity_matcher
    assert Maintenance("x", (read_matcher("severity=3"),)).has_severity_matcher
