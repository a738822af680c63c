"""What the deck tells beside the fleet."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC

import pytest
from msgspec.structs import replace

from console import boards
from console.boards import NOW
from watchdeck.console.charts.sparkline import sparkline
from watchdeck.console.lines.line import DotStyle
from watchdeck.console.lines.table import fit_columns
from watchdeck.console.overview import lines as deck
from watchdeck.console.state.queries import (
    TREND_SLOTS,
    TREND_SPAN,
    TREND_STEP,
    Sparkline,
    read_trends,
    slot_means,
)
from watchdeck.domain.board.board import Board, Change, Health, History
from watchdeck.domain.settings.endpoint import Slo
from watchdeck.errors import StoreError

NAN = math.nan


@pytest.mark.parametrize(
    ("values", "dots", "top", "shapes"),
    [
        pytest.param(
            [0, 1, 4, 8], DotStyle.BRAILLE, None, "▁▂▅█", id="from nothing to the highest"
        ),
        pytest.param([1, NAN, 8], DotStyle.BLOCK, None, "▂ █", id="what is not known is a gap"),
        pytest.param([0, 0], DotStyle.BRAILLE, None, "▁▁", id="a zero is not a gap"),
        pytest.param([4], DotStyle.BRAILLE, 8.0, "▅", id="half of what was promised"),
        pytest.param([9], DotStyle.BRAILLE, 8.0, "█", id="more than was promised"),
        pytest.param([0, 2, 4], DotStyle.ASCII, None, "_-^", id="plain shapes"),
        pytest.param([math.inf, -1, 1], DotStyle.ASCII, None, " _^", id="no number at all"),
        pytest.param([], DotStyle.ASCII, None, "", id="nothing"),
    ],
)
def test_a_sparkline_has_a_shape_for_each_value(
    values: list[float], dots: DotStyle, top: float | None, shapes: str
) -> None:
    assert sparkline(values, dots, top) == shapes


def test_a_trend_has_the_mean_of_every_five_minutes() -> None:
    times = [
        NOW - TREND_SPAN - 1,
        NOW - TREND_SPAN,
        NOW - TREND_SPAN + TREND_STEP - 1,
        NOW - 1,
        NOW,
    ]
    history = History("latency_p95", 10_000, times, [9.0, 1.0, 2.0, 5.0, 9.0])
    assert slot_means(history, NOW) == pytest.approx(
        (1.5, *[NAN] * (TREND_SLOTS - 2), 5.0), nan_ok=True, abs=0
    )


class Source(boards.Uneventful):
    """A store that knows one model, and fails on another."""

    closed = False

    def has_changed(self) -> bool:
        return False

    def board(self, now: int, at: int | None = None) -> Board:
        raise AssertionError(now, at)

    def history(
        self, endpoint: str, columns: Sequence[str], start: int, end: int, points: int | None = None
    ) -> tuple[History, ...]:
        assert (end - start, end % TREND_STEP, points) == (TREND_SPAN, 0, None)
        if endpoint == "broken":
            raise StoreError("no")
        return tuple(History(column, 10_000, [end - 1], [2.0]) for column in columns)

    def close(self) -> None:
        self.closed = True


def test_a_model_that_cannot_be_read_has_no_trend() -> None:
    source = Source()
    found = read_trends(lambda: source, ["fraud", "broken"], NOW)
    assert list(found) == ["fraud"]
    assert found["fraud"].latency[-1] == 2.0
    assert source.closed


@pytest.mark.parametrize(
    ("cells", "heads"),
    [
        pytest.param(80, ["model", "since", "seen", "p95 1h", "why"], id="80 cells"),
        pytest.param(120, ["model", "since", "seen", "p95 1h", "errors 1h", "why"], id="120 cells"),
        pytest.param(54, ["model", "since", "why"], id="hardly any room"),
    ],
)
def test_sparklines_give_way_where_there_is_no_room(cells: int, heads: list[str]) -> None:
    columns, _ = fit_columns(deck.fleet_columns({}, DotStyle.ASCII), cells)
    assert [column.head for column in columns if column.head] == heads


def test_latency_reaches_the_top_at_what_was_promised() -> None:
    fraud = boards.model("fraud")
    promised = fraud.facts.slo.latency_p95
    assert promised is not None
    trends = {"fraud": Sparkline((promised.seconds / 2, promised.seconds), (0.0, 0.01))}
    cells = {one.name: one.cell for one in deck.fleet_columns(trends, DotStyle.BRAILLE)}
    assert cells["latency"](fraud, NOW).text == "▅█"
    assert cells["errors"](fraud, NOW).text == "▁█"
    assert cells["latency"](boards.model("other"), NOW).text == ""


def test_without_a_promise_what_is_usual_lies_half_way_up() -> None:
    facts = replace(boards.facts("free"), slo=Slo())
    free = replace(boards.model("free"), facts=facts)
    trends = {"free": Sparkline((0.1, 0.1, NAN, 0.2), (NAN,) * 4)}
    cells = {one.name: one.cell for one in deck.fleet_columns(trends, DotStyle.BRAILLE)}
    assert cells["latency"](free, NOW).text == "▅▅ █"
    assert cells["errors"](free, NOW).text == "    "


def change(ago: int, endpoint: str = "fraud", text: str = "v2") -> Change:
    return Change(ago, endpoint, NOW - ago, "version", text, "page")


def test_the_newest_changes_stand_first() -> None:
    lines = deck.change_lines([change(7_200_000, text="v1"), change(60_000)], NOW, UTC, 60, 5)
    assert [str(line).split() for line in lines] == [
        [clock(60_000), "1m", "ago", "fraud", "version:", "v2"],
        [clock(7_200_000), "2h", "ago", "fraud", "version:", "v1"],
    ]
    assert len(deck.change_lines([change(n) for n in range(9)], NOW, UTC, 60, 3)) == 3


def clock(ago: int) -> str:
    from watchdeck.console.lines.relative_time import clock_time as shown

    return shown(NOW - ago, UTC)


def test_a_bad_model_names_what_feels_it() -> None:
    facts = replace(boards.facts("fraud"), serves=("card payments",))
    needs = replace(boards.facts("checkout"), depends_on=("fraud",))
    models = (
        replace(boards.model("fraud"), facts=facts, health=Health.DOWN),
        replace(boards.model("checkout"), facts=needs, health=Health.OK),
    )
    assert [str(line) for line in deck.impact_lines(models, 80, 3)] == [
        " ✖ fraud hurts card payments, checkout"
    ]


@pytest.mark.parametrize("health", [Health.OK, Health.WARNING, Health.UNKNOWN])
def test_a_model_that_is_not_bad_hurts_nothing(health: Health) -> None:
    facts = replace(boards.facts("fraud"), serves=("card payments",))
    assert (
        deck.impact_lines((replace(boards.model("fraud"), facts=facts, health=health),), 80, 3)
        == ()
    )


@pytest.mark.parametrize(
    "draw",
    [
        lambda text: deck.change_lines([change(1, text, text)], NOW, UTC, 80, 1),
        lambda text: deck.impact_lines(
            (
                replace(
                    boards.model("x"),
                    facts=replace(boards.facts(text), serves=(text,)),
                    health=Health.DOWN,
                ),
            ),
            80,
            1,
        ),
    ],
    ids=["changes", "hurts"],
)
def test_no_text_escapes_its_line(draw: Callable[[str], Sequence[object]]) -> None:
    (line,) = draw("\x1b[2J[red]\u202e" * 40)
    assert "\x1b" not in str(line)
    assert "\u202e" not in str(line)
    assert len(str(line)) <= 80
