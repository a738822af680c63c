from datetime import UTC, datetime
from pathlib import Path

from watchdeck.config.reading.calendars import CalendarFiles
from watchdeck.domain.settings.receivers import OnCallSchedule

SHIFT = (
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:{who}\nDTSTART:20260105T090000\nDURATION:P1D\n"
    "END:VEVENT\nEND:VCALENDAR\n"
)
MONDAY = int(datetime(2026, 1, 5, 9, tzinfo=UTC).timestamp()) * 1_000


class Steady:
    """A clock of seconds that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def names(calendars: CalendarFiles) -> list[str]:
    return [shift.person for shift in calendars["r"](MONDAY)]


def rewrite(path: Path, text: str) -> None:
    """A new file in the place of the old one, as editors do it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def test_a_calendar_is_read_again_when_its_file_changes(tmp_path: Path) -> None:
    path, steady = tmp_path / "r.ics", Steady()
    path.write_text(SHIFT.format(who="anna"))
    calendars = CalendarFiles(
        [OnCallSchedule("r", calendar=str(path)), OnCallSchedule("turns", ("ben",))], steady
    )
    assert (names(calendars), list(calendars)) == (["anna"], ["r"])
    rewrite(path, SHIFT.format(who="cleo"))
    assert names(calendars) == ["anna"]
    steady.now += 10
    assert names(calendars) == ["cleo"]


def test_a_calendar_that_went_bad_counts_as_it_was_and_says_so(tmp_path: Path) -> None:
    path, steady = tmp_path / "r.ics", Steady()
    path.write_text(SHIFT.format(who="anna"))
    calendars = CalendarFiles([OnCallSchedule("r", calendar=str(path))], steady)
    assert names(calendars) == ["anna"]
    rewrite(path, "BEGIN:VCALENDAR\n")
    steady.now += 10
    assert names(calendars) == ["anna"]
    assert calendars.problem == (
        "the calendar of rota r cannot be read, and counts as it was:"
        " its end is missing: VCALENDAR is still open"
    )
    path.unlink()
    steady.now += 10
    assert names(calendars) == ["anna"]
    assert "No such file" in calendars.problem
    path.write_text(SHIFT.format(who="ben"))
    steady.now += 10
    assert (names(calendars), calendars.problem) == (["ben"], "")
