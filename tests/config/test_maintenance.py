"""Planned work is written in the words of a calendar, and refused where it has no end."""

from pathlib import Path

import pytest

from config.config_files import problems, write
from watchdeck.config.load import load
from watchdeck.config.maintenance import maintenance_in_force
from watchdeck.domain.alerts.maintenance import (
    Maintenance,
    MaintenanceWindow,
    Recurrence,
    window_at,
)
from watchdeck.domain.values.matcher import Matcher

HEAD = '[[maintenance]]\nname = "patching"\nmatch = ["owner=risk"]\n'
NIGHT = f'{HEAD}hours = "22:00-04:00"\n'


def only(folder: Path, text: str) -> Maintenance:
    [work] = maintenance_in_force(load(write(folder, text)))
    return work


def test_a_night_of_certain_weekends_is_a_recurrence(tmp_path: Path) -> None:
    text = f'{NIGHT}days = "sat, sun"\nweeks = ["first", "last"]\nzone = "Europe/Berlin"\n'
    assert only(tmp_path, f'{text}reason = "kernels"\n') == Maintenance(
        "patching",
        (Matcher("owner", "risk"),),
        "kernels",
        recurrence=Recurrence(22 * 60, 6 * 3_600_000, (5, 6), (1, -1)),
        zone="Europe/Berlin",
    )


def test_one_time_has_a_beginning_and_an_end_in_its_zone(tmp_path: Path) -> None:
    text = f'{HEAD}starts = "2026-12-24T09:00"\nends = "2026-12-24T10:00Z"\nzone = "Europe/Berlin"'
    opens = 1_798_099_200_000
    assert window_at(only(tmp_path, text), opens) == MaintenanceWindow(opens, opens + 2 * 3_600_000)


def test_an_end_that_the_clock_skips_is_the_moment_of_the_change(tmp_path: Path) -> None:
    text = f'{HEAD}starts = "2026-03-29T01:00"\nends = "2026-03-29T02:30"\nzone = "Europe/Berlin"'
    opens = 1_774_742_400_000
    assert window_at(only(tmp_path, text), opens) == MaintenanceWindow(opens, opens + 3_600_000)


def test_a_whole_day_is_one(tmp_path: Path) -> None:
    work = only(tmp_path, f'{HEAD}hours = "00:00-24:00"\n')
    assert work.recurrence == Recurrence(0, 86_400_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(HEAD, "maintenance[0] has no end. Write hours for every day", id="no end"),
        pytest.param(f'{HEAD}starts = "2026-12-24T09:00"', "has no end", id="only a beginning"),
        pytest.param(
            f'{HEAD}starts = "2026-12-24T09:00"\nends = "2026-12-24T09:00"',
            "maintenance[0].ends is not after starts.",
            id="no time",
        ),
        pytest.param(
            f'{HEAD}starts = "soon"\nends = "2026-12-24T09:00"',
            "maintenance[0].starts is not a time. Write 2026-12-24T09:00.",
            id="no moment",
        ),
        pytest.param(f'{HEAD}hours = "22-4"', "hours is not a span of the day", id="no hours"),
        pytest.param(f'{NIGHT}days = "weekend"', "days is not a list of days", id="no days"),
        pytest.param(f'{NIGHT}weeks = ["frist"]', "Did you mean 'first'?", id="no week"),
        pytest.param(f'{NIGHT}zone = "Berlin"', "zone is not a time zone", id="no zone"),
        pytest.param(
            NIGHT.replace('["owner=risk"]', "[]"), "would mean everything", id="everything"
        ),
        pytest.param(
            NIGHT.replace("owner=risk", "owner"), "match[0] 'owner' is not a matcher", id="matcher"
        ),
        pytest.param(
            f'{NIGHT}reason = "a\\u202e"', "reason has a character that no screen", id="unseen"
        ),
        pytest.param(NIGHT + NIGHT, "maintenance[1].name is the name of maint", id="twice"),
    ],
)
def test_work_that_cannot_be_planned_is_told_with_its_key(
    tmp_path: Path, text: str, said: str
) -> None:
    [line] = problems(tmp_path, text)
    assert said in line


def test_days_without_hours_ask_for_them(tmp_path: Path) -> None:
    lines = problems(tmp_path, f'{HEAD}days = "sat"')
    assert "maintenance[0].hours is missing beside days" in lines[0]
