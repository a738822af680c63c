from datetime import UTC, datetime

import pytest

from watchdeck.domain.notifications.on_call import person_on_call
from watchdeck.domain.settings.receivers import OnCallSchedule

BERLIN = "Europe/Berlin"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        pytest.param("2026-01-05T08:00", "anna", id="the first at the start"),
        pytest.param("2026-01-12T07:59", "anna", id="until the last minute"),
        pytest.param("2026-01-12T08:00", "ben", id="the second a week later"),
        pytest.param("2026-03-30T06:59", "cleo", id="at nine of the summer's clock, not before"),
        pytest.param("2026-03-30T07:00", "anna", id="at nine of the summer's clock"),
        pytest.param("2026-01-01T00:00", "cleo", id="before the first, the one before it"),
    ],
)
def test_who_is_on_call_by_turns(moment: str, expected: str) -> None:
    rota = OnCallSchedule("r", ("anna", "ben", "cleo"), starts="2026-01-05T09:00", zone=BERLIN)
    assert person_on_call(rota, (), at(moment)) == expected
