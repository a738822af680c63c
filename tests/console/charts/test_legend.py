"""What stands over a chart: names, values at the cursor, changes, promises."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from console import boards
from watchdeck.console.charts.chart import ChartData, chart_lines
from watchdeck.console.charts.legend import QuantileBounds, change_line, legend, value_at
from watchdeck.console.charts.line_plot import LineSeries, LineStyle, TimeRange, line_sample
from watchdeck.console.charts.series import chart_objective, chart_signals, short_name
from watchdeck.console.lines.line import DotStyle, Role
from watchdeck.domain.board.board import Change, History
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.settings.endpoint import Slo
from watchdeck.domain.values.units import Milliseconds, Ratio, Unit

HOUR = 3_600_000
START = boards.NOW - HOUR
WINDOW = TimeRange(START, boards.NOW, boards.settings().zone)
STEP = 60_000
DEPLOY = Change(1, "fraud", START + 10 * STEP, "deploy", "version 1 → 2", "collector")


def history(values: Sequence[float], column: str = "latency_p95") -> History:
    return History(column, STEP, [START + n * STEP for n in range(len(values))], [*values])


def picture(
    *curves: LineSeries, cursor: int | None = None, limit: float | None = None
) -> ChartData:
    return ChartData(curves, Unit.SECONDS, WINDOW, limit, (), cursor)


def text(shown: ChartData, bounds: QuantileBounds | None = None, cells: int = 80) -> list[str]:
    return [str(line).strip() for line in legend(shown, 60, cells, DotStyle.ASCII, bounds)]


FLAT = LineSeries(history([0.1] * 60), "p95")
STEEP = LineSeries(history([n / 1_000 for n in range(60)]), "p50", LineStyle.DASHED, Role.TEXT)


def test_a_legend_names_shape_word_and_newest_value_of_each_curve() -> None:
    assert text(picture(FLAT, STEEP)) == ["''''' p95 100 ms   '' '' p50 59 ms"]


def test_a_legend_reads_the_values_under_the_cursor() -> None:
    assert "p50 20 ms" in text(picture(FLAT, STEEP, cursor=START + 20 * STEP))[0]


def test_a_gap_under_the_cursor_is_no_data_and_never_a_neighbour() -> None:
    holes = LineSeries(history([0.1] * 20 + [math.nan] * 20 + [0.1] * 20), "p95")
    assert "no data" in text(picture(holes, cursor=START + 30 * STEP))[0]
    assert "100 ms" in text(picture(holes, cursor=START + 45 * STEP))[0]


def test_a_signal_that_ended_long_ago_has_no_newest_value() -> None:
    assert "no data" in text(picture(LineSeries(history([0.1] * 20), "p95")))[0]


def test_thinned_points_are_told_as_a_mean_with_the_lowest_and_highest() -> None:
    values = [0.1] * 60
    thin = History("latency_p95", STEP, history(values).times, values, [0.05] * 60, [0.4] * 60)
    assert "p95 100 ms (50-400 ms)" in text(picture(LineSeries(thin, "p95")))[0]


def test_a_quantile_is_told_with_what_its_bucket_allows() -> None:
    bounds = QuantileBounds(history([0.05] * 60), history([0.25] * 60))
    assert "100 ms in 50-250 ms" in text(picture(FLAT), bounds)[0]
    open_end = QuantileBounds(history([0.05] * 60), history([math.inf] * 60))
    assert "> 50 ms" in text(picture(FLAT), open_end)[0]


def test_a_promise_is_in_the_legend_and_drawn_only_where_it_does_not_press_the_curves_flat() -> (
    None
):
    near, far = picture(FLAT, limit=0.2), picture(FLAT, limit=20.0)
    assert "SLO 200 ms" in text(near)[0]
    assert "SLO 20 s" in text(far)[0]
    assert any("╌" in str(line) for line in chart_lines(near, 60, 10, DotStyle.BRAILLE))
    assert not any("╌" in str(line) for line in chart_lines(far, 60, 10, DotStyle.BRAILLE))


def test_a_legend_takes_the_lines_it_needs() -> None:
    assert len(text(picture(FLAT, STEEP, FLAT, limit=0.2), cells=26)) == 4


@pytest.mark.parametrize("dots", list(DotStyle))
def test_every_stroke_has_a_shape_of_its_own(dots: DotStyle) -> None:
    assert len({line_sample(stroke, dots).rstrip() for stroke in LineStyle}) == len(LineStyle)


def test_a_value_is_read_as_the_mean_of_what_lies_in_its_cell() -> None:
    point = value_at(history([1.0, 3.0, 5.0] * 20), WINDOW, START + STEP, 20)
    assert point is not None
    assert (point.value, point.low, point.high) == (3.0, 1.0, 5.0)


def said(cursor: int | None) -> list[str]:
    shown = ChartData((FLAT,), Unit.SECONDS, WINDOW, None, (DEPLOY.at,), cursor)
    return [str(line) for line in change_line([DEPLOY], shown, 60, boards.NOW, 80)]


def test_the_newest_change_is_said_in_words_under_the_legend() -> None:
    assert said(None) == [" ◆ Nov 23 04:10 50m ago  deploy: version 1 → 2"]


def test_a_change_after_the_cursor_is_not_said() -> None:
    assert said(START + 9 * STEP) == []
    assert len(said(START + 11 * STEP)) == 1


def test_a_change_under_the_cursor_stands_out() -> None:
    def roles(cursor: int) -> set[Role]:
        shown = ChartData((FLAT,), Unit.SECONDS, WINDOW, None, (DEPLOY.at,), cursor)
        (line,) = change_line([DEPLOY], shown, 60, boards.NOW, 80)
        return {span.role for span in line.spans}

    assert Role.STRONG in roles(DEPLOY.at)
    assert Role.STRONG not in roles(DEPLOY.at + 5 * STEP)


def test_changes_and_the_cursor_are_marked_on_the_time_axis() -> None:
    shown = ChartData((FLAT,), Unit.SECONDS, WINDOW, None, (DEPLOY.at,), START + 30 * STEP)
    axis = str(chart_lines(shown, 68, 10, DotStyle.BRAILLE)[-2])
    assert axis.index("◆") - axis.index("└") == 11
    assert axis.count("▲") == 1


@pytest.mark.parametrize("signal", list(SIGNALS))
def test_signals_of_one_chart_have_one_unit(signal: str) -> None:
    names = chart_signals(signal)
    assert names[0] == signal
    assert len({SIGNALS[name].unit for name in names}) == 1


def test_a_signal_that_cannot_be_had_is_not_asked_for() -> None:
    assert chart_signals("gpu_utilization", ["gpu_memory_ratio"]) == (
        *("gpu_utilization", "gpu_throttle_ratio"),
    )


def test_names_leave_out_what_a_chart_shares() -> None:
    assert short_name("latency_p95", ["latency_p95", "latency_p50"]) == "p95"
    assert short_name("latency_p95", ["latency_p95"]) == "latency_p95"
    assert short_name("queue_depth", ["queue_depth", "in_flight"]) == "queue_depth"


def test_a_promise_belongs_to_its_signals_chart() -> None:
    slo = Slo(Ratio(0.999), Milliseconds(200), Ratio(0.01))
    assert chart_objective(chart_signals("latency_p50"), slo) == ("latency_p95", 0.2)
    assert chart_objective(["error_ratio"], slo) == ("error_ratio", 0.01)
    assert chart_objective(["availability"], slo) == ("availability", 0.999)
    assert chart_objective(["request_rate"], slo) is None
    assert chart_objective(["latency_p95"], Slo()) is None
