from console import boards
from watchdeck.console.charts.series import (
    LAST_WEEK,
    YESTERDAY,
    ChartComparison,
    next_comparison,
)
from watchdeck.console.state.queries import shift_history
from watchdeck.domain.board.board import Change

OLD = Change(1, "fraud", boards.NOW - 7_200_000, "deploy", "1 → 2", "collector")
NEW = Change(2, "fraud", boards.NOW - 600_000, "retrain", "", "ops")


def cycle(changes: list[Change], moment: int = boards.NOW) -> list[str]:
    found: list[str] = []
    chosen: ChartComparison | None = None
    while (chosen := next_comparison(chosen, changes, moment)) is not None:
        found.append(chosen.label)
    return found


def test_one_key_cycles_through_yesterday_last_week_and_before_the_newest_change() -> None:
    assert cycle([OLD, NEW]) == ["yesterday", "last week", "before the retrain"]


def test_the_change_is_the_newest_one_at_the_moment_that_is_read() -> None:
    assert cycle([OLD, NEW], NEW.at - 1)[-1] == "before the deploy"


def test_without_a_change_there_is_no_before() -> None:
    assert cycle([]) == ["yesterday", "last week"]


def test_before_a_change_is_the_stretch_that_ended_with_it() -> None:
    chosen = next_comparison(LAST_WEEK, [NEW], boards.NOW)
    assert chosen is not None
    assert chosen.shift(boards.NOW) == boards.NOW - NEW.at
    assert chosen.shift(boards.NOW + 1_000) == boards.NOW + 1_000 - NEW.at
    assert YESTERDAY.shift(boards.NOW) == 86_400_000


def test_an_earlier_stretch_is_laid_over_the_later_one() -> None:
    wave = boards.history()
    moved = shift_history(wave, 1_000)
    assert moved.times[0] == wave.times[0] + 1_000
    assert moved.values == wave.values
