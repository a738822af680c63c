import math
from datetime import UTC, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console import boards
from watchdeck.console.charts.axis import time_step, value_axis
from watchdeck.console.charts.chart import ChartData, chart_lines
from watchdeck.console.charts.dot_grid import DotGrid
from watchdeck.console.charts.line_plot import LineSeries, TimeRange, buckets, is_gap, points
from watchdeck.console.lines.line import DotStyle, width
from watchdeck.domain.board.board import History
from watchdeck.domain.values.units import Unit

HOUR = 3_600_000
START = boards.NOW - HOUR
WINDOW = TimeRange(START, boards.NOW, UTC)
NAN = math.nan


def drawn(
    values: list[float], dots: DotStyle = DotStyle.ASCII, unit: Unit = Unit.COUNT
) -> list[str]:
    """One value every six minutes, 40 cells by 7 rows."""
    times = [START + index * 360_000 for index in range(len(values))]
    history = History("queue_depth", 360_000, times, values)
    return [str(line).rstrip() for line in chart_lines(picture(history, unit), 40, 7, dots)]


def picture(history: History, unit: Unit = Unit.COUNT, window: TimeRange = WINDOW) -> ChartData:
    """One curve alone."""
    return ChartData((LineSeries(history, history.column),), unit, window)


def test_a_climb_in_ascii() -> None:
    assert drawn([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) == [
        " 10┤                              ....:'",
        "   │                       ....:'''",
        "  5┤            ........:'''",
        "   │     ....:'''",
        "  0┤..:'''",
        "   └──────────────────┴─────────────────",
        "UTC                 04:30",
    ]


@pytest.mark.parametrize("dots", list(DotStyle))
def test_a_gap_is_drawn_as_a_gap(dots: DotStyle) -> None:
    whole = drawn([5.0] * 11, dots)
    broken = drawn([5, 5, 5, 5, NAN, NAN, NAN, 5, 5, 5, 5], dots)
    count = [sum(c not in " │┤" for c in "".join(lines[:5])[3:]) for lines in (whole, broken)]
    assert count[1] < count[0] * 0.8


def test_a_slower_pace_of_scrapes_is_no_gap() -> None:
    slow = [START + index * 60_000 for index in range(50)]
    quick = [slow[-1] + index * 2_000 for index in range(1, 300)]
    mixed = History("x", 2_000, slow + quick, [5.0] * (len(slow) + len(quick)))
    lines = chart_lines(picture(mixed), 68, 7, DotStyle.BRAILLE)
    assert max(str(line).count("⠉") + str(line).count("⠒") for line in lines) > 50


def test_a_lone_point_between_two_outages_is_not_joined() -> None:
    times = [START + n for n in (0, 2_000, 4_000, 1_800_000, 3_594_000, 3_596_000, 3_598_000)]
    lone = points(History("x", 2_000, times, [1.0] * 7), WINDOW)
    assert [is_gap(a, b, 2_000) for a, b in pairwise(lone)] == [
        False, False, True, True, False, False,
    ]  # fmt: skip


def test_a_spike_between_two_columns_is_not_lost() -> None:
    times = [START + index * 1_000 for index in range(3_600)]
    values = [1.0] * 3_600
    values[1_800] = 100.0
    lines = chart_lines(picture(History("x", 1_000, times, values)), 40, 9, DotStyle.BRAILLE)
    assert str(lines[0]).strip("│┤ 01⠀") != ""


def test_the_extremes_of_an_hour_are_shown_where_points_are_rollups() -> None:
    history = History("x", HOUR, [START + 1], [5.0], low=[1.0], high=[9.0])
    bucket = buckets(list(points(history, WINDOW)), WINDOW, 10)[0]
    assert (bucket.band_low, bucket.band_high, bucket.last.value) == (1.0, 9.0, 5.0)


def test_without_data_the_chart_says_so() -> None:
    lines = drawn([NAN] * 11)
    assert any("no data in this window" in line for line in lines)
    assert "04:30" in lines[-1]


def test_values_outside_the_window_do_not_stretch_the_axis() -> None:
    history = History("x", 1_000, [START - 5, START + 5], [1e9, 1.0])
    lines = chart_lines(picture(history), 40, 7, DotStyle.ASCII)
    assert "G" not in "".join(str(line) for line in lines)


def test_labels_are_round_moments_on_the_readers_clock() -> None:
    zone = timezone(timedelta(hours=5, minutes=45))
    window = TimeRange(boards.NOW - 24 * HOUR, boards.NOW, zone)
    history = History("x", HOUR, [boards.NOW - HOUR], [1.0])
    last = str(chart_lines(picture(history, window=window), 80, 7, DotStyle.BRAILLE)[-1])
    assert [word for word in last.split() if word.endswith(":00")]
    assert all(word.endswith(":00") for word in last.split()[1:])


@pytest.mark.parametrize(
    ("low", "high", "unit", "labels"),
    [
        pytest.param(0.11, 0.36, Unit.SECONDS, (0.0, 0.1, 0.2, 0.3, 0.4), id="from zero"),
        pytest.param(0.3, 0.62, Unit.RATIO, (0.0, 0.2, 0.4, 0.6, 0.8), id="a share"),
        pytest.param(0.0, 1.0, Unit.STATE, (0.0, 1.0), id="a state is no or yes"),
        pytest.param(0.0, 0.0, Unit.COUNT, None, id="all zero"),
        pytest.param(5.0, 5.0, Unit.COUNT, None, id="all the same"),
    ],
)
def test_axes_have_round_labels(
    low: float, high: float, unit: Unit, labels: tuple[float, ...] | None
) -> None:
    axis = value_axis(low, high, unit, 5)
    assert axis.bottom <= low
    assert axis.top >= high
    if labels is not None:
        assert axis.labels() == pytest.approx(labels)


@given(
    st.floats(-1e9, 1e9, allow_subnormal=False),
    st.floats(0, 1e9, allow_subnormal=False),
    st.integers(1, 6),
    st.booleans(),
)
def test_every_axis_holds_its_values(low: float, more: float, steps: int, floating: bool) -> None:  # noqa: FBT001
    axis = value_axis(low, low + more, Unit.COUNT, steps, floating=floating)
    assert axis.fraction(low) >= -1e-6
    assert axis.fraction(low + more) <= 1 + 1e-6
    assert 1 <= len(axis.labels()) <= 2 * steps + 3
    assert all(before < after for before, after in pairwise(axis.labels()))


def test_a_share_has_no_room_above_the_whole() -> None:
    assert value_axis(0.991, 1.0, Unit.RATIO, 4, floating=True).top == 1.0


@example([5e-324], 20, 6, DotStyle.BRAILLE, Unit.RATIO)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=50),
    st.integers(20, 120),
    st.integers(4, 30),
    st.sampled_from(list(DotStyle)),
    st.sampled_from(list(Unit)),
)
def test_any_values_at_any_size_make_a_chart_of_that_size(
    values: list[float], cells: int, rows: int, dots: DotStyle, unit: Unit
) -> None:
    times = [START + index * 60_000 for index in range(len(values))]
    lines = chart_lines(picture(History("x", 60_000, times, values), unit), cells, rows, dots)
    assert len(lines) == rows
    assert all(width(str(line)) <= cells for line in lines)


@pytest.mark.parametrize(
    ("dots", "expected"),
    [
        (DotStyle.BRAILLE, ("⢸", "⡇")),
        (DotStyle.BLOCK, ("▐", "▌")),
        (DotStyle.ASCII, (" :", ": ")),
    ],
)
def test_dots_become_characters(dots: DotStyle, expected: tuple[str, ...]) -> None:
    cells = 2 if dots is DotStyle.ASCII else 1
    found = []
    for x in (1, 0):
        grid = DotGrid(cells, 1, dots)
        grid.set_column(x, 0, grid.height)
        found.append(grid.rows()[0])
    assert tuple(found) == expected


def test_labels_of_time_are_never_closer_than_asked() -> None:
    assert time_step(HOUR, 6) == 600_000
    assert time_step(30 * 24 * HOUR, 5) == 7 * 24 * HOUR
    assert time_step(90 * 24 * HOUR, 6) == 28 * 24 * HOUR
