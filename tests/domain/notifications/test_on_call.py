from datetime import UTC, datetime

import pytest

from watchdeck.domain.notifications.on_call import person_on_call, read_local_time
from watchdeck.domain.settings.receivers import OnCallSchedule, Override

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


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        pytest.param("2026-01-05T07:59", None, id="before all of them, nobody"),
        pytest.param("2026-01-05T08:00", "ben", id="the only one"),
        pytest.param("2026-01-05T10:00", "cleo", id="of two, the last that was written"),
        pytest.param("2026-01-05T11:00", "ben", id="until its end"),
    ],
)
def test_an_override_wins_while_it_lasts(moment: str, expected: str | None) -> None:
    day, morning = "2026-01-05T09:00", ("2026-01-05T11:00", "2026-01-05T12:00")
    overrides = (
        Override("ben", day, "2026-01-05T18:00"),
        Override("cleo", *morning),
    )
    assert person_on_call(OnCallSchedule("r", zone=BERLIN, override=overrides), (), at(moment)) == (
        expected
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("monday", "is not a time", id="a word"),
        pytest.param("2026-01-05T09:00+01:00", "has a zone of its own", id="with a zone"),
    ],
)
def test_a_local_time_is_a_time_without_a_zone(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"{said}; write a time of the rota's zone"):
        read_local_time(text)
